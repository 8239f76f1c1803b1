"""Monthly partitions of the event table, made ahead by beat and on demand by ingest."""

from collections.abc import Iterable
from datetime import UTC, date, datetime

from django.db import connection, transaction

_LOCK = 0x7A11_0001
# Read from the catalogue tables, because to_regclass() may answer from a cache that is older
# than the lock.
_EXISTS = """
    SELECT EXISTS (
        SELECT FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid
        WHERE inhparent = 'usage_usageevent'::regclass AND relname = %s
    )
"""
_known: set[date] = set()


def forget() -> None:
    """Drop what this process remembers of existing partitions."""
    _known.clear()


def month_of(instant: datetime) -> date:
    """The first day of the UTC month an instant lies in."""
    return date(instant.year, instant.month, 1)


def next_month(month: date) -> date:
    """The first day of the following month."""
    return date(month.year + month.month // 12, month.month % 12 + 1, 1)


def partition_name(month: date) -> str:
    """The table that holds the events of `month`."""
    return f"usage_usageevent_{month:%Y_%m}"


def ensure_partitions(months: Iterable[date]) -> list[date]:
    """Make the partitions of `months` that are missing; return those made.

    Must run outside the transaction that stores events: a partition made in a
    transaction that is rolled back would be remembered though it is gone.
    """
    missing = sorted(set(months) - _known)
    made = [month for month in missing if _make(month)]
    _known.update(missing)
    return made


def make_ahead(count: int = 3, now: datetime | None = None) -> list[date]:
    """Make the partitions of this month and the `count` months after it; return those made."""
    month = month_of(now or datetime.now(UTC))
    months = [month]
    for _ in range(count):
        months.append(next_month(months[-1]))
    return ensure_partitions(months)


def _make(month: date) -> bool:
    name = partition_name(month)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_EXISTS, (name,))
        if cursor.fetchone()[0]:
            return False
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
        cursor.execute(_EXISTS, (name,))
        if cursor.fetchone()[0]:
            return False
        # Attached rather than created in place: that waits for no running insert.
        cursor.execute(
            f"CREATE TABLE {name} (LIKE usage_usageevent INCLUDING DEFAULTS INCLUDING CONSTRAINTS)"
        )
        cursor.execute(
            f"ALTER TABLE usage_usageevent ATTACH PARTITION {name}"
            f" FOR VALUES FROM ('{month}T00:00:00Z') TO ('{next_month(month)}T00:00:00Z')"
        )
    return True
