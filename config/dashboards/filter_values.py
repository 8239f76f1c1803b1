"""What the form behind "+ Filter" suggests: the values that occur in a view."""

from django.http import HttpRequest, JsonResponse
from django.utils import timezone

from config.dashboards.bars import OFFERED
from config.dashboards.parsing import read_question
from config.dashboards.reading import Reading
from usage.formats import NOT_GIVEN
from usage.selectors.access import viewer_of

MOST = 500


def filter_values(request: HttpRequest) -> JsonResponse:
    """For each filter that the URL does not set at most MOST values, those used most first."""
    viewer = viewer_of(request.user)
    asked = {**request.GET.dict(), "currency": ""}
    question = read_question(asked, timezone.now(), viewer)
    reading = Reading(viewer, question)
    wanted = [name for name in OFFERED if name not in question.filters]
    return JsonResponse(
        {name: _values(reading, name) for name in wanted},
        headers={"Cache-Control": "private, no-store"},
    )


def _values(reading: Reading, name: str) -> list[str]:
    rows = reading.ranking(name, by="-events", limit=MOST).rows
    return [row.group[name] or NOT_GIVEN for row in rows]
