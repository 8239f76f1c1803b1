"""What a window comes to when the rest of its period is like what has passed of it."""

from datetime import datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from budgets.spans import Span
from usage.forecasting import projected_total, run_rate

_HOUR = timedelta(hours=1)
_SHORT = timedelta(hours=48)


def at_pace(used: Decimal, span: Span, zone: ZoneInfo, now: datetime) -> Decimal | None:
    """What is used at the end of a span of days of `zone` if every day left is like those gone,
    today being one of these; of a single day, by its hours. None for ever and before it begins.
    """
    if span.end is None or now < span.start:
        return None
    if now >= span.end:
        return used
    if span.end - span.start < _SHORT:
        gone, left = (now - span.start) // _HOUR + 1, (span.end - now) // _HOUR
    else:
        today = now.astimezone(zone).date()
        gone = (today - span.start.astimezone(zone).date()).days + 1
        left = (span.end.astimezone(zone).date() - today).days - 1
    rate = run_rate(used, gone)
    return None if rate is None else projected_total(used, rate, left)
