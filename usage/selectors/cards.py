"""Today, this week and this month beside the periods before, and the series they are part of."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from usage.ingest.partitions import next_month
from usage.models import CallKind
from usage.selectors.currency import ledger_currency
from usage.selectors.frames import Frame, months_before
from usage.selectors.periods import first_of_period
from usage.selectors.questions import Granularity, UsageSums
from usage.selectors.sums import total_of

DAYS, WEEKS, MONTHS = 30, 12, 12
_NOTHING = total_of(())


@dataclass(frozen=True, slots=True)
class Point:
    """The sums of one period from its first day `start` to before `end`.

    `org_cost` and `user_cost` divide the cost by who pays the provider.
    """

    start: date
    end: date
    sums: UsageSums
    org_cost: Decimal
    user_cost: Decimal


@dataclass(frozen=True, slots=True)
class Series:
    """Periods without a gap, ascending; the last is the present one."""

    points: list[Point]
    unpriced_events: int
    as_of: datetime

    @property
    def present(self) -> Point:
        """The period that today lies in."""
        return self.points[-1]

    @property
    def previous(self) -> Point:
        """The whole period before the present one."""
        return self.points[-2]


def daily(frame: Frame, count: int = DAYS) -> Series:
    """The last `count` days, today included. Raises QuestionError."""
    return _series(frame, Granularity.DAY, frame.today - timedelta(days=count - 1))


def weekly(frame: Frame, count: int = WEEKS) -> Series:
    """The last `count` weeks from Monday on, the present one included. Raises QuestionError."""
    monday = first_of_period(frame.today, Granularity.WEEK)
    return _series(frame, Granularity.WEEK, monday - timedelta(weeks=count - 1))


def monthly(frame: Frame, count: int = MONTHS) -> Series:
    """The last `count` calendar months, the present one included. Raises QuestionError."""
    return _series(frame, Granularity.MONTH, months_before(frame.today, count - 1))


def _series(frame: Frame, step: Granularity, start: date) -> Series:
    end = _next(first_of_period(frame.today, step), step)
    split = frame.ask(start, end, granularity=step, group_by=("billing_scope",))
    parts = {(row.start, row.group["billing_scope"]): row.sums for row in split.rows}
    wholes = _wholes(frame, step, start, end)
    points = []
    while start < end:
        paid = [parts.get((start, payer), _NOTHING) for payer in CallKind.BillingScope.values]
        sums = wholes[start] if wholes else total_of(paid)
        points.append(Point(start, _next(start, step), sums, *(part.cost for part in paid)))
        start = _next(start, step)
    return Series(points, split.unpriced_events, split.as_of)


def _wholes(frame: Frame, step: Granularity, start: date, end: date) -> dict[date, UsageSums]:
    """The sums of each period where adding up its parts could differ: each part of a converted
    cost is rounded."""
    if frame.currency in ("", ledger_currency()):
        return {}
    answer = frame.ask(start, end, granularity=step)
    return {row.start: row.sums for row in answer.rows}


def _next(first: date, step: Granularity) -> date:
    if step is Granularity.MONTH:
        return next_month(first)
    return first + timedelta(days=7 if step is Granularity.WEEK else 1)
