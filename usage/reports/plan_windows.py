"""The windows that a subscription plan counts its messages in."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from usage.reports.periods import month_of, one_day, week_of
from usage.selectors.periods import midnight

_HOURS = re.compile(r"([1-9]\d{0,2})h\Z")
_CALENDAR = {"day": one_day, "week": week_of, "month": month_of}
_LOOK_BACK = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class Window:
    """`start` inclusive, `end` exclusive, aware; at `end` the count begins anew. A window that
    no call has opened yet has no `start`, and nothing counts."""

    start: datetime | None
    end: datetime | None


FirstCall = Callable[[datetime, datetime], datetime | None]
"""The first call from an instant to before another."""


def check_window(text: str) -> str:
    """`text` if it is a window: hours such as `5h`, or `day`, `week` or `month`. Raises
    ValueError if not."""
    if text in _CALENDAR or _HOURS.match(text):
        return text
    raise ValueError(f"{text!r} is no window such as 5h, day, week or month")


def current_window(text: str, now: datetime, time_zone: str, first_call: FirstCall) -> Window:
    """The window that `now` (aware) lies in.

    Days, weeks and months begin at midnight of the zone. A window of hours begins with the first
    call after the window before ended; the last two weeks tell which calls those were.
    """
    if text in _CALENDAR:
        zone = ZoneInfo(time_zone)
        today: date = now.astimezone(zone).date()
        period = _CALENDAR[text](today)
        return Window(midnight(period.start, zone), midnight(period.end, zone))
    match = _HOURS.match(text)
    length = timedelta(hours=int(match[1]) if match else 0)
    start = first_call(now - max(_LOOK_BACK, 2 * length), now + timedelta(seconds=1))
    while start is not None and start + length <= now:
        start = first_call(start + length, now + timedelta(seconds=1))
    return Window(start, start + length if start else None)
