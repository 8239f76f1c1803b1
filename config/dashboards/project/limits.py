"""How a project stands against its budgets, and what to do when one is nearly used up."""

from collections.abc import Sequence
from dataclasses import dataclass

from budgets.links import budget_url
from budgets.models import Budget
from budgets.selectors.states import BudgetState, Level, read_states
from config.dashboards.project.agent_types import AGENT_TYPE, agent_label
from config.dashboards.project.month import ProjectMonth
from usage.formats import money, percent, share
from usage.selectors.filters import ORGANIZATION
from usage.selectors.forecasts import Forecast, forecast_spend
from usage.selectors.periods import find_zone
from usage.selectors.projects import PROJECT


@dataclass(frozen=True, slots=True)
class Limit:
    """A budget and what its level calls for, "" where it calls for nothing.

    `url` is where to change the budget, "" for who may not.
    """

    state: BudgetState
    advice: str
    url: str


def read_states_of(month: ProjectMonth) -> list[BudgetState]:
    """The project's own budgets as they stand now: monthly ones first, then the most used."""
    project = month.project
    states = read_states(
        month.reading.viewer,
        month.reading.question.now,
        organization=project.organization.slug,
        project=project.slug,
    )
    return sorted(states, key=lambda state: state.budget.period != Budget.Period.MONTH)


def advise(states: Sequence[BudgetState], month: ProjectMonth, *, may_set: bool) -> list[Limit]:
    """The budgets with their guidance, for somebody who may change them or not."""
    costly = _costly(month)
    return [_advise(state, costly, may_set=may_set) for state in states]


def forecast_limit(month: ProjectMonth, state: BudgetState) -> Forecast:
    """What the project will have spent when the period of its budget is over.

    In the ledger currency and in the organization's days, as the budget counts.
    """
    organization = month.project.organization
    zone = organization.time_zone
    return forecast_spend(
        month.reading.viewer,
        start=state.start,
        end=state.end,
        today=month.reading.question.now.astimezone(find_zone(zone)).date(),
        time_zone=zone,
        filters={ORGANIZATION: [organization.slug], PROJECT: [month.project.slug]},
    )


def expected(forecast: Forecast | None) -> str:
    """The band of a forecast such as $940 to $1,260 with a dash between, "" for no forecast."""
    if forecast is None or forecast.low is None or forecast.high is None:
        return ""
    low, high = (money(amount, forecast.currency, 0) for amount in (forecast.low, forecast.high))
    return low if low == high else f"{low} \N{EN DASH} {high}"


def _advise(state: BudgetState, costly: tuple[str, str] | None, *, may_set: bool) -> Limit:
    if state.level is Level.OK:
        return Limit(state, "", "")
    took = f"{costly[0]}, which took {costly[1]}" if costly else ""
    if state.level is Level.WARN:
        advice = "Review the costly agents"
        return Limit(state, f"{advice}: {took}." if took else f"{advice}.", "")
    organization = state.budget.organization.slug
    who = "Raise the limit" if may_set else f"Ask an administrator of {organization} to raise it"
    pause = f"pause {took}" if took else "pause the costly agents"
    advice = f"The limit is used up; calls still go through. {who}, or {pause}."
    return Limit(state, advice, budget_url(state.budget) if may_set else "")


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
