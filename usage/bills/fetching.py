"""Bringing bills up to date from the providers' APIs.

Only finished UTC days are read. The last of them are read again each time, since providers
correct what they said.
"""

import logging
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

from django.db.models import F, Q

from usage.bills.calling import Patience
from usage.bills.keys import key_of
from usage.bills.naming import name_projects
from usage.bills.reports import MOST_DAYS, PROVIDERS, read_reports
from usage.bills.storing import Stored, store_readings
from usage.bills.values import BillFault
from usage.models import BillSource

_LOG = logging.getLogger(__name__)

CORRECTED_DAYS = 3
"""How many of the days fetched last are fetched again, since providers correct them."""
SECONDS = 900.0
"""How long a regular run may take for one source."""
_SLACK = timedelta(minutes=5)
"""What a request under way may take beyond its time."""
_DAY = timedelta(days=1)


class Busy(Exception):
    """Another process fetches the source right now."""


def fetch_bills(now: datetime) -> dict[int, Stored]:
    """Bring all sources that are fetched regularly up to date; what came of it by their ids.

    One that fails, which is told on it, or that another process fetches, is left out. Safe at
    any time and any number of times at once.
    """
    results = {}
    regular = BillSource.objects.filter(enabled=True, organization__archived_at=None)
    for source in regular.exclude(kind=BillSource.Kind.FILE):
        try:
            results[source.pk] = fetch_source(source, now, Patience.of(SECONDS))
        except (BillFault, Busy):
            continue
        except Exception:  # noqa: BLE001 - one bill must not hold up the others
            _LOG.exception("Provider bill %s is not fetched", source.pk)
    return results


def fetch_source(source: BillSource, now: datetime, patience: Patience) -> Stored:
    """Read what is missing up to the day before `now`, aware, oldest days first.

    What was read before a fault stays, and the next run goes on from there. Raises BillFault,
    which the source keeps, and Busy.
    """
    _take(source, now, patience)
    result = Stored()
    try:
        key = key_of(source)
        for days in windows(source, now):
            result += store_readings(source, read_reports(source, key, days, patience))
            _advance(source, days[1])
            if patience.left < 0:
                break
        name_projects(source, key, patience)
    except BillFault as fault:
        _end(source, now, str(fault))
        raise
    except BaseException as error:
        _end(source, now, f"It ended by {type(error).__name__}; the log tells more.")
        raise
    _end(source, now, "")
    return result


def windows(source: BillSource, now: datetime) -> Iterator[tuple[date, date]]:
    """The days to fetch, first and last included, so many at once as one request may ask for."""
    if source.kind == BillSource.Kind.FILE:
        raise BillFault("Only files are read here: there is nothing to fetch from.")
    last = now.astimezone(UTC).date() - _DAY
    first = source.first_day
    if source.fetched_until is not None:
        again = source.fetched_until - (CORRECTED_DAYS - 1) * _DAY
        first = max(first, again)
    reach = PROVIDERS[BillSource.Kind(source.kind)].reach
    if reach is not None:
        first = max(first, last - (reach - 1) * _DAY)
    while first <= last:
        end = min(first + (MOST_DAYS - 1) * _DAY, last)
        yield first, end
        first = end + _DAY


def _take(source: BillSource, now: datetime, patience: Patience) -> None:
    """Have the source to itself; a process that dies loses it after its time is over."""
    free = BillSource.objects.filter(Q(busy_until=None) | Q(busy_until__lt=now), pk=source.pk)
    until = now + timedelta(seconds=patience.left) + _SLACK
    if not free.update(busy_until=until, last_try=now):
        raise Busy
    source.refresh_from_db()


def _advance(source: BillSource, day: date) -> None:
    reached = BillSource.objects.filter(pk=source.pk)
    reached.filter(Q(fetched_until=None) | Q(fetched_until__lt=day)).update(fetched_until=day)


def _end(source: BillSource, now: datetime, fault: str) -> None:
    """Let go of the source, and keep what came of it."""
    row = BillSource.objects.filter(pk=source.pk)
    if fault:
        row.filter(failing_since=None).update(failing_since=now)
        row.update(busy_until=None, fault=fault)
    else:
        row.update(busy_until=None, fault="", failing_since=None, worked_at=F("last_try"))
    source.refresh_from_db()
