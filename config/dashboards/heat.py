"""When usage happens: requests by hour and weekday, as a map of heat."""

from dataclasses import dataclass
from datetime import timedelta

from config.dashboards.reading import Reading
from usage.formats import money, quantity
from usage.selectors.patterns import by_hour_of_week
from usage.selectors.questions import Granularity, UsageSums
from usage.selectors.sums import known_cost

LONGEST_DAYS = 92
"""Hours are summed for at most so many days: those of years take longer than a page should."""
LEVELS = 5
WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


@dataclass(frozen=True, slots=True)
class HeatCell:
    """One hour of the week; `level` is 0 for none up to LEVELS for the busiest, by requests."""

    title: str
    events: int
    level: int


@dataclass(frozen=True, slots=True)
class Heat:
    """Seven weekdays, Monday first, each with its 24 hours.

    `note` says what the cells count and in which zone, and where they leave days of the range
    out; `busiest` is the hour with most requests, "" without any.
    """

    rows: list[tuple[str, list[HeatCell]]]
    hours: list[str]
    note: str
    busiest: str


def read_heat(reading: Reading) -> Heat:
    """Read the map of a question, of its last LONGEST_DAYS where it is longer."""
    question = reading.question
    start = max(question.first, question.end - timedelta(days=LONGEST_DAYS))
    hours = reading.query(bounds=(start, question.end), granularity=Granularity.HOUR)
    week = by_hour_of_week(hours)
    most = max(sums.events for day in week for sums in day)
    rows = [
        (name, [_cell(f"{name} {hour:02}:00", sums, most, question.currency)
                for hour, sums in enumerate(day)])
        for name, day in zip(WEEKDAYS, week, strict=True)
    ]  # fmt: skip
    cells = [cell for _, day in rows for cell in day]
    note = f"requests per hour, {question.zone.key}"
    if start > question.first:
        note += f", last {LONGEST_DAYS} days"
    busiest = next((cell.title for cell in cells if most and cell.events == most), "")
    return Heat(rows, [f"{hour:02}" for hour in range(len(week[0]))], note, busiest)


def _cell(label: str, sums: UsageSums, most: int, currency: str) -> HeatCell:
    cost = known_cost(sums)
    spent = money(cost, currency)
    if cost is not None and sums.unpriced_events:
        spent += f", {quantity(sums.unpriced_events)} unpriced"
    noun = "request" if sums.events == 1 else "requests"
    title = f"{label}: {quantity(sums.events)} {noun}, {spent}"
    # Rounded up, so that an hour with any request is told apart from one without.
    return HeatCell(title, sums.events, -(-sums.events * LEVELS // most) if most else 0)
