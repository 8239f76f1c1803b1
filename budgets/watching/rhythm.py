"""The rhythm of a source that reports usage: when it is awaited, and for how long it may pause."""

from collections import Counter
from collections.abc import Collection, Iterator
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

LEARNT = timedelta(weeks=4)
"""So long before it was last heard the rhythm of a source is learnt."""
GIVEN_UP = timedelta(days=14)
LEAST_SILENCE = timedelta(hours=2)
LEAST_DAYS = 14
LONG = 3
"""So many times its usual gap is a silence."""
USUAL_WEEKS = 2
"""In so many of the weeks an hour of the week is one in which a source is awaited."""

_HOUR = timedelta(hours=1)


def broken_rhythm(
    hours: Collection[datetime], last_at: datetime, zone: ZoneInfo, now: datetime
) -> int | None:
    """The usual gap in hours of a source that has been silent for far longer; None if it has not.

    `hours` are those (UTC) in which it was heard. Only hours of the week in which it usually is
    heard count as silent, so nights and week-ends do not. The usual gap is the second longest of
    the four weeks before it was last heard, so that one failure does not hide the next. Nothing
    is said of sources heard on less than 14 days of these, or that are silent for 14 days.
    """
    if not LEAST_SILENCE <= now - last_at < GIVEN_UP:
        return None
    heard = {hour for hour in hours if hour >= last_at - LEARNT}
    if len({hour.astimezone(zone).date() for hour in heard}) < LEAST_DAYS:
        return None
    *before, silent = _gaps(heard, zone, now)
    usual = 1 + (sorted(before)[-2] if len(before) > 1 else 0)
    return usual if silent > LONG * usual else None


def _gaps(heard: Collection[datetime], zone: ZoneInfo, now: datetime) -> Iterator[int]:
    """In how many hours a source was missed each time it paused; the last one goes on."""
    slots = Counter(_slot(hour, zone) for hour in heard)
    missed, hour = 0, min(heard)
    while hour + _HOUR <= now:
        if hour in heard:
            if missed:
                yield missed
            missed = 0
        elif slots[_slot(hour, zone)] >= USUAL_WEEKS:
            missed += 1
        hour += _HOUR
    yield missed


def _slot(hour: datetime, zone: ZoneInfo) -> tuple[int, int]:
    local = hour.astimezone(zone)
    return local.weekday(), local.hour
