"""The four figures at the top of a page."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal

from config.dashboards.links import day_parts, events_url
from config.dashboards.periods_card import PresentPeriod
from config.dashboards.question import MONTHS, Question
from config.dashboards.reading import Reading
from usage.formats import compact, money, percent, quantity, share
from usage.selectors.questions import Granularity, UsageSums
from usage.selectors.sums import known_cost

WIDTH, HEIGHT = 120, 32


@dataclass(frozen=True, slots=True)
class CardLine:
    """A card's figure in one of the present periods; `against` says what it is compared with.

    `url` leads to the events behind it.
    """

    label: str
    value: str
    exact: str
    change: str
    against: str
    partial: bool
    url: str


@dataclass(frozen=True, slots=True)
class Card:
    """One figure. `exact` is the full number for a pointer, `points` an SVG line.

    `unpriced` counts events that the figure leaves out; `action` is the name and the address of
    what to do about it, `url` leads to the events behind the figure.
    """

    label: str
    value: str
    exact: str
    context: str
    points: str
    unpriced: int = 0
    lines: Sequence[CardLine] = ()
    action: tuple[str, str] | None = None
    url: str = ""


@dataclass(frozen=True, slots=True)
class _Measure:
    """What a card counts, and how it writes it in short and in full.

    `only` is what the event list must be asked for beside the days.
    """

    label: str
    value_of: Callable[[UsageSums], Decimal | int]
    short: Callable[[UsageSums], str]
    full: Callable[[UsageSums], str]
    leaves_out_unpriced: bool = False
    only: Mapping[str, str] = field(default_factory=dict)


def read_cards(reading: Reading, periods: Sequence[PresentPeriod] = ()) -> list[Card]:
    """Read the cards of a question: spend, tokens, requests and errors of its range.

    With `periods` (see `read_periods`) each has their figures too.
    """
    question = reading.question
    fine = Granularity.HOUR if Granularity.HOUR in question.steps else Granularity.DAY
    trend = reading.trend(fine)
    now, before = trend.totals, reading.before()
    span = _span(question)
    cached = share(now.cache_read_tokens, now.input_tokens)
    failed = share(now.errors, now.events)
    contexts = (
        _spend_change(now, before, span),
        "no input" if cached is None else f"{percent(cached)} of input from cache",
        change(now.events, before.events if before else None, span),
        "no requests" if failed is None else f"{percent(failed, 1)} of requests failed",
    )
    return [
        Card(
            measure.label,
            measure.short(now),
            measure.full(now),
            context,
            sparkline([measure.value_of(row.sums) for row in trend.rows]),
            now.unpriced_events if measure.leaves_out_unpriced else 0,
            [_line(question, measure, period) for period in periods],
            url=events_url(question, **measure.only),
        )
        for measure, context in zip(_measures(question.currency), contexts, strict=True)
    ]


def _spend_change(now: UsageSums, before: UsageSums | None, span: str) -> str:
    if now.events and known_cost(now) is None:
        return "no price is known for any of it"
    if before and before.events and known_cost(before) is None:
        return f"unpriced in the {span} before"
    return change(now.cost, before.cost if before else None, span)


def _measures(currency: str) -> tuple[_Measure, ...]:
    spend = _Measure(
        "Spend (estimated)",
        lambda sums: sums.cost,
        lambda sums: money(known_cost(sums), currency),
        lambda sums: f"{sums.cost:f} {currency}",
        leaves_out_unpriced=True,
    )
    return (
        spend,
        _counted("Tokens", lambda sums: sums.total_tokens, compact),
        _counted("Requests", lambda sums: sums.events),
        replace(_counted("Errors", lambda sums: sums.errors), only={"status": "error"}),
    )


def _counted(
    label: str, value_of: Callable[[UsageSums], int], shorten: Callable[[int], str] = quantity
) -> _Measure:
    return _Measure(
        label,
        value_of,
        lambda sums: shorten(value_of(sums)),
        lambda sums: quantity(value_of(sums)),
    )


def _line(question: Question, measure: _Measure, period: PresentPeriod) -> CardLine:
    now, before = measure.value_of(period.now), measure.value_of(period.before)
    is_known = not measure.leaves_out_unpriced or priced(period.now, period.before)
    return CardLine(
        period.label,
        measure.short(period.now),
        measure.full(period.now),
        moved(now, before) if is_known and (now or before) else "",
        period.against,
        measure.leaves_out_unpriced and 0 < period.now.unpriced_events < period.now.events,
        events_url(question, **day_parts(period.first, question.today), **measure.only),
    )


def change(now: Decimal | int, before: Decimal | int | None, span: str) -> str:
    """How a figure compares with the period before, in words; None has no exchange rate."""
    if before is None:
        return f"no exchange rate for the {span} before"
    if not before:
        return f"none in the {span} before" if now else f"none in the {span} before either"
    if now == before:
        return f"same as the {span} before"
    return f"{moved(now, before, 1)} on the {span} before"


def moved(now: Decimal | int, before: Decimal | int, places: int = 0) -> str:
    """How far a figure has gone from an earlier one, such as ▲ 12 %; from nothing it is new."""
    if not before:
        return "new"
    if now == before:
        return "same"
    arrow = "▲" if now > before else "▼"
    return f"{arrow} {percent(share(abs(Decimal(now) - Decimal(before)), before), places)}"


def priced(*sums: UsageSums) -> bool:
    """Whether the costs of each are known, at least in part, so that they can be compared."""
    return all(known_cost(each) is not None for each in sums)


def sparkline(values: Sequence[Decimal | int]) -> str:
    """The points of an SVG line of `values` from zero to their largest, oldest first.

    What is below zero lies on the line of zero.
    """
    if len(values) < 2:
        return ""
    top = Decimal(max(*values, 0)) or Decimal(1)
    points = []
    for i, value in enumerate(values):
        x = Decimal(WIDTH * i) / (len(values) - 1)
        y = HEIGHT - 2 - (HEIGHT - 4) * max(Decimal(value), Decimal(0)) / top
        points.append(f"{x:.1f},{y:.1f}")
    return " ".join(points)


def _span(question: Question) -> str:
    if question.is_today:
        return "same hours of the day"
    if question.range in MONTHS:
        return "month" if question.range == "last-month" else "same days of the month"
    return "day" if question.days == 1 else f"{question.days} days"
