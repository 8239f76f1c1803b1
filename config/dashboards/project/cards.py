"""The four figures of a project's month."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

from budgets.amounts import band_text
from budgets.models import Budget
from budgets.selectors.outlook import forecast_state
from budgets.selectors.states import BudgetState
from config.dashboards.cards import Card, change, sparkline
from config.dashboards.months_ahead import MonthsAhead
from config.dashboards.project.month import ProjectMonth
from config.dashboards.reading import unless_unrated
from usage.formats import compact, day, money, percent, quantity, share
from usage.selectors.frames import months_before
from usage.selectors.questions import Granularity, UsageAnswer, UsageSums
from usage.selectors.sums import known_cost


def read_cards(
    month: ProjectMonth, state: BudgetState | None, add_url: str, ahead: MonthsAhead | None
) -> list[Card]:
    """Total spend, token usage, completed jobs, and what is used of the budget of `state`.

    `add_url` is where to set a budget, "" for who may not; `ahead` is None where no forecast can
    be told.
    """
    days = month.frame.ask(
        month.first, min(month.end, month.today + timedelta(days=1)), granularity=Granularity.DAY
    )
    return [
        _spend(month, days, ahead),
        _tokens(month, days),
        _jobs(month, days),
        _budget(month, state, days, add_url),
    ]


def _spend(month: ProjectMonth, days: UsageAnswer, ahead: MonthsAhead | None) -> Card:
    totals, currency = month.agents.totals, month.reading.question.currency
    return Card(
        f"Total spend, {month.name}",
        money(known_cost(totals), currency),
        f"{totals.cost:f} {currency}",
        _outlook(month, ahead),
        _line(days, lambda sums: sums.cost),
        totals.unpriced_events,
        url=month.events_url(),
    )


def _tokens(month: ProjectMonth, days: UsageAnswer) -> Card:
    totals = month.agents.totals
    cached = percent(share(totals.cache_read_tokens, totals.input_tokens))
    return Card(
        "Token usage",
        compact(totals.total_tokens),
        f"{quantity(totals.input_tokens)} in, {quantity(totals.output_tokens)} out",
        f"{cached} of input from cache" if totals.input_tokens else "",
        _line(days, lambda sums: sums.total_tokens),
        url=month.events_url(),
    )


def _jobs(month: ProjectMonth, days: UsageAnswer) -> Card:
    totals = month.agents.totals
    done = totals.events - totals.errors
    failed = percent(share(totals.errors, totals.events), 1)
    return Card(
        "Agent jobs",
        quantity(done),
        f"{quantity(done)} of {quantity(totals.events)} completed",
        f"completed · {quantity(totals.errors)} failed ({failed})" if totals.events else "",
        _line(days, lambda sums: sums.events - sums.errors),
    )


def _budget(
    month: ProjectMonth, state: BudgetState | None, days: UsageAnswer, add_url: str
) -> Card:
    if state is None:
        owner = month.project.organization.slug
        hint = "" if add_url else f"an administrator of {owner} can set one"
        action = ("Set a budget", add_url) if add_url else None
        return Card("Budget used", "no limit", "No budget is set", hint, "", action=action)
    ahead = forecast_state(state, month.reading.question.now)
    left = state.spent_text
    if ahead is not None and ahead.low is not None and ahead.high is not None:
        band = band_text(ahead.low, ahead.high, state.budget.measure)
        left = f"forecast {band} of {state.limit_text}"
    return Card(
        f"Budget used, {_period(state)}",
        state.percent_text,
        state.spent_text,
        left,
        _line(days, lambda sums: sums.cost) if month.is_present else "",
    )


def _period(state: BudgetState) -> str:
    """The month that a monthly budget counts; that it is weekly, or whatever else it is."""
    if state.budget.period == Budget.Period.MONTH:
        return f"{state.start:%B}"
    return state.budget.ADVERBS[state.budget.period]


def _outlook(month: ProjectMonth, ahead: MonthsAhead | None) -> str:
    """What the month will come to, or how it compares with the one before when it is over."""
    if not month.is_present:
        before = unless_unrated(lambda: _before(month))
        return change(month.agents.totals.cost, before.cost if before else None, "month")
    if ahead is None or ahead.present.low is None or ahead.present.high is None:
        return f"since {day(month.first)}"
    currency = month.reading.question.currency
    band = band_text(ahead.present.low, ahead.present.high, Budget.Measure.COST, currency)
    return f"forecast {band} by {day(month.last)}"


def _before(month: ProjectMonth) -> UsageSums:
    return month.frame.ask(months_before(month.first, 1), month.first).totals


def _line(days: UsageAnswer, value_of: Callable[[UsageSums], Decimal | int]) -> str:
    return sparkline([value_of(row.sums) for row in days.rows])
