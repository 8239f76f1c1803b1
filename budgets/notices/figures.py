"""The window that an alert is about, as it stands when it is told: figures that add up."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import ROUND_CEILING, Decimal
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from budgets.models import Alert, Budget, BudgetWindow
from budgets.notices.facts import amount_of, count_of
from budgets.selectors.history import zone_of
from budgets.selectors.pace import Pace, pace_of
from budgets.selectors.scopes import name_members
from budgets.selectors.standings import FULL, BudgetState
from budgets.spans import BEGINNING, Span
from usage.forecasting import projected_total
from usage.formats import dated
from usage.selectors.periods import find_zone

_FRESH = timedelta(days=1)
_WINDOW = """
    SELECT w.*, f.expected, f.low, f.high FROM budgets_budgetwindow w
    LEFT JOIN budgets_forecast f ON f.budget_id = w.budget_id AND f.member = w.member
        AND f.start = w.start AND f.made_at > %s
    WHERE w.budget_id = %s AND w.member = %s AND w.start = %s
"""


class Expected(NamedTuple):
    """What a window is expected to come to in the end: four times of five `low` to `high`."""

    expected: Decimal
    low: Decimal
    high: Decimal


@dataclass(frozen=True, slots=True)
class Figures:
    """A window of a budget at `now`, aware: what is used of it, and what it comes to.

    Amounts are in the ledger currency, or tokens or requests. `pace` is None where nothing is to
    be expected of it: a period that never ends, or that is over. `late_at` is when usage of a
    period that was over by then arrived.
    """

    state: BudgetState
    span: Span
    zone: ZoneInfo
    now: datetime
    pace: Pace | None
    forecast: Expected | None = None
    late_at: datetime | None = None

    @property
    def budget(self) -> Budget:
        """Whose window it is."""
        return self.state.budget

    @property
    def has_ended(self) -> bool:
        """Whether its period is over."""
        return self.span.end is not None and self.span.end <= self.now

    @property
    def taken(self) -> Decimal:
        """What is used and what is held for calls that run."""
        return self.state.used + self.state.reserved

    @property
    def is_used_up(self) -> bool:
        """Whether nothing of its limit is left."""
        return self.state.limit is not None and self.taken >= self.state.limit

    @property
    def projected(self) -> Decimal | None:
        """What is used in the end: what is used now plus the rate times what is left."""
        if self.pace is None:
            return None
        return projected_total(self.state.used, self.pace.rate, self.pace.left)

    @property
    def excess(self) -> Decimal | None:
        """How much more than the limit that is, less than zero where it is within it."""
        if self.projected is None or self.state.limit is None:
            return None
        return self.projected - self.state.limit

    @property
    def cut(self) -> Decimal | None:
        """By how many percent, rounded up, the rate must fall for the rest of the period to fit.

        None where it fits already, or where nothing is left that it could fit into.
        """
        left = self.state.remaining
        if self.pace is None or left is None or left <= 0:
            return None
        ahead = self.pace.rate * self.pace.left
        if ahead <= left:
            return None
        return ((1 - left / ahead) * FULL).quantize(Decimal(1), ROUND_CEILING)

    @property
    def period_text(self) -> str:
        """Its days, such as 1 to 30 Nov 2026."""
        return days_text(self.span, self.zone)

    @property
    def left_text(self) -> str:
        """How much of its period is left, such as 12 days; "" where that is nothing to tell."""
        if self.pace is None:
            return ""
        return counted(self.pace.left, "hour" if self.pace.is_hourly else "day")


def read_figures(alert: Alert, now: datetime) -> Figures | None:
    """The window of a budget's alert at an aware time; None where the alert is of no window.

    Its budget has been read with the parts of its scope. A window that is kept no more is told as
    it was when the alert opened.
    """
    budget = alert.budget
    if budget is None or alert.window_start is None:
        return None
    window = next(iter(_windows_of(alert, now)), None) or _as_it_was(alert, alert.window_start)
    member = (budget.per, alert.member)
    full = budget.organization_id is None
    name = name_members([member], full=full).get(member, "") if budget.per else ""
    found = figures_of(budget, window, name, now, _expected(window, now))
    is_late = window.end is not None and alert.opened_at >= window.end
    return replace(found, late_at=alert.opened_at) if is_late else found


def figures_of(
    budget: Budget,
    window: BudgetWindow,
    member_name: str,
    now: datetime,
    forecast: Expected | None = None,
) -> Figures:
    """A window at an aware time; `member_name` is whose share of the budget it is."""
    zone, span = find_zone(zone_of(budget)), Span(window.start, window.end)
    state = BudgetState(
        budget,
        span.start.astimezone(zone).date(),
        None if span.end is None else span.end.astimezone(zone).date(),
        window.limit,
        window.spent,
        window.unpriced_events,
        None if span.end is None else span.end - now,
        window.reserved,
        window.overage,
        member=window.member,
        member_name=member_name,
        members=1 if budget.per else 0,
    )
    return Figures(state, span, zone, now, pace_of(state.used, span, zone, now), forecast)


def days_text(span: Span, zone: ZoneInfo) -> str:
    """The days of a span, such as 1 to 30 Nov 2026."""
    first = span.start.astimezone(zone).date()
    if span.end is None:
        since = "" if span.start == BEGINNING else f" since {dated(first, first)}"
        return f"All time{since}"
    return dated(first, (span.end - timedelta(microseconds=1)).astimezone(zone).date())


def counted(number: int, unit: str) -> str:
    """Such as 1 day, or 12 days."""
    return f"{number:,} {unit}" if number == 1 else f"{number:,} {unit}s"


def _windows_of(alert: Alert, now: datetime) -> Iterable[BudgetWindow]:
    """The window of an alert, with what beat last reckoned of it, unless that was long ago.

    One statement for both: many alerts may have to be told at once.
    """
    key = (now - _FRESH, alert.budget_id, alert.member, alert.window_start)
    return BudgetWindow.objects.raw(_WINDOW, key)


def _expected(window: BudgetWindow, now: datetime) -> Expected | None:
    """What a window that goes on is expected to come to; None where less than is used already."""
    found: list[Any] = [getattr(window, name, None) for name in Expected._fields]
    if None in found or window.end is None or window.end <= now:
        return None
    forecast = Expected(*found)
    return forecast if forecast.expected > window.spent + window.overage else None


def _as_it_was(alert: Alert, start: datetime) -> BudgetWindow:
    nothing = Decimal(0)
    return BudgetWindow(
        budget=alert.budget,
        member=alert.member,
        start=start,
        end=alert.window_end,
        limit=amount_of(alert.facts, "limit"),
        spent=amount_of(alert.facts, "used") or nothing,
        reserved=amount_of(alert.facts, "reserved") or nothing,
        overage=nothing,
        unpriced_events=count_of(alert.facts, "unpriced_events"),
    )
