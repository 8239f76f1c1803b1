"""The line at the foot of the sidebar: what today and this month have cost so far."""

from typing import Any

from django.http import HttpRequest, JsonResponse
from django.utils import timezone

from budgets.selectors.standings import Level
from budgets.selectors.states import read_states
from config.dashboards.parsing import read_question
from config.dashboards.reading import Reading
from usage.formats import money
from usage.selectors.access import Viewer, viewer_of
from usage.selectors.currency import ledger_currency
from usage.selectors.questions import Granularity

_WORST = (Level.OVER, Level.WARN, Level.OK)


def quick_stats(request: HttpRequest) -> JsonResponse:
    """Spend of the present day and month in the ledger currency, as texts, and the worst level
    of the budgets that the signed-in user sees, null where there are none."""
    viewer = viewer_of(request.user)
    levels = {state.level for state in read_states(viewer, timezone.now())}
    worst = next((level for level in _WORST if level in levels), None)
    answer: dict[str, Any] = {
        "today": _spend(viewer, "today"),
        "month": _spend(viewer, "month"),
        "level": worst,
        "word": worst and worst.word,
    }
    return JsonResponse(answer, headers={"Cache-Control": "private, no-store"})


def _spend(viewer: Viewer, name: str) -> str:
    question = read_question({"range": name}, timezone.now(), viewer)
    totals = Reading(viewer, question).trend(Granularity.TOTAL).totals
    return money(totals.cost, ledger_currency())
