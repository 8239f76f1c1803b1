"""Bringing bills up to date and comparing them with what was recorded, in one go."""

import logging
from collections.abc import Sequence
from datetime import date, datetime

from django.template.defaultfilters import pluralize

from usage.bills.calling import Patience
from usage.bills.fetching import fetch_bills, fetch_source
from usage.bills.files import BillFile, FileResult, import_files
from usage.bills.storing import Stored
from usage.formats import day, quantity
from usage.models import BillSource
from usage.reconciling.working import reconcile_source

_LOG = logging.getLogger(__name__)


def update_bills(now: datetime) -> None:
    """Fetch every bill that is fetched regularly, and compare all bills anew as of `now`, aware:
    what was recorded may have changed, too."""
    fetch_bills(now)
    for source in BillSource.objects.filter(organization__archived_at=None):
        try:
            reconcile_source(source, now)
        except Exception:  # noqa: BLE001 - one bill must not hold up the others
            _LOG.exception("Provider bill %s is not compared", source.pk)


def update_bill(source: BillSource, now: datetime, seconds: float) -> Stored:
    """Fetch one bill in at most about so many seconds, and compare it; goes on where it ends the
    next time. Raises BillFault and Busy as `fetch_source` does."""
    result = fetch_source(source, now, Patience.of(seconds))
    reconcile_source(source, now)
    return result


def take_files(source: BillSource, files: Sequence[BillFile], now: datetime) -> FileResult:
    """Store what files say of days that are over, and compare. Raises BillFault."""
    result = import_files(source, files, now)
    reconcile_source(source, now)
    return result


def told(stored: Stored) -> str:
    """What came of reading a bill, in a sentence."""
    if not stored.changed:
        return f"{_days(len(stored.same))} read, nothing has changed."
    same = f", {_days(len(stored.same))} as before" if stored.same else ""
    lines = f"{quantity(stored.lines)} line{pluralize(stored.lines)}"
    return f"{_days(len(stored.changed))} with {lines} stored{same}."


def told_files(result: FileResult) -> str:
    """What came of files, in sentences."""
    parts = [told(result.stored)]
    if result.unfinished:
        parts.append(f"Not over yet and left out: {_listed(sorted(result.unfinished))}.")
    if result.empty:
        parts.append(f"Without any line: {', '.join(result.empty)}.")
    return " ".join(parts)


def _days(count: int) -> str:
    return f"{quantity(count)} day{pluralize(count)}"


def _listed(days: Sequence[date]) -> str:
    return ", ".join(map(day, days))
