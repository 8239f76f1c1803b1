"""The calendar periods in which budgets are counted."""

from datetime import date, timedelta

from budgets.models import Budget
from usage.ingest.partitions import next_month
from usage.selectors.periods import first_of_period
from usage.selectors.questions import Granularity

_MONTHS = {
    Budget.Period.MONTH.value: 1,
    Budget.Period.QUARTER.value: 3,
    Budget.Period.YEAR.value: 12,
}


def window_of(day: date, period: str) -> tuple[date, date]:
    """The `period` of Budget.Period that `day` lies in: its first day, and the day after its
    last. Weeks begin on Monday, quarters in January, April, July and October."""
    if period == Budget.Period.DAY:
        return day, day + timedelta(days=1)
    if period == Budget.Period.WEEK:
        monday = first_of_period(day, Granularity.WEEK)
        return monday, monday + timedelta(days=7)
    months = _MONTHS[period]
    start = end = date(day.year, (day.month - 1) // months * months + 1, 1)
    for _ in range(months):
        end = next_month(end)
    return start, end
