"""`/decisions/`: why calls were blocked or warned about, and how many were answered how."""

from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.http import HttpResponse
from django.utils import timezone
from rest_framework.exceptions import NotFound
from rest_framework.request import Request

from budgets.api.access import PAGE, BudgetsView, page_answer, seen_budget
from budgets.api.schema.operations import (
    COUNT_ANSWERS,
    EXPLAIN,
    LIST_BUDGET_DECISIONS,
    LIST_DECISIONS,
)
from budgets.api.telling import decision_as_json
from budgets.models import Decision
from budgets.selectors.decisions import count_answers
from budgets.selectors.pages import find_decision, list_decisions
from usage.api.parameters import MAX_PAGE, ParameterReader
from usage.api.reads import json_answer
from usage.selectors.access import report_zone, viewer_of
from usage.selectors.periods import find_zone, midnight

_LOOKUPS = {
    "organization": "organization__slug", "project": "project__slug", "subject": "subject__key",
}  # fmt: skip
_COUNTED_DAYS = 30


class DecisionListView(BudgetsView):
    """Calls that were blocked or warned about, the latest first, each with all budgets that were
    tested as they stood then, the binding one first. Those that were simply allowed are only
    counted."""

    @LIST_DECISIONS
    def get(self, request: Request) -> HttpResponse:
        """List warnings and refusals."""
        return _list(request, {})


class BudgetDecisionsView(BudgetsView):
    """Calls that this budget blocked, or warned about, the latest first."""

    @LIST_BUDGET_DECISIONS
    def get(self, request: Request, budget_id: str) -> HttpResponse:
        """List what this budget brought about."""
        return _list(request, {"binding": seen_budget(request, budget_id).pk})


class DecisionView(BudgetsView):
    """Why one call was blocked or warned about: what was asked, and what every budget said."""

    @EXPLAIN
    def get(self, request: Request, decision_id: str) -> HttpResponse:
        """Explain it."""
        ParameterReader(request.GET).finish()
        viewer = viewer_of(request.user)
        found = find_decision(viewer, decision_id)
        if found is None:
            raise NotFound(f"There is no decision {decision_id!r}.")
        return json_answer(decision_as_json(viewer, found))


class DecisionCountsView(BudgetsView):
    """How many calls were allowed, warned about and blocked, by days, the latest first: days
    with any alone. Answers of the last minute may be missing."""

    @COUNT_ANSWERS
    def get(self, request: Request) -> HttpResponse:
        """Count answers."""
        viewer, reader = viewer_of(request.user), ParameterReader(request.GET)
        slug = reader.one("organization")
        zone = find_zone(reader.zone(lambda: report_zone(viewer, [slug] if slug else None)))
        start, end = _bounds(reader, zone)
        reader.finish()
        days = count_answers(viewer, start, end, zone, slug)
        shown = [
            {"date": day.day, "allow": day.allow, "warn": day.warn, "block": day.block}
            for day in days
        ]
        return json_answer({"from": start, "to": end, "timezone": zone.key, "results": shown})


def _list(request: Request, filters: dict[str, Any]) -> HttpResponse:
    viewer, reader = viewer_of(request.user), ParameterReader(request.GET)
    filters |= {_LOOKUPS[name]: value for name in _LOOKUPS if (value := reader.one(name))}
    if outcome := reader.choice("decision", ("", *Decision.Outcome.values[1:]), ""):
        filters["outcome"] = outcome
    if "binding" not in filters and (budget := reader.pk("budget")) is not None:
        filters["binding"] = budget
    zone = ZoneInfo("UTC")
    for name, lookup in (("from", "decided_at__gte"), ("to", "decided_at__lt")):
        if (bound := reader.bound(name)) is not None:
            filters[lookup] = _instant(bound, zone)
    limit, cursor = reader.number("limit", PAGE, MAX_PAGE), reader.one("cursor")
    reader.finish()
    page = list_decisions(viewer, filters, limit, cursor)
    return page_answer(request, page, [decision_as_json(viewer, row) for row in page.rows])


def _bounds(reader: ParameterReader, zone: ZoneInfo) -> tuple[datetime, datetime]:
    today = timezone.now().astimezone(zone).date()
    end = _instant(reader.bound("to") or today + timedelta(days=1), zone)
    start = reader.bound("from") or end - timedelta(days=_COUNTED_DAYS)
    return _instant(start, zone), end


def _instant(bound: date | datetime, zone: ZoneInfo) -> datetime:
    return bound if isinstance(bound, datetime) else midnight(bound, zone)
