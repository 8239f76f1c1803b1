"""Budgets as JSON values."""

from typing import Any

from budgets.selectors.standings import BudgetState
from usage.api.rendering.figures import money_text, percentage
from usage.selectors.currency import ledger_currency


def state_as_json(state: BudgetState) -> dict[str, Any]:
    """A budget as it stands in its period; amounts are in the ledger currency."""
    budget = state.budget
    return {
        "id": budget.pk,
        "name": budget.name or budget.scope,
        "scope": {
            "organization": budget.organization.slug,
            "project": budget.project.slug if budget.project else None,
        },
        "period": budget.period,
        "start": state.start,
        "end": state.end,
        "currency": ledger_currency(),
        "limit": money_text(state.limit),
        "spent": money_text(state.spent),
        "remaining": money_text(state.remaining),
        "percent": percentage(state.percent),
        "state": state.level,
        "unpriced_events": state.unpriced_events,
    }
