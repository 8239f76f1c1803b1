"""How spend went day by day, week by week or month by month."""

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from usage.formats import UNKNOWN, percent, share, signed_money
from usage.reports.documents import ESTIMATE, Document, Fact, Facts, Kind, unpriced_note
from usage.reports.hours import bar_sheet
from usage.reports.periods import Period, last_days
from usage.reports.scope import Scope
from usage.selectors.periods import first_of_period
from usage.selectors.questions import Granularity, UsageSums

SHOWN_DAYS, SHOWN = 30, 12

_PEAKS = {Granularity.DAY: "on", Granularity.WEEK: "week from", Granularity.MONTH: "month from"}
_HEADINGS = {Granularity.DAY: "day", Granularity.WEEK: "week from", Granularity.MONTH: "month from"}


@dataclass(frozen=True, slots=True)
class Trend:
    """The sums of consecutive periods, oldest first, and of the time of equal length before."""

    points: list[tuple[date, UsageSums]]
    totals: UsageSums
    before: UsageSums

    @property
    def peak(self) -> tuple[date, Decimal] | None:
        """The dearest period, the first of several; None where nothing was spent."""
        dearest = max(self.points, key=lambda point: point[1].cost, default=None)
        return (dearest[0], dearest[1].cost) if dearest and dearest[1].cost else None

    @property
    def average(self) -> Decimal:
        """What a period cost on average, those without usage included."""
        return self.totals.cost / len(self.points) if self.points else Decimal(0)

    @property
    def change(self) -> Decimal:
        """How much more than before was spent."""
        return self.totals.cost - self.before.cost


def read_trend(scope: Scope, period: Period, granularity: Granularity) -> Trend:
    """The trend of a period. Raises QuestionError."""
    answer = scope.ask(period, granularity=granularity)
    points = [(row.start, row.sums) for row in answer.rows]
    return Trend(points, answer.totals, scope.ask(period.before).totals)


def trend_document(scope: Scope, period: Period, granularity: Granularity) -> Document:
    """A trend with its bars. Raises QuestionError."""
    trend = read_trend(scope, period, granularity)
    sheet = bar_sheet(f"by_{granularity}", "", _HEADINGS[granularity], trend.points)
    before = period.before
    changed = share(trend.change, trend.before.cost)
    totals = trend.totals
    facts = (
        Fact("total", "Total cost", Kind.MONEY, totals.cost, note=unpriced_note(totals)),
        Fact("average", f"Average a {granularity}", Kind.MONEY, trend.average),
        Fact("peak", "Peak", Kind.MONEY, trend.peak[1],
             note=f"{_PEAKS[granularity]} {trend.peak[0]}")
        if trend.peak
        else Fact("peak", "Peak", Kind.MONEY, Decimal(0)),
        Fact(
            "before", "Before", Kind.MONEY, trend.before.cost,
            note=before.title,
        ),
        Fact("change", "", Kind.MONEY, trend.change, people=False),
        Fact("change_percent", "", Kind.PERCENT, changed, people=False),
        Fact("change_shown", "Change", Kind.TEXT, _change(trend.change, changed, scope.currency),
             data=False),
    )  # fmt: skip
    return Document(
        title=f"Spend by {granularity}: {period.title}",
        currency=scope.currency,
        parts=(Facts(facts), sheet),
        notes=(ESTIMATE,),
        subtitle=scope.words,
    )


def _change(change: Decimal, changed: Decimal | None, currency: str) -> str:
    shown = signed_money(change, currency)
    if changed is None:
        return f"{shown} ({UNKNOWN})"
    return f"{shown} ({'+' if changed > 0 else ''}{percent(changed)})"


def default_period(today: date, granularity: Granularity) -> Period:
    """The last thirty days, or twelve weeks or months, up to and with `today`."""
    if granularity is Granularity.DAY:
        return last_days(today, SHOWN_DAYS)
    start = first_of_period(today, granularity)
    for _ in range(SHOWN - 1):
        start = first_of_period(start - timedelta(days=1), granularity)
    return Period(start, today + timedelta(days=1), f"Last {SHOWN} {granularity}s")
