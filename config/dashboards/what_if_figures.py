"""The figures of the what-if page: four cards, and the calls of each day as a chart."""

from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from budgets.replay.findings import Findings, Moment, Tally
from config.dashboards.cards import Card
from config.dashboards.links import events_url
from config.dashboards.page import Drawn
from config.dashboards.plot_periods import Period
from config.dashboards.plots import Figure, Plot, PlotKind, Series, Unit
from config.dashboards.question import Question
from config.dashboards.views import PlotView
from usage.formats import day, money, percent, quantity, share
from usage.selectors.currency import ledger_currency
from usage.selectors.questions import Granularity, UsageSums
from usage.selectors.sums import total_of

NAME = "tried"
WARNED, BLOCKED = 7, 8
"""Their colours: those of budgets near their limit and over it."""
_SERIES = (("allowed", 1), ("warned", WARNED), ("blocked", BLOCKED))


class TriedPlotView(PlotView):
    """The numbers of a chart that is there already."""

    def __init__(self, question: Question, plot: Plot) -> None:
        super().__init__()
        self.answer = question, plot

    def as_text(self) -> str:
        """The numbers as JSON."""
        return str(self.render_to_response(self.get_context_data()).content.decode())


def cards_of(found: Findings, question: Question) -> list[Card]:
    """How many calls asked, were warned about and blocked, and what was not spent."""
    total = found.total
    actual = total.spent + total.prevented
    zone = ZoneInfo(found.zone)
    return [
        Card("Calls", quantity(total.calls), "", _spent_text(total, actual), "",
             url=events_url(question)),
        _answered("Would be warned", total.warned, total.calls, found.warned, zone),
        _answered("Would be blocked", total.blocked, total.calls, found.blocked, zone),
        Card("Spend prevented", _money(total.prevented), f"{total.prevented:f}",
             f"{percent(share(total.prevented, actual), 1)} of {_money(actual)}", ""),
    ]  # fmt: skip


def draw_days(found: Findings, question: Question) -> Drawn:
    """The calls of each day by how they would have been answered, with the numbers at hand."""
    days = list(found.days.items())
    series = [
        Series(name, colour, [_count(tally, name) for _, tally in days], {})
        for name, colour in _SERIES
    ]
    plot = Plot(
        NAME, "Calls per day", PlotKind.BARS, Unit.COUNT, "events", Granularity.DAY,
        [_period(first, tally) for first, tally in days],
        [each for each in series if any(each.values)],
        _sums(found.total),
    )  # fmt: skip
    return Drawn(
        plot,
        "",
        "",
        [(*row, events_url(question, **row[0].parameters)) for row in plot.rows()],
        [],
        TriedPlotView(question, plot).as_text(),
    )


def moment_text(at: datetime | None, zone: ZoneInfo) -> str:
    """A time as clocks of the zone show it, such as 8 Oct 12:00; "" for none."""
    if at is None:
        return ""
    local = at.astimezone(zone)
    return f"{day(local)} {local:%H:%M}"


def _answered(label: str, count: int, calls: int, first: Moment | None, zone: ZoneInfo) -> Card:
    context = "none of them"
    if first is not None:
        since = moment_text(first.at, zone)
        context = f"{percent(share(count, calls), 1)} of them, the first on {since}"
    return Card(label, quantity(count), "", context, "")


def _spent_text(total: Tally, actual: Decimal) -> str:
    unpriced = f", {quantity(total.unpriced)} without a price" if total.unpriced else ""
    return f"cost {_money(actual)}{unpriced}"


def _count(tally: Tally, name: str) -> Figure:
    found: int = getattr(tally, name)
    return found


def _period(first: date, tally: Tally) -> Period:
    title = f"{first:%a} {day(first)} {first.year}"
    return Period(day(first), title, first, first, _sums(tally))


def _sums(tally: Tally) -> UsageSums:
    return replace(
        total_of(()), events=tally.calls, unpriced_events=tally.unpriced, cost=tally.spent
    )


def _money(amount: Decimal) -> str:
    return money(amount, ledger_currency())
