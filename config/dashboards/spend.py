"""Spend over time by group: at most five series and "other", which together are the total."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from config.dashboards.colours import OTHER, SERIES
from config.dashboards.question import Question
from config.dashboards.reading import Reading
from usage.formats import NOT_GIVEN, dated, day
from usage.ingest.partitions import next_month
from usage.selectors.currency import ledger_currency
from usage.selectors.questions import Granularity, UsageRow, UsageSums

# What five sums and their total, each rounded after converting, may differ by.
_ROUNDINGS = Decimal("3E-10")
OTHER_NAME = "other"
NOT_GIVEN_NAME = "not given"


@dataclass(frozen=True, slots=True)
class Series:
    """One stack of the bars. `value` filters for it, None where nothing does ("other")."""

    name: str
    value: str | None
    colour: int
    costs: list[Decimal]

    @property
    def cost(self) -> Decimal:
        """The sum over all periods."""
        return sum(self.costs, Decimal(0))


@dataclass(frozen=True, slots=True)
class Period:
    """One bar: what it is called, the days it covers (both included) and all its sums."""

    label: str
    title: str
    first: date
    last: date
    sums: UsageSums


@dataclass(frozen=True, slots=True)
class Spend:
    """What the chart and the table under it show; costs are in the question's currency."""

    periods: list[Period]
    series: list[Series]
    totals: UsageSums

    def rows(self) -> list[tuple[Period, list[Decimal]]]:
        """The periods, each with the cost of every series."""
        return [(p, [s.costs[i] for s in self.series]) for i, p in enumerate(self.periods)]


def read_spend(reading: Reading) -> Spend:
    """Read the chart of a question."""
    question = reading.question
    trend = reading.trend(question.step)
    top = reading.ranking(question.group).rows[:SERIES]
    values = [row.group[question.group] or "" for row in top]
    costs = _costs(reading, values) if values else {}
    starts = [row.start for row in trend.rows]
    colours = reading.colours(question.group, values)
    series = [
        Series(
            value or NOT_GIVEN_NAME,
            value or NOT_GIVEN,
            colours[value],
            [costs[value].get(start, Decimal(0)) for start in starts],
        )
        for value in values
    ]
    rest = [
        row.sums.cost - sum((s.costs[i] for s in series), Decimal(0))
        for i, row in enumerate(trend.rows)
    ]
    noise = Decimal(0) if question.currency == ledger_currency() else _ROUNDINGS
    if any(abs(cost) > noise for cost in rest):
        series.append(Series(OTHER_NAME, None, OTHER, rest))
    return Spend([_period(row, question) for row in trend.rows], series, trend.totals)


def _costs(reading: Reading, values: list[str]) -> dict[str, dict[date | datetime, Decimal]]:
    costs: dict[str, dict[date | datetime, Decimal]] = defaultdict(dict)
    for row in reading.series(values).rows:
        costs[row.group[reading.question.group] or ""][row.start] = row.sums.cost
    return costs


def _period(row: UsageRow, question: Question) -> Period:
    start = row.start
    if isinstance(start, datetime):
        title = f"{start:%a} {day(start)} {start:%H:%M}"
        return Period(f"{start:%H:%M}", title, start.date(), start.date(), row.sums)
    last = _last_day(start, question.step)
    first, last = max(start, question.first), min(last, question.last)
    if question.step is Granularity.MONTH:
        return Period(f"{start:%b %Y}", f"{start:%B %Y}", first, last, row.sums)
    if question.step is Granularity.WEEK:
        return Period(day(first), dated(first, last), first, last, row.sums)
    return Period(day(start), f"{start:%a} {day(start)} {start.year}", first, last, row.sums)


def _last_day(start: date, step: Granularity) -> date:
    if step is Granularity.MONTH:
        return next_month(start) - timedelta(days=1)
    return start + timedelta(days=6 if step is Granularity.WEEK else 0)
