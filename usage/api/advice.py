"""`GET /advice/`: what to do about cost, with the money it would have saved."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.http import HttpResponse
from rest_framework.request import Request

from usage.api.parameters import ParameterReader, default_start
from usage.api.reads import ReadView, json_answer
from usage.api.schema.advice import ADVICE
from usage.selectors.access import find_scope, report_zone, viewer_of
from usage.selectors.advice import Advice, advise
from usage.selectors.currency import ledger_currency
from usage.selectors.filters import ORGANIZATION
from usage.selectors.freshness import as_of


class AdviceView(ReadView):
    """What would have saved money in a period, computed from what was used; most money first.

    `code` is one of `dear_session`, `low_cache_rate`, `cheaper_model`, `retried_runs`,
    `failed_calls`. Savings may overlap, so they do not add up. Without `to` the period ends with
    today, without `from` it starts 30 days earlier.
    """

    @ADVICE
    def get(self, request: Request) -> HttpResponse:
        """Give advice."""
        viewer = viewer_of(request.user)
        reader = ParameterReader(request.GET)
        filters = reader.filters()
        zone = reader.zone(lambda: report_zone(viewer, filters.get(ORGANIZATION)))
        end = reader.bound("to") or datetime.now(ZoneInfo(zone)).date() + timedelta(days=1)
        start = reader.bound("from") or default_start(end)
        reader.finish()
        fresh = as_of([scoped.id for scoped in find_scope(viewer, filters.get(ORGANIZATION))])
        advice = advise(viewer, start=start, end=end, time_zone=zone, filters=filters)
        body = {
            "from": start,
            "to": end,
            "timezone": zone,
            "currency": ledger_currency(),
            "as_of": fresh,
            "results": [_as_json(each) for each in advice],
        }
        return json_answer(body)


def _as_json(advice: Advice) -> dict[str, object]:
    return {
        "code": advice.code,
        "title": advice.title,
        "detail": advice.detail,
        "saving": f"{advice.saving:f}",
        "organization": advice.organization,
        "about": advice.about,
    }
