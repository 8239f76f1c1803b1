"""The periods that reports are asked for: whole local days, the start inclusive, the end not."""

import re
from dataclasses import dataclass
from datetime import date, timedelta

from usage.formats import dated
from usage.ingest.partitions import next_month
from usage.selectors.periods import first_of_period
from usage.selectors.questions import Granularity, QuestionError

_MONTH = re.compile(r"(\d{4})-(\d{2})\Z")


@dataclass(frozen=True, slots=True)
class Period:
    """`start` inclusive, `end` exclusive, days of the report's zone; `name` says which period."""

    start: date
    end: date
    name: str = ""

    @property
    def length(self) -> int:
        """How many days it has."""
        return (self.end - self.start).days

    @property
    def title(self) -> str:
        """Such as `This month, 1 to 30 Nov 2026`, with a dash between the days."""
        last = self.end - timedelta(days=1)
        shown = dated(self.start, last)
        return f"{self.name}, {shown}" if self.name else shown

    @property
    def before(self) -> "Period":
        """The period of equal length before; before a whole month, the month before."""
        if self.start.day == 1 and self.end == next_month(self.start):
            return month_of(self.start - timedelta(days=1))
        return Period(self.start - timedelta(days=self.length), self.start)


def one_day(on: date, name: str = "") -> Period:
    """The day itself."""
    return Period(on, on + timedelta(days=1), name)


def week_of(on: date, name: str = "") -> Period:
    """Monday to Sunday."""
    start = first_of_period(on, Granularity.WEEK)
    return Period(start, start + timedelta(days=7), name)


def month_of(on: date, name: str = "") -> Period:
    """The calendar month that holds `on`."""
    start = on.replace(day=1)
    return Period(start, next_month(start), name)


def last_days(on: date, count: int) -> Period:
    """`count` days, of which `on` is the last."""
    end = on + timedelta(days=1)
    return Period(end - timedelta(days=count), end, f"Last {count} days")


def between(start: date | None, end: date | None, today: date) -> Period:
    """From `start` to before `end`; by default from 30 days earlier, or up to and with today.

    Raises QuestionError where nothing lies between.
    """
    end = end or today + timedelta(days=1)
    start = start or end - timedelta(days=30)
    if start >= end:
        raise QuestionError("to", "empty_range", "--to must come after --from; it is exclusive.")
    return Period(start, end)


def read_day(text: str) -> date:
    """A day written YYYY-MM-DD. Raises ValueError saying so."""
    try:
        if len(text) == len("2026-11-01"):
            return date.fromisoformat(text)
    except ValueError:
        pass
    raise ValueError(f"{text!r} is no date such as 2026-11-01")


def read_month(text: str) -> Period:
    """A month written YYYY-MM. Raises ValueError saying so."""
    if (match := _MONTH.match(text)) and 1 <= int(match[2]) <= 12 and int(match[1]):
        first = date(int(match[1]), int(match[2]), 1)
        return month_of(first, f"{first:%B}")
    raise ValueError(f"{text!r} is no month such as 2026-11")


def read_period(text: str) -> Period | None:
    """A month, or days written 2026-11-01..2026-11-15, the end exclusive; None for neither.

    Raises QuestionError for a period without days.
    """
    try:
        if ".." not in text:
            return read_month(text)
        start, end = text.split("..", 1)
        return between(read_day(start), read_day(end), date.min)
    except ValueError as error:
        if isinstance(error, QuestionError):
            raise
        return None
