"""The four figures at the top of the overview."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from config.dashboards.question import Question
from config.dashboards.reading import Reading
from usage.formats import compact, money, percent, quantity, share
from usage.selectors.questions import Granularity, UsageSums

WIDTH, HEIGHT = 120, 32


@dataclass(frozen=True, slots=True)
class Card:
    """One figure. `exact` is the full number for a pointer, `points` an SVG line.

    `unpriced` counts events that the figure leaves out.
    """

    label: str
    value: str
    exact: str
    context: str
    points: str
    unpriced: int = 0


def read_cards(reading: Reading) -> list[Card]:
    """Read the cards of a question."""
    question = reading.question
    fine = Granularity.HOUR if Granularity.HOUR in question.steps else Granularity.DAY
    trend = reading.trend(fine)
    now, before = trend.totals, reading.before()
    span = _span(question)

    def line(value_of: Callable[[UsageSums], Decimal | int]) -> str:
        return sparkline([value_of(row.sums) for row in trend.rows])

    currency = question.currency
    cached = percent(share(now.cache_read_tokens, now.input_tokens))
    failed = percent(share(now.errors, now.events), 1)
    return [
        Card(
            "Spend (estimated)",
            money(now.cost, currency),
            f"{now.cost:f} {currency}",
            change(now.cost, before.cost if before else None, span),
            line(lambda sums: sums.cost),
            now.unpriced_events,
        ),
        Card(
            "Tokens",
            compact(now.total_tokens),
            quantity(now.total_tokens),
            f"{cached} of input from cache",
            line(lambda sums: sums.total_tokens),
        ),
        Card(
            "Requests",
            quantity(now.events),
            quantity(now.events),
            change(now.events, before.events if before else None, span),
            line(lambda sums: sums.events),
        ),
        Card(
            "Errors",
            quantity(now.errors),
            quantity(now.errors),
            f"{failed} of requests failed",
            line(lambda sums: sums.errors),
        ),
    ]


def change(now: Decimal | int, before: Decimal | int | None, span: str) -> str:
    """How a figure compares with the period before, in words; None has no exchange rate."""
    if before is None:
        return f"no exchange rate for the {span} before"
    if not before:
        return f"none in the {span} before" if now else f"none in the {span} before either"
    difference = share(now - before, before) or Decimal(0)
    if not difference:
        return f"same as the {span} before"
    arrow = "▲" if difference > 0 else "▼"
    return f"{arrow} {percent(abs(difference), 1)} on the {span} before"


def sparkline(values: Sequence[Decimal | int]) -> str:
    """The points of an SVG line of `values` from zero to their largest, oldest first."""
    if len(values) < 2:
        return ""
    top = Decimal(max(values)) or Decimal(1)
    points = []
    for i, value in enumerate(values):
        x = Decimal(WIDTH * i) / (len(values) - 1)
        y = HEIGHT - 2 - (HEIGHT - 4) * Decimal(value) / top
        points.append(f"{x:.1f},{y:.1f}")
    return " ".join(points)


def _span(question: Question) -> str:
    if question.is_today:
        return "same hours of the day"
    return "day" if question.days == 1 else f"{question.days} days"
