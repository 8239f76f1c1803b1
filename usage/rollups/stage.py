"""The rollup stage: take dirty marks, recompute what they name, all under one lock."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from django.db import connection, transaction
from django.db.models import Count, Max, Min

from usage.ingest.partitions import next_month
from usage.models import DailyRollup, MonthlyRollup, Organization, UsageEvent, UsageRollup
from usage.models.events import BUCKET
from usage.rollups.buckets import Span, recompute_buckets, spans_of
from usage.rollups.calendar import recompute_calendar, start_of
from usage.rollups.episodes import recompute_runs, recompute_sessions, remove_orphans

LOCK_CLASS = 0x7A11
BUCKETS_AT_ONCE = 3_000
REBUILT_AT_ONCE = 2
# Sums of a large organization's month, grouped in memory.
_WORK_MEMORY = "64MB"


@dataclass(slots=True)
class RollupResult:
    """How much a run recomputed. `busy` organizations were left to another process."""

    buckets: int = 0
    days: int = 0
    months: int = 0
    sessions: int = 0
    runs: int = 0
    busy: int = 0

    def __iadd__(self, other: "RollupResult") -> "RollupResult":
        self.buckets += other.buckets
        self.days += other.days
        self.months += other.months
        self.sessions += other.sessions
        self.runs += other.runs
        self.busy += other.busy
        return self


def roll_up(*, wait: bool = False) -> RollupResult:
    """Recompute every bucket that has a dirty mark, oldest organization first.

    An organization that another process is rolling up is skipped, or waited for with
    `wait`. Marks that arrive meanwhile are taken too, or kept for the next run.
    """
    total = RollupResult()
    for organization in _dirty_organizations():
        while True:
            done = _take(organization, wait)
            total += done
            if done.busy or done.buckets < BUCKETS_AT_ONCE:
                break
    return total


def rebuild(first: date | None = None, last: date | None = None) -> RollupResult:
    """Recompute every bucket of every organization from events, a local month at a time and two
    organizations at once.

    `first` and `last` are inclusive days of the organizations' time zones; without them,
    everything that has an event or a rollup.
    """
    total = RollupResult()
    for done in _at_once(lambda owner: _rebuild(owner, first, last), _largest_first()):
        total += done
    return total


def _rebuild(organization: Organization, first: date | None, last: date | None) -> RollupResult:
    total = RollupResult()
    for month in _months_with_usage(organization):
        days = [day for day in _days_in(month) if _within(day, first, last)]
        if days:
            with transaction.atomic():
                lock(organization.pk)
                organization.refresh_from_db(fields=("time_zone",))
                zone = organization.time_zone
                end = start_of(days[-1] + timedelta(days=1), zone)
                span = Span(start_of(days[0], zone), end)
                total += recompute(organization, [span], thorough=True)
    if first is None and last is None:
        with transaction.atomic():
            lock(organization.pk)
            remove_orphans(organization.pk)
    return total


def _largest_first() -> list[Organization]:
    """All organizations; one that is begun late had better be small."""
    rows = DailyRollup.objects.order_by().values_list("organization").annotate(Count("pk"))
    sizes = dict(rows)
    return sorted(Organization.objects.order_by("pk"), key=lambda one: -sizes.get(one.pk, 0))


def _at_once(
    work: Callable[[Organization], RollupResult], organizations: Sequence[Organization]
) -> Iterator[RollupResult]:
    """What `work` returns for each, two at a time, each over a connection of its own; one by one
    within a transaction of the caller, which nobody else could see."""
    if connection.in_atomic_block:
        yield from map(work, organizations)
        return

    def alone(organization: Organization) -> RollupResult:
        try:
            return work(organization)
        finally:
            connection.close()

    with ThreadPoolExecutor(REBUILT_AT_ONCE) as pool:
        yield from pool.map(alone, organizations)


def lock(organization_id: int) -> None:
    """Wait for the right to roll this organization up; held until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", (LOCK_CLASS, organization_id))


def try_lock(organization_id: int) -> bool:
    """Like `lock`, but False at once when another process holds it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s, %s)", (LOCK_CLASS, organization_id))
        return bool(cursor.fetchone()[0])


def recompute(
    organization: Organization, spans: Sequence[Span], *, thorough: bool = False
) -> RollupResult:
    """Recompute all levels over `spans`. Runs in a transaction that holds the lock.

    Unless `thorough`, days and months are trusted as far as none of their events can have changed.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('work_mem', %s, true)", (_WORK_MEMORY,))
    touched = recompute_buckets(organization.pk, spans)
    subjects = None if thorough else touched.subjects
    days, months = recompute_calendar(organization.pk, spans, organization.time_zone, subjects)
    recompute_sessions(organization.pk, touched.sessions)
    recompute_runs(organization.pk, touched.runs)
    buckets = sum((span.end - span.start) // BUCKET for span in spans)
    return RollupResult(buckets, len(days), len(months), len(touched.sessions), len(touched.runs))


def _dirty_organizations() -> list[Organization]:
    # Written out because a distinct over the index is what keeps an idle run free.
    with connection.cursor() as cursor:
        cursor.execute("SELECT DISTINCT organization_id FROM usage_dirtymark")
        ids = [row[0] for row in cursor.fetchall()]
    return list(Organization.objects.filter(pk__in=ids).order_by("pk"))


def _take(organization: Organization, wait: bool) -> RollupResult:
    with transaction.atomic():
        # The lock comes before the marks are read: a recompute begun on an older
        # snapshot could otherwise overwrite a newer one.
        if wait:
            lock(organization.pk)
        elif not try_lock(organization.pk):
            return RollupResult(busy=1)
        # Its zone may have been changed since it was read; that holds the same lock.
        organization.refresh_from_db(fields=("time_zone",))
        buckets = _take_marks(organization.pk)
        if not buckets:
            return RollupResult()
        done = recompute(organization, spans_of(buckets))
        done.buckets = len(buckets)
        return done


def _take_marks(organization_id: int) -> set[datetime]:
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM usage_dirtymark WHERE organization_id = %s AND bucket = ANY(ARRAY("
            "  SELECT DISTINCT bucket FROM usage_dirtymark WHERE organization_id = %s"
            "  ORDER BY bucket DESC LIMIT %s"
            ")) RETURNING bucket",
            (organization_id, organization_id, BUCKETS_AT_ONCE),
        )
        return {row[0] for row in cursor.fetchall()}


def _months_with_usage(organization: Organization) -> Iterator[date]:
    # A day either side of an instant covers every time zone.
    sources = (
        (UsageEvent, "occurred_at", timedelta(days=1)),
        (UsageRollup, "bucket", timedelta(days=1)),
        (DailyRollup, "day", timedelta()),
        (MonthlyRollup, "month", timedelta()),
    )
    days: list[date] = []
    for model, when, margin in sources:
        found = model._default_manager.filter(organization=organization).aggregate(
            first=Min(when), last=Max(when)
        )
        if found["first"]:
            days += [_utc_day(found["first"] - margin), _utc_day(found["last"] + margin)]
    month = min(days).replace(day=1) if days else None
    while month and month <= max(days):
        yield month
        month = next_month(month)


def _utc_day(value: date | datetime) -> date:
    return value.astimezone(UTC).date() if isinstance(value, datetime) else value


def _days_in(month: date) -> list[date]:
    return [month + timedelta(days=offset) for offset in range((next_month(month) - month).days)]


def _within(day: date, first: date | None, last: date | None) -> bool:
    return (first is None or day >= first) and (last is None or day <= last)
