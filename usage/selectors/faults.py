"""What keeps usage from being stored and exported, and bills from being fetched."""

from dataclasses import dataclass
from datetime import date, datetime

from django.db import connection
from django.db.models import Count, Max, Min, QuerySet

from usage.exports.working import MOST_ATTEMPTS
from usage.ingest.partitions import partition_name
from usage.models import BillSource, Export

_PARTITIONS = """
    SELECT relname FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid
    WHERE inhparent = 'usage_usageevent'::regclass
"""


@dataclass(frozen=True, slots=True)
class BrokenExports:
    """Exports whose writing was given up: how many, since when, and why the last one was."""

    count: int
    since: datetime
    error: str


def lacks_partition(month: date) -> bool:
    """Whether events of a UTC month, its first day given, have no table yet; False where events
    have never been stored."""
    with connection.cursor() as cursor:
        cursor.execute(_PARTITIONS)
        names = {name for (name,) in cursor.fetchall()}
    return bool(names) and partition_name(month) not in names


def broken_exports(since: datetime) -> BrokenExports | None:
    """Those given up since an aware time and since the last one that worked; None for none."""
    done = Export.objects.filter(status=Export.Status.DONE, finished_at__gte=since)
    worked = done.aggregate(last=Max("finished_at"))["last"] or since
    broken = Export.objects.filter(
        status=Export.Status.FAILED, attempts__gte=MOST_ATTEMPTS, finished_at__gt=worked
    )
    sums = broken.aggregate(count=Count("pk"), since=Min("finished_at"))
    if not sums["count"]:
        return None
    last = broken.latest("finished_at")
    return BrokenExports(sums["count"], sums["since"], last.error)


def failing_bills(since: datetime) -> QuerySet[BillSource]:
    """Bills that are fetched regularly and could not be since an aware time or longer."""
    regular = BillSource.objects.filter(enabled=True, organization__archived_at=None)
    return regular.filter(failing_since__lte=since).order_by("pk")
