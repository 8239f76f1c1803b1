"""What a window comes to when the rest of its period is like what has passed of it."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import NamedTuple
from zoneinfo import ZoneInfo

from budgets.spans import Span
from usage.forecasting import projected_total, run_rate

_HOUR = timedelta(hours=1)
_SHORT = timedelta(hours=48)


class Pace(NamedTuple):
    """How fast a window is used: so many days, or hours of a single day, are `gone`, the present
    one being one of these, and `left` after it; each of those gone used `rate` on average."""

    gone: int
    left: int
    rate: Decimal
    is_hourly: bool


def pace_of(used: Decimal, span: Span, zone: ZoneInfo, now: datetime) -> Pace | None:
    """How fast a span of days of `zone` is used; None for ever, and unless it goes on at `now`."""
    if span.end is None or not span.contains(now):
        return None
    is_hourly = span.end - span.start < _SHORT
    if is_hourly:
        gone = (now - span.start) // _HOUR + 1
        left = max((span.end - span.start) // _HOUR - gone, 0)
    else:
        today = now.astimezone(zone).date()
        gone = (today - span.start.astimezone(zone).date()).days + 1
        left = (span.end.astimezone(zone).date() - today).days - 1
    rate = run_rate(used, gone)
    return None if rate is None else Pace(gone, left, rate, is_hourly)


def at_pace(used: Decimal, span: Span, zone: ZoneInfo, now: datetime) -> Decimal | None:
    """What is used at the end of a span of days of `zone` if every day left is like those gone,
    today being one of these; of a single day, by its hours. None for ever and before it begins.
    """
    if span.end is not None and now >= span.end:
        return used
    pace = pace_of(used, span, zone, now)
    return None if pace is None else projected_total(used, pace.rate, pace.left)
