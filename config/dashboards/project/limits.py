"""How a project stands against its budgets, and what to do when one is nearly used up."""

from collections.abc import Sequence
from dataclasses import dataclass

from budgets.links import budget_change_url
from budgets.models import Budget
from budgets.selectors.states import BudgetState, Level, read_project_states
from config.dashboards.project.agent_types import AGENT_TYPE, agent_label
from config.dashboards.project.month import ProjectMonth
from usage.formats import percent, share
from usage.selectors.projects import PROJECT

_OWN, _PART, _ABOVE = range(3)


@dataclass(frozen=True, slots=True)
class Limit:
    """A budget and what its level calls for, "" where it calls for nothing.

    `url` is where to change the budget, "" for who may not.
    """

    state: BudgetState
    advice: str
    url: str


def read_states_of(month: ProjectMonth) -> list[BudgetState]:
    """The budgets that bind the project as they stand now: its own first and those above it
    last, of each the monthly ones first, then the most used."""
    states = read_project_states(month.reading.viewer, month.project, month.reading.question.now)
    return sorted(states, key=lambda s: (_closeness(s), s.budget.period != Budget.Period.MONTH))


def own_state(states: Sequence[BudgetState]) -> BudgetState | None:
    """The first of `states` that limits all usage of the project itself, if any does."""
    return next((state for state in states if _closeness(state) == _OWN), None)


def advise(states: Sequence[BudgetState], month: ProjectMonth, *, may_set: bool) -> list[Limit]:
    """The budgets with their guidance, for somebody who may change them or not."""
    costly = _costly(month)
    return [
        _advise(state, costly if _closeness(state) == _OWN else None, may_set=may_set)
        for state in states
    ]


def _advise(state: BudgetState, costly: tuple[str, str] | None, *, may_set: bool) -> Limit:
    if state.level is Level.OK:
        return Limit(state, "", "")
    took = f"{costly[0]}, which took {costly[1]}" if costly else ""
    if state.level is Level.WARN:
        advice = "Review the costly agents"
        return Limit(state, f"{advice}: {took}." if took else f"{advice}.", "")
    owner = state.budget.organization
    asked = state.budget.contact or f"an administrator of {owner.slug if owner else 'the site'}"
    who = "Raise the limit" if may_set else f"Ask {asked} to raise it"
    pause = f"pause {took}" if took else "pause the costly agents"
    then = "calls that ask first are blocked" if state.budget.is_hard else "calls still go through"
    advice = f"The limit is used up; {then}. {who}, or {pause}."
    return Limit(state, advice, budget_change_url(state.budget) if may_set else "")


def _closeness(state: BudgetState) -> int:
    """Whether a budget limits all usage of the project itself, a part of it, or more than it."""
    if state.whole == PROJECT or state.budget.per == PROJECT:
        return _OWN
    return _PART if state.budget.project_id else _ABOVE


def _costly(month: ProjectMonth) -> tuple[str, str] | None:
    """The dearest kind of agent and its share of the present month, None where another month is
    shown or filters hide the rest."""
    question = month.reading.question
    named = [row for row in month.agents.rows if row.group[AGENT_TYPE] and row.sums.cost]
    if question.chosen or not month.is_present or not named:
        return None
    part = percent(share(named[0].sums.cost, month.agents.totals.cost))
    return agent_label(
        named[0].group[AGENT_TYPE]
    ), f"{part} of {month.name}\N{RIGHT SINGLE QUOTATION MARK}s spend"
