"""The calls of one project or subject, newest first, without walking through everybody else's.

No index leads from a project or subject to its events. Its days and months are summed, though,
and every bucket that the sums lag behind carries a mark; between them they tell where its events
lie and how many there are. Only calls that count are meant: what a correction replaced, reversals
and adjustments are left out, as they are of the number of events everywhere.
"""

from collections.abc import Collection
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from django.db import connection
from django.db.models import Sum

from usage.ingest.partitions import next_month
from usage.models import DailyRollup, DirtyMark, MonthlyRollup, Organization, Project, Subject
from usage.models.events import BUCKET
from usage.rollups.columns import IS_CALL
from usage.selectors.events import StoredEvent, events_at
from usage.selectors.periods import midnight

Owner = Project | Subject
_PLACES = """
    SELECT e.occurred_at, e.id
    FROM unnest(%(starts)s::timestamptz[], %(ends)s::timestamptz[]) AS span (lo, hi)
    JOIN usage_usageevent e
      ON e.organization_id = %(organization)s
     AND e.occurred_at >= span.lo AND e.occurred_at < span.hi
     AND e.occurred_at >= %(first)s AND e.occurred_at < %(last)s
    WHERE e.{column} = %(owner)s AND e.{is_call}
    ORDER BY e.occurred_at DESC, e.id DESC LIMIT %(limit)s OFFSET %(offset)s
"""
# One statement, so that sums, marks and events are seen as of one moment.
_COUNT = """
    WITH waiting AS MATERIALIZED (
        SELECT DISTINCT bucket FROM usage_dirtymark WHERE organization_id = %(organization)s
    )
    SELECT coalesce((
        SELECT sum(events) FROM usage_monthlyrollup
        WHERE organization_id = %(organization)s AND {column} = %(owner)s
    ), 0) - coalesce((
        SELECT sum(r.events) FROM waiting JOIN usage_usagerollup r
          ON r.organization_id = %(organization)s AND r.bucket = waiting.bucket
        WHERE r.{column} = %(owner)s
    ), 0) + (
        SELECT count(*) FROM waiting JOIN usage_usageevent e
          ON e.organization_id = %(organization)s
         AND e.occurred_at >= waiting.bucket AND e.occurred_at < waiting.bucket + %(length)s
        WHERE e.{column} = %(owner)s AND e.{is_call}
    )
"""


class Span(NamedTuple):
    """From `start` to before `end`."""

    start: datetime
    end: datetime


def count_events(owner: Owner) -> int:
    """How many calls `recent_events` leads through."""
    statement = _COUNT.format(column=_column(owner), is_call=IS_CALL)
    asked: dict[str, Any] = {
        "organization": owner.organization_id, "owner": owner.pk, "length": BUCKET,
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(statement, asked)
        return int(cursor.fetchone()[0])


def recent_events(owner: Owner, *, limit: int, offset: int = 0) -> list[StoredEvent]:
    """At most `limit` calls, newest first, after the first `offset` of them."""
    spans = _spans(owner, limit + offset)
    if not spans:
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            _PLACES.format(column=_column(owner), is_call=IS_CALL),
            {
                "starts": [span.start for span in spans],
                "ends": [span.end for span in spans],
                "first": min(span.start for span in spans),
                "last": max(span.end for span in spans),
                "organization": owner.organization_id,
                "owner": owner.pk,
                "limit": limit,
                "offset": offset,
            },
        )
        return events_at(cursor.fetchall())


def _spans(owner: Owner, wanted: int) -> list[Span]:
    """Stretches that hold the newest `wanted` calls, if there are as many."""
    zone = ZoneInfo(Organization.objects.values_list("time_zone").get(pk=owner.organization_id)[0])
    # Marks are read before sums: what is summed in between is then seen twice, never missed.
    waiting = set(
        DirtyMark.objects.filter(organization_id=owner.organization_id)
        .values_list("bucket", flat=True)
        .distinct()
    )
    unsure = {bucket.astimezone(zone).date() for bucket in waiting}
    days, enough = _days(owner, wanted, unsure)
    known = set(days)
    spans = [Span(midnight(day, zone), midnight(day + timedelta(days=1), zone)) for day in days]
    oldest = min((span.start for span in spans), default=None) if enough else None
    spans += [
        Span(bucket, bucket + BUCKET)
        for bucket in waiting
        if bucket.astimezone(zone).date() not in known and (oldest is None or bucket >= oldest)
    ]
    return spans


def _days(owner: Owner, wanted: int, unsure: Collection[date]) -> tuple[list[date], bool]:
    """The latest days with calls, until those whose sums are sure hold `wanted`, and whether
    they do."""
    mine = {"organization_id": owner.organization_id, _column(owner): owner.pk, "events__gt": 0}
    months = MonthlyRollup.objects.filter(**mine).values_list("month", flat=True).distinct()
    found: list[date] = []
    held = 0
    for month in months.order_by("-month"):
        counts = (
            DailyRollup.objects.filter(**mine, day__gte=month, day__lt=next_month(month))
            .values_list("day")
            .annotate(calls=Sum("events"))
            .order_by("-day")
        )
        for day, calls in counts:
            found.append(day)
            held += 0 if day in unsure else calls
            if held >= wanted:
                return found, True
    return found, False


def _column(owner: Owner) -> str:
    return "project_id" if isinstance(owner, Project) else "subject_id"
