"""What budgets will have used when their period is over."""

from datetime import datetime

from django.conf import settings

from budgets.models import Budget
from budgets.selectors.scopes import usage_filters
from budgets.selectors.standings import BudgetState
from usage.selectors.access import Viewer
from usage.selectors.forecasts import Forecast, forecast_spend
from usage.selectors.periods import find_zone


def forecast_state(viewer: Viewer, state: BudgetState, now: datetime) -> Forecast | None:
    """What the usage that a budget counts will have cost at the end of its period, as far as a
    viewer sees it: in the ledger currency and in days of its zone.

    None where that is not to be told: for tokens and requests, for a total, and where each of
    many has the limit to itself.
    """
    budget = state.budget
    if state.end is None or budget.measure != Budget.Measure.COST or budget.per:
        return None
    zone = state.zone or str(settings.TALLYMAN_TIME_ZONE)
    return forecast_spend(
        viewer,
        start=state.start,
        end=state.end,
        today=now.astimezone(find_zone(zone)).date(),
        time_zone=zone,
        filters=usage_filters(budget),
    )
