"""Budgets as a table for the command line."""

from collections.abc import Sequence

from budgets.selectors.standings import BudgetState
from usage.reports.documents import Column, Document, Kind, Sheet
from usage.reports.scope import Scope

_COLUMNS = (
    Column("id", "", Kind.COUNT, people=False),
    Column("title", "budget", Kind.TEXT, data=False),
    Column("name", "", Kind.TEXT, people=False),
    Column("organization", "", Kind.TEXT, people=False),
    Column("project", "", Kind.TEXT, people=False),
    Column("measure", "", Kind.TEXT, people=False),
    Column("period", "", Kind.TEXT, people=False),
    Column("enforcement", "kind", Kind.TEXT),
    Column("limit_shown", "limit", Kind.FIGURE, data=False),
    Column("used_shown", "used", Kind.FIGURE, data=False),
    Column("held_shown", "held", Kind.FIGURE, data=False),
    Column("limit", "", Kind.EXACT, people=False),
    Column("used", "", Kind.EXACT, people=False),
    Column("reserved", "", Kind.EXACT, people=False),
    Column("remaining", "", Kind.EXACT, people=False),
    Column("percent", "%", Kind.PERCENT, data=True),
    Column("remaining_shown", "remaining", Kind.FIGURE, data=False),
    Column("state", "state", Kind.TEXT),
    Column("resets", "next", Kind.TEXT, data=False, spare=True),
    Column("start", "", Kind.DATE, people=False),
    Column("end", "", Kind.DATE, people=False),
)


def budgets_document(states: Sequence[BudgetState], scope: Scope) -> Document:
    """How budgets stand, in the order given; data has amounts in the ledger currency, or in
    tokens or requests."""
    return Document(
        title="Budgets",
        currency=scope.currency,
        parts=(
            Sheet("budgets", "", _COLUMNS, [_row(s) for s in states], empty="no budget is set"),
        ),
        subtitle=", ".join(scope.organizations) or "all organizations",
        line="\n".join(f"{state.budget}: {state.spent_text}" for state in states),
    )


def _row(state: BudgetState) -> tuple[object, ...]:
    budget = state.budget
    who = f": {state.member_text}" if state.member_text else ""
    return (
        budget.pk,
        f"{budget}{who}",
        budget.name or budget.scope,
        budget.organization.slug if budget.organization else None,
        budget.project.slug if budget.project else None,
        budget.measure,
        budget.period,
        budget.enforcement,
        state.limit_text,
        state.used_text,
        state.reserved_text,
        state.limit,
        state.used,
        state.reserved,
        state.remaining,
        state.percent,
        state.remaining_text,
        state.level.word,
        state.reset_text,
        state.start,
        state.end,
    )
