"""What budgets will have used when their period is over."""

from collections.abc import Iterable
from datetime import datetime

from budgets.forecasts.windows import OpenWindow, forecast_windows
from budgets.matching import BudgetValue
from budgets.models import Budget, Forecast
from budgets.selectors.standings import BudgetState


def forecast_state(state: BudgetState, now: datetime) -> Forecast | None:
    """What a budget will have used at the end of its period, of each of many the one it is
    about; reckoned at `now`, an aware time, the way the stored forecasts are.

    None for a period that never ends, or that is not the present one.
    """
    budget = BudgetValue.from_budget(state.budget)
    span = budget.span(now)
    if span.end is None or (budget.per and not state.member):
        return None
    window = OpenWindow(budget, state.member, span, state.limit, state.used)
    return forecast_windows([window], now)[0]


def stored_forecasts(
    budgets: Iterable[Budget], now: datetime
) -> dict[tuple[int | None, int], Forecast]:
    """What was last reckoned of the windows that `budgets` have at `now`, an aware time: by the
    ids of budget and member."""
    rows = Forecast.objects.filter(budget__in=list(budgets), start__lte=now, end__gt=now)
    return {(row.budget_id, row.member): row for row in rows}
