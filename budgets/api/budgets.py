"""`/budgets/`: making, reading, changing and switching off budgets."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone
from msgspec import UNSET
from msgspec.structs import fields
from rest_framework.request import Request

from budgets.api.access import (
    PAGE,
    BudgetsView,
    actor_of,
    find_owner,
    page_answer,
    seen_budget,
)
from budgets.api.bodies import BudgetBody, ScopeBody, given, levels_of, read_as
from budgets.api.rendering import budget_as_json, window_as_json
from budgets.api.schema.operations import (
    CHANGE_BUDGET,
    LIST_BUDGETS,
    MAKE_BUDGET,
    SET_BUDGET,
    SHOW_BUDGET,
    SWITCH_OFF,
)
from budgets.editing import OWNER, Wanted, change_budget, make_budget
from budgets.matching import NAMES, BudgetValue
from budgets.models import Budget
from budgets.selectors.outlook import stored_forecasts
from budgets.selectors.pages import list_budgets
from budgets.selectors.states import states_of
from budgets.setting import DEFAULT_LEVELS
from usage.api.authentication import holder_of
from usage.api.bodies import read_body
from usage.api.parameters import MAX_PAGE, ParameterReader
from usage.api.reads import json_answer
from usage.keys import KeyHolder
from usage.selectors.access import viewer_of

_SCOPE, _LEVELS = "scope", "thresholds"
_LOOKUPS = {
    "organization": "organization__slug", "project": "project__slug", "team": "team__slug",
    "subject": "subject__key", "name": "name",
}  # fmt: skip
_CHOICES = {
    "period": Budget.Period.values,
    "measure": Budget.Measure.values,
    "enforcement": Budget.Enforcement.values,
}
_ENABLED = {"true": {"enabled": True}, "false": {"enabled": False}, "any": {}}


class BudgetListView(BudgetsView):
    """Budgets with their present windows, by priority, then by what kind of thing they limit.

    A key of an organization sees and sets the budgets of that one; a key of the site says by
    `scope.organization` which is meant, null being all of them together. A budget of several
    parts counts the calls that agree with all of them, and each budget that a call agrees with
    is tested. Soft budgets, the default, warn; hard ones block.
    """

    @LIST_BUDGETS
    def get(self, request: Request) -> HttpResponse:
        """List budgets."""
        reader = ParameterReader(request.GET)
        filters: dict[str, Any] = {
            _LOOKUPS[name]: value for name in _LOOKUPS if (value := reader.one(name))
        }
        for name, allowed in _CHOICES.items():
            if value := reader.choice(name, ("", *allowed), ""):
                filters[name] = value
        filters |= _ENABLED[reader.choice("enabled", tuple(_ENABLED), "true")]
        limit, cursor = reader.number("limit", PAGE, MAX_PAGE), reader.one("cursor")
        reader.finish()
        page = list_budgets(viewer_of(request.user), filters, limit, cursor)
        return page_answer(request, page, shown_budgets(page.rows, timezone.now()))

    @MAKE_BUDGET
    def post(self, request: Request) -> HttpResponse:
        """Make a budget."""
        holder = holder_of(request)
        body = read_as(BudgetBody, read_body(request))
        budget = make_budget(read_wanted(holder, body, whole=True), actor_of(holder))
        where = request.build_absolute_uri(f"{reverse('budget', args=(budget.pk,))}/")
        return _answer(request, budget.pk, status=201, headers={"Location": where})


class BudgetView(BudgetsView):
    """One budget with its present window.

    PUT sets all of it, PATCH what its body names; both at once and for the window that runs.
    Another limit, enforcement or threshold holds from now on for what has been used already: one
    below what is used admits nothing more. Another scope, measure, period or first day replaces
    the window by one that is counted anew from usage. DELETE switches the budget off and keeps
    its history.
    """

    @SHOW_BUDGET
    def get(self, request: Request, budget_id: str) -> HttpResponse:
        """Show it."""
        ParameterReader(request.GET).finish()
        return _answer(request, budget_id)

    @SET_BUDGET
    def put(self, request: Request, budget_id: str) -> HttpResponse:
        """Set all of it."""
        return self._change(request, budget_id, whole=True)

    @CHANGE_BUDGET
    def patch(self, request: Request, budget_id: str) -> HttpResponse:
        """Set what the body names."""
        return self._change(request, budget_id, whole=False)

    @SWITCH_OFF
    def delete(self, request: Request, budget_id: str) -> HttpResponse:
        """Switch it off."""
        off = Wanted({}, {"enabled": False}, levels=None, owner=None, moves=False)
        budget = seen_budget(request, budget_id)
        change_budget(budget.pk, off, actor_of(holder_of(request)))
        return HttpResponse(status=204)

    def _change(self, request: Request, budget_id: str, *, whole: bool) -> HttpResponse:
        holder, budget = holder_of(request), seen_budget(request, budget_id)
        body = read_as(BudgetBody, read_body(request))
        change_budget(budget.pk, read_wanted(holder, body, whole=whole), actor_of(holder))
        return _answer(request, budget_id)


def read_wanted(holder: KeyHolder, body: BudgetBody, *, whole: bool) -> Wanted:
    """What a body wants of a budget; with `whole` what it leaves out is as in a new budget.

    Raises Refused.
    """
    columns = given(body)
    scope = given(columns.pop(_SCOPE, ScopeBody()))
    levels = levels_of(columns.pop(_LEVELS)) if _LEVELS in columns else None
    moves = holder.tenant is None and (whole or OWNER in scope)
    owner = find_owner(holder, scope.pop(OWNER, UNSET), f"{_SCOPE}.{OWNER}", needed=moves)
    if whole:
        scope = {**dict.fromkeys(NAMES[1:]), **scope}
        columns = {**_defaults(), **columns}
        levels = list(DEFAULT_LEVELS) if levels is None else levels
    return Wanted(scope, columns, levels, owner, moves)


def _defaults() -> dict[str, Any]:
    names = [field.name for field in fields(BudgetBody) if field.name not in (_SCOPE, _LEVELS)]
    blank = Budget()
    return {name: getattr(blank, name) for name in names}


def shown_budgets(budgets: Iterable[Budget], now: datetime) -> list[dict[str, Any]]:
    """Budgets with their windows at `now`, an aware time; those switched off have none."""
    rows = list(budgets)
    states = {state.budget.pk: state for state in states_of(rows, now) if state.budget.enabled}
    outlooks = stored_forecasts(rows, now)
    return [
        {
            **budget_as_json(row),
            "window": window_as_json(
                states[row.pk],
                BudgetValue.from_budget(row).span(now),
                now,
                outlooks.get((row.pk, states[row.pk].member)),
            )
            if row.pk in states
            else None,
        }
        for row in rows
    ]


def _answer(
    request: Request, budget_id: object, status: int = 200, headers: dict[str, str] | None = None
) -> HttpResponse:
    (shown,) = shown_budgets([seen_budget(request, str(budget_id))], timezone.now())
    return json_answer(shown, status=status, headers=headers)
