"""The calendar periods that budgets are counted in, as instants. Pure."""

from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

from usage.ingest.partitions import next_month
from usage.selectors.periods import find_zone, midnight

BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
"""Where a total without a first day begins: before any event."""
_MONDAY = 1
_MONTHS = {"month": 1, "quarter": 3, "year": 12}


class Span(NamedTuple):
    """From `start` to before `end`, aware UTC; an `end` of None is never reached."""

    start: datetime
    end: datetime | None

    def contains(self, at: datetime) -> bool:
        """Whether an aware time lies in it."""
        return self.start <= at and (self.end is None or at < self.end)


def span_at(
    at: datetime,
    period: str,
    zone_name: str,
    week_start: int = _MONDAY,
    starts_on: date | None = None,
) -> Span:
    """The `period` of Budget.Period that `at`, an aware time, lies in.

    Days begin at midnight of the IANA zone, or at the first instant after a midnight that is
    skipped there; weeks on the ISO weekday `week_start`; quarters in January, April, July and
    October. A total begins on the day `starts_on`, or before everything.
    """
    zone = find_zone(zone_name)
    if period == "total":
        first = midnight(starts_on, zone) if starts_on else BEGINNING
        return Span(first, None)
    start, end = days_of(at.astimezone(zone).date(), period, week_start)
    return Span(midnight(start, zone), midnight(end, zone))


def days_of(day: date, period: str, week_start: int = _MONDAY) -> tuple[date, date]:
    """The first day of the `period` that `day` lies in, and the day after its last."""
    if period == "day":
        return day, day + timedelta(days=1)
    if period == "week":
        first = day - timedelta(days=(day.isoweekday() - week_start) % 7)
        return first, first + timedelta(days=7)
    months = _MONTHS[period]
    start = end = date(day.year, (day.month - 1) // months * months + 1, 1)
    for _ in range(months):
        end = next_month(end)
    return start, end
