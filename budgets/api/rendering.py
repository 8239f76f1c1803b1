"""Budgets and their windows as JSON values."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from budgets.matching import NAMES
from budgets.models import Budget, BudgetRaise, Forecast, Threshold
from budgets.selectors.history import zone_of
from budgets.selectors.pace import at_pace
from budgets.selectors.scopes import usage_filters
from budgets.selectors.standings import BudgetState
from budgets.spans import Span
from usage.api.rendering.figures import money_text, percentage
from usage.selectors.currency import ledger_currency
from usage.selectors.periods import find_zone

_OUTLOOK = ("expected", "low", "high", "run_rate")
_OUTLOOK_PERCENTS = ("chance", "error", "coverage")


def state_as_json(state: BudgetState) -> dict[str, Any]:
    """A budget as it stands in its period; amounts are in the ledger currency, or in tokens or
    requests. Where each of many has the limit to itself, `member` is the one it is about."""
    budget = state.budget
    return {
        "id": budget.pk,
        "name": budget.name or budget.scope,
        "scope": scope_as_json(budget),
        "per": budget.per,
        "member": state.member_name or None,
        "measure": budget.measure,
        "period": budget.period,
        "enforcement": budget.enforcement,
        "start": state.start,
        "end": state.end,
        "currency": ledger_currency() if budget.measure == Budget.Measure.COST else None,
        "limit": amount_or_none(state.limit),
        "spent": money_text(state.used),
        "reserved": money_text(state.reserved),
        "remaining": amount_or_none(state.remaining),
        "percent": percentage(state.percent),
        "state": state.level,
        "unpriced_events": state.unpriced_events,
    }


def scope_as_json(budget: Budget) -> dict[str, Any]:
    """What a budget limits, by the names that events have for it; None is any."""
    named = {name: values[0] for name, values in usage_filters(budget).items()}
    return {name: named.get(name) for name in NAMES}


def budget_as_json(budget: Budget) -> dict[str, Any]:
    """What a budget says, by the names of the body that sets it; its scope has been read.

    `title` is what it is called where it has no name; `limit` is in its own `currency`.
    """
    return {
        "id": budget.pk,
        "name": budget.name,
        "title": budget.name or budget.scope,
        "scope": scope_as_json(budget),
        "per": budget.per,
        "measure": budget.measure,
        "period": budget.period,
        "starts_on": budget.starts_on,
        "limit": amount_or_none(budget.limit),
        "currency": budget.currency,
        "enforcement": budget.enforcement,
        "unpriced": budget.unpriced,
        "thresholds": [level_as_json(level) for level in budget.thresholds.all()],
        "channels": budget.channels,
        "priority": budget.priority,
        "contact": budget.contact,
        "enabled": budget.enabled,
        "created_at": budget.created_at,
        "updated_at": budget.updated_at,
    }


def window_as_json(
    state: BudgetState, span: Span, now: datetime, outlook: Forecast | None = None
) -> dict[str, Any]:
    """How a budget stands in a span; instants have the offset of its zone.

    Amounts are in the ledger currency, or tokens or requests. `spent` is what fits beside what is
    reserved, `overage` what was used beyond; both are in `percent`. `forecast` is what `outlook`
    expects, and without it what the pace so far comes to.
    """
    budget = state.budget
    zone = find_zone(zone_of(budget))
    expected = _expected(state, outlook)
    return {
        "start": span.start.astimezone(zone),
        "end": span.end and span.end.astimezone(zone),
        "time_zone": zone.key,
        "currency": ledger_currency() if budget.measure == Budget.Measure.COST else None,
        "member": state.member_name or None,
        "members": state.members if budget.per else None,
        "limit": amount_or_none(state.limit),
        "spent": money_text(state.spent),
        "reserved": money_text(state.reserved),
        "overage": money_text(state.overage),
        "remaining": amount_or_none(state.remaining),
        "percent": percentage(state.percent),
        "state": state.level,
        "unpriced_events": state.unpriced_events,
        "forecast": amount_or_none(
            at_pace(state.used, span, zone, now) if expected is None else expected
        ),
        "outlook": None if outlook is None else outlook_as_json(outlook),
    }


def outlook_as_json(outlook: Forecast) -> dict[str, Any]:
    """What a window will have used, as reckoned at `made_at`; amounts as those of the window."""
    amounts = {name: amount_or_none(getattr(outlook, name)) for name in _OUTLOOK}
    percents = {name: percentage(getattr(outlook, name)) for name in _OUTLOOK_PERCENTS}
    return {
        "made_at": outlook.made_at,
        **amounts,
        **percents,
        "crosses_on": outlook.crosses_on,
        "days_of_history": outlook.days_of_history,
    }


def _expected(state: BudgetState, outlook: Forecast | None) -> Decimal | None:
    """What is expected, at least what has been used since it was reckoned."""
    if outlook is None or outlook.expected is None:
        return None
    return max(outlook.expected, state.used)


def level_as_json(level: Threshold) -> dict[str, str]:
    """A level that a budget warns from, as a body names it."""
    if level.percent is not None:
        return {"percent": f"{level.percent.normalize():f}"}
    return {"amount": money_text(level.amount or Decimal(0))}


def raise_as_json(granted: BudgetRaise, member: str | None) -> dict[str, Any]:
    """Another limit for a while, in the budget's currency."""
    return {
        "id": granted.pk,
        "budget": granted.budget_id,
        "limit": amount_or_none(granted.limit),
        "since": granted.since,
        "until": granted.until,
        "member": member,
        "reason": granted.reason,
    }


def amount_or_none(amount: Decimal | None) -> str | None:
    """An amount with 10 decimals; None stays None."""
    return None if amount is None else money_text(amount)
