"""The bars of a chart: what each is called and the days it covers."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from config.dashboards.links import day_parts
from config.dashboards.question import Question
from usage.formats import dated, day
from usage.ingest.partitions import next_month
from usage.selectors.questions import Granularity, UsageRow, UsageSums


@dataclass(frozen=True, slots=True)
class Period:
    """One bar: what it is called, the days it covers (both included) and all its sums.

    `hour` is when it starts, where it covers only one hour of its day.
    """

    label: str
    title: str
    first: date
    last: date
    sums: UsageSums
    hour: datetime | None = None

    @property
    def parameters(self) -> dict[str, str]:
        """What asks the event list for its days, or for its hour."""
        hour = {"hour": self.hour.isoformat()} if self.hour else {}
        return day_parts(self.first, self.last) | hour


def period_of(row: UsageRow, question: Question, step: Granularity) -> Period:
    """The bar of one row of an answer in periods of `step`.

    Weeks and months that reach beyond the range cover the days inside of it; the only period of
    a whole range is called by its days.
    """
    start = row.start
    if isinstance(start, datetime):
        title = f"{start:%a} {day(start)} {start:%H:%M}"
        return Period(f"{start:%H:%M}", title, start.date(), start.date(), row.sums, start)
    first = max(start, question.first)
    last = min(_last_day(start, step, question), question.last)
    if step is Granularity.MONTH:
        return Period(f"{start:%b %Y}", f"{start:%B %Y}", first, last, row.sums)
    if step is Granularity.DAY:
        return Period(day(start), f"{start:%a} {day(start)} {start.year}", first, last, row.sums)
    return Period(day(first), dated(first, last), first, last, row.sums)


def _last_day(start: date, step: Granularity, question: Question) -> date:
    if step is Granularity.MONTH:
        return next_month(start) - timedelta(days=1)
    if step is Granularity.TOTAL:
        return question.last
    return start + timedelta(days=6 if step is Granularity.WEEK else 0)
