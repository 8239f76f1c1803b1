"""`/budgets/{id}/windows/`: what a budget has used, period by period and member by member."""

from django.http import HttpResponse
from django.utils import timezone
from rest_framework.request import Request

from budgets.api.access import PAGE, BudgetsView, page_answer, seen_budget
from budgets.api.rendering import window_as_json
from budgets.api.schema.operations import LIST_WINDOWS
from budgets.matching import BudgetValue
from budgets.selectors.history import as_states
from budgets.selectors.outlook import stored_forecasts
from budgets.selectors.pages import list_members, list_windows
from budgets.selectors.scopes import find_member
from budgets.spans import Span
from usage.api.parameters import MAX_PAGE, ParameterReader


class WindowsView(BudgetsView):
    """The windows of a budget, the latest first.

    Where each of many has the limit to itself these are the present windows of all of them,
    whoever used most first; with `member` those of one, the latest first.
    """

    @LIST_WINDOWS
    def get(self, request: Request, budget_id: str) -> HttpResponse:
        """List windows."""
        budget, now = seen_budget(request, budget_id), timezone.now()
        reader = ParameterReader(request.GET)
        member = reader.one("member")
        limit, cursor = reader.number("limit", PAGE, MAX_PAGE), reader.one("cursor")
        reader.finish()
        if budget.per and not member:
            start = BudgetValue.from_budget(budget).span(now).start
            page = list_members(budget, start, limit, cursor)
        else:
            known = find_member(budget, member) if member else 0
            wanted = {"member": -1 if known is None else known}
            page = list_windows(budget, wanted, limit, cursor)
        states, outlooks = as_states(budget, page.rows, now), stored_forecasts([budget], now)
        shown = []
        for state, row in zip(states, page.rows, strict=True):
            span = Span(row.start, row.end)
            outlook = outlooks.get((budget.pk, row.member)) if span.contains(now) else None
            shown.append(window_as_json(state, span, now, outlook))
        return page_answer(request, page, shown)
