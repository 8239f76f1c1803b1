"""The options that subcommands of `cost` share, and what they mean together."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Annotated, TypeVar

from typer import BadParameter, Option

from usage.reports.periods import (
    Period,
    between,
    last_days,
    month_of,
    one_day,
    read_day,
    read_month,
    week_of,
)
from usage.reports.plan_windows import check_window
from usage.reports.scope import Scope, open_scope

T = TypeVar("T")


class Format(StrEnum):
    """How a report is printed."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"
    SUMMARY = "summary"


def _told(read: Callable[[str], T]) -> Callable[[str], T]:
    """A parser whose ValueErrors tell what is wrong."""

    def parse(text: str) -> T:
        try:
            return read(text)
        except ValueError as error:
            raise BadParameter(str(error)) from error

    return parse


def _read_amount(text: str) -> Decimal:
    try:
        amount = Decimal(text)
    except InvalidOperation:
        amount = Decimal("NaN")
    if amount.is_finite() and 0 <= amount < 10**15:
        return amount
    raise ValueError(f"{text!r} is no amount such as 200 or 199.50")


parse_day = _told(read_day)
parse_month = _told(read_month)
parse_amount = _told(_read_amount)
parse_window = _told(check_window)

FormatOption = Annotated[
    Format, Option("--format", help="table, json, csv, or summary: totals only")
]
Month = Annotated[
    Period | None, Option("--month", metavar="YYYY-MM", parser=parse_month, help="by default this")
]
Limit = Annotated[int, Option("--limit", min=1, max=1000, help="how many of each")]
Amount = Annotated[
    Decimal | None,
    Option(
        "--budget", metavar="AMOUNT", parser=parse_amount, help="what a month may cost, else as set"
    ),
]


@dataclass(frozen=True, slots=True)
class PeriodOptions:
    """Which days are asked for: one of the named periods, or `start` to before `end`."""

    today: Annotated[bool, Option("--today", help="the current day")] = False
    yesterday: Annotated[bool, Option("--yesterday", help="the day before")] = False
    this_week: Annotated[bool, Option("--this-week", help="since Monday")] = False
    this_month: Annotated[bool, Option("--this-month", help="since the first")] = False
    last_30_days: Annotated[bool, Option("--last-30-days", help="today included")] = False
    start: Annotated[
        date | None, Option("--from", metavar="DATE", parser=parse_day, help="first day")
    ] = None
    end: Annotated[
        date | None, Option("--to", metavar="DATE", parser=parse_day, help="exclusive")
    ] = None

    def period(self, today: date, default: Period | None = None) -> Period:
        """The period chosen, else `default`, else the current month. Raises BadParameter when
        two are chosen, and QuestionError when nothing lies in it."""
        named = {
            "--today": (self.today, one_day(today, "Today")),
            "--yesterday": (
                self.yesterday,
                one_day(date.fromordinal(today.toordinal() - 1), "Yesterday"),
            ),
            "--this-week": (self.this_week, week_of(today, "This week")),
            "--this-month": (self.this_month, month_of(today, "This month")),
            "--last-30-days": (self.last_30_days, last_days(today, 30)),
        }
        chosen = {flag: period for flag, (is_on, period) in named.items() if is_on}
        if self.start or self.end:
            chosen["--from and --to"] = between(self.start, self.end, today)
        if len(chosen) > 1:
            raise BadParameter(f"{', '.join(chosen)} cannot be given together")
        return next(iter(chosen.values()), default or month_of(today, "This month"))


@dataclass(frozen=True, slots=True)
class ScopeOptions:
    """Whose usage, and in which zone days begin."""

    organization: Annotated[
        list[str], Option("--organization", metavar="SLUG", help="only this one; repeatable")
    ] = ()  # type: ignore[assignment] # a list would be shared
    timezone: Annotated[str, Option("--timezone", metavar="ZONE", help="such as Europe/Rome")] = ""

    def scope(self, currency: str = "") -> Scope:
        """The scope chosen. Raises UnknownOrganizationError and QuestionError."""
        return open_scope(self.organization, time_zone=self.timezone, currency=currency)


@dataclass(frozen=True, slots=True)
class MoneyOptions:
    """What costs are shown in."""

    currency: Annotated[
        str, Option("--currency", metavar="CODE", help="shown by each day's exchange rate")
    ] = ""
