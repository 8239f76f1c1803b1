"""Charts as values: at most five series and "other", which together are the total."""

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from config.dashboards.colours import OTHER, SERIES
from config.dashboards.names import GROUP_NAMES, OTHER_NAME, value_name
from config.dashboards.plot_periods import Period, period_of
from config.dashboards.reading import Reading
from usage.formats import NOT_GIVEN, share
from usage.selectors.currency import ledger_currency
from usage.selectors.questions import Granularity, UsageAnswer, UsageSums

# What five sums and their total, each rounded after converting, may differ by.
_ROUNDINGS = Decimal("3E-10")
Figure = Decimal | int


class PlotKind(StrEnum):
    """How a chart is drawn: bars stacked over time, or one ring of shares."""

    BARS = "bar"
    RING = "doughnut"


class Unit(StrEnum):
    """What the numbers of a chart are: amounts in the question's currency, or counts."""

    MONEY = "money"
    COUNT = "count"


@dataclass(frozen=True, slots=True)
class Series:
    """One colour of a chart, with a number for each period.

    `parameters` filter the event list for it, None where nothing does ("other").
    """

    name: str
    colour: int
    values: list[Figure]
    parameters: Mapping[str, str] | None

    @property
    def total(self) -> Figure:
        """The sum over all periods."""
        return sum(self.values, type(self.values[0])(0) if self.values else 0)


@dataclass(frozen=True, slots=True)
class Plot:
    """A chart and the table behind it. `measure` is what the series add up to in each period.

    `name` is its address among PLOTS. A ring has one period, the whole range.
    """

    name: str
    title: str
    kind: PlotKind
    unit: Unit
    measure: str
    step: Granularity
    periods: list[Period]
    series: list[Series]
    totals: UsageSums

    @property
    def total(self) -> Figure:
        """What all series add up to."""
        found: Figure = getattr(self.totals, self.measure)
        return found

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to draw."""
        return not self.total

    def shares(self) -> list[tuple[Series, Decimal | None]]:
        """The series, each with its share of the total in percent."""
        return [(series, share(series.total, self.total)) for series in self.series]

    def rows(self) -> list[tuple[Period, list[Figure], Figure]]:
        """The periods, each with the number of every series and their sum."""
        return [
            (period, [s.values[i] for s in self.series], getattr(period.sums, self.measure))
            for i, period in enumerate(self.periods)
        ]


def spend_plot(reading: Reading) -> Plot:
    """Spend over time by the question's group."""
    question = reading.question
    return _by_group(
        reading,
        "spend",
        f"Spend per {question.step} by {GROUP_NAMES[question.group]}",
        PlotKind.BARS,
        question.group,
        question.step,
    )


def providers_plot(reading: Reading) -> Plot:
    """The spend of the whole range by provider, as shares."""
    return _by_group(
        reading, "providers", "Spend by provider", PlotKind.RING, "provider", Granularity.TOTAL
    )


def tokens_plot(reading: Reading) -> Plot:
    """Tokens over time: input that was sent anew, read from cache, written to it; output."""
    trend = reading.trend(reading.question.step)
    parts: tuple[tuple[str, Callable[[UsageSums], int]], ...] = (
        ("input", lambda s: s.input_tokens - s.cache_read_tokens - s.cache_write_tokens),
        ("cache read", lambda s: s.cache_read_tokens),
        ("cache written", lambda s: s.cache_write_tokens),
        ("output", lambda s: s.output_tokens),
    )
    series = [
        Series(name, colour, [count_of(row.sums) for row in trend.rows], {})
        for colour, (name, count_of) in enumerate(parts, start=1)
    ]
    return _counts(reading, "tokens", "total_tokens", series)


def requests_plot(reading: Reading) -> Plot:
    """Requests over time: those that succeeded and those that failed."""
    trend = reading.trend(reading.question.step)
    series = [
        Series("succeeded", 1, [row.sums.events - row.sums.errors for row in trend.rows], {}),
        Series("failed", 2, [row.sums.errors for row in trend.rows], {"status": "error"}),
    ]
    return _counts(reading, "requests", "events", series)


PLOTS: Mapping[str, Callable[[Reading], Plot]] = {
    "spend": spend_plot,
    "providers": providers_plot,
    "tokens": tokens_plot,
    "requests": requests_plot,
}
"""The charts that have an address, by name."""


def _counts(reading: Reading, name: str, measure: str, series: list[Series]) -> Plot:
    """Bars of counts over time, without the series that never occur."""
    step = reading.question.step
    trend = reading.trend(step)
    return Plot(
        name,
        f"{name.capitalize()} per {step}",
        PlotKind.BARS,
        Unit.COUNT,
        measure,
        step,
        _periods(reading, trend, step),
        [each for each in series if any(each.values)],
        trend.totals,
    )


def _by_group(
    reading: Reading, name: str, title: str, kind: PlotKind, group: str, step: Granularity
) -> Plot:
    trend = reading.trend(step)
    top = reading.ranking(group).rows[:SERIES]
    values = [row.group[group] or "" for row in top]
    costs = _costs(reading, group, values, step) if values else {}
    starts = [row.start for row in trend.rows]
    colours = reading.colours(group, values)
    series = [
        Series(
            value_name(group, value),
            colours[value],
            [costs[value].get(start, Decimal(0)) for start in starts],
            {group: value or NOT_GIVEN},
        )
        for value in values
    ]
    rest = [
        row.sums.cost - sum((s.values[i] for s in series), Decimal(0))
        for i, row in enumerate(trend.rows)
    ]
    noise = Decimal(0) if reading.question.currency == ledger_currency() else _ROUNDINGS
    if any(abs(cost) > noise for cost in rest):
        series.append(Series(OTHER_NAME, OTHER, list(rest), None))
    periods = _periods(reading, trend, step)
    return Plot(name, title, kind, Unit.MONEY, "cost", step, periods, series, trend.totals)


def _costs(
    reading: Reading, group: str, values: list[str], step: Granularity
) -> dict[str, dict[date | datetime, Decimal]]:
    costs: dict[str, dict[date | datetime, Decimal]] = defaultdict(dict)
    for row in reading.series(group, values, step).rows:
        costs[row.group[group] or ""][row.start] = row.sums.cost
    return costs


def _periods(reading: Reading, trend: UsageAnswer, step: Granularity) -> list[Period]:
    return [period_of(row, reading.question, step) for row in trend.rows]
