"""15-minute buckets → hours, days and months, all but the hours in the organization's time zone."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection

from usage.ingest.partitions import next_month
from usage.models.facets import Facet, HourlyFacet
from usage.rollups.buckets import Span
from usage.rollups.columns import (
    DIMENSION_LIST,
    DIMENSIONS,
    SUM_OF_SUMS,
    SUMS,
    facet_sets,
    facets,
)
from usage.rollups.replacing import replacing

_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)
_FACETS = f"t.facet = ANY('{{{', '.join(str(each.value) for each in Facet.Of)}}}')"
_OURS = "organization_id = %(organization)s"
_OF_SUBJECTS = (
    "(%(subjects)s::int[] IS NULL OR coalesce({table}.subject_id, 0) = ANY(%(subjects)s))"
)
_OF_MEMBERS = (
    f"(%(subjects)s::int[] IS NULL OR {{table}}.facet <> {Facet.Of.SUBJECT.value}"
    " OR coalesce({table}.member_id, 0) = ANY(%(subjects)s))"
)
_LOCAL_DAY = "(r.bucket AT TIME ZONE %(zone)s)::date"
_HOUR_OF = "date_bin('1 hour', r.bucket, 'epoch')"

_HOURS = replacing(
    "usage_hourlyfacet",
    ("facet", "hour", "member_id"),
    SUMS,
    f"""
    SELECT {_HOUR_OF} AS hour, {facets(HourlyFacet.COLUMNS)}, {SUM_OF_SUMS} FROM usage_usagerollup r
    WHERE r.{_OURS} AND r.bucket >= %(first)s AND r.bucket < %(end)s
      AND {_HOUR_OF} = ANY(%(hours)s)
    GROUP BY {facet_sets(HourlyFacet.COLUMNS, _HOUR_OF)}
    """,
    # The hours in a term that no index could answer, one by one.
    f"t.{_OURS} AND {_FACETS} AND t.hour >= %(first)s AND t.hour < %(end)s"
    " AND date_bin('1 hour', t.hour, 'epoch') = ANY(%(hours)s)",
)
# A bucket belongs to the day its local clock shows. The bounds only lead to it by index:
# where midnight comes twice in a night they name the second one, hence the margin.
_DAYS = replacing(
    "usage_dailyrollup",
    ("day", *DIMENSIONS),
    SUMS,
    f"""
    SELECT {_LOCAL_DAY} AS day, {DIMENSION_LIST}, {SUM_OF_SUMS} FROM usage_usagerollup r
    WHERE r.{_OURS} AND {_OF_SUBJECTS.format(table="r")}
      AND r.bucket >= (%(first)s::timestamp AT TIME ZONE %(zone)s) - interval '3 hours'
      AND r.bucket < (%(end)s::timestamp AT TIME ZONE %(zone)s) + interval '3 hours'
      AND {_LOCAL_DAY} >= %(first)s AND {_LOCAL_DAY} < %(end)s
    GROUP BY 1, {DIMENSION_LIST}
    """,
    f"t.{_OURS} AND t.day >= %(first)s AND t.day < %(end)s AND {_OF_SUBJECTS.format(table='t')}",
)
_DAY_FACETS = replacing(
    "usage_dailyfacet",
    ("facet", "day", "member_id"),
    SUMS,
    f"""
    SELECT r.day, {facets(Facet.COLUMNS)}, {SUM_OF_SUMS} FROM usage_dailyrollup r
    WHERE r.{_OURS} AND r.day >= %(first)s AND r.day < %(end)s
    GROUP BY {facet_sets(Facet.COLUMNS, "r.day")}
    """,
    f"t.{_OURS} AND {_FACETS} AND t.day >= %(first)s AND t.day < %(end)s",
)
_MONTHS = replacing(
    "usage_monthlyrollup",
    ("month", *DIMENSIONS),
    SUMS,
    f"""
    SELECT %(first)s AS month, {DIMENSION_LIST}, {SUM_OF_SUMS} FROM usage_dailyrollup r
    WHERE r.{_OURS} AND {_OF_SUBJECTS.format(table="r")}
      AND r.day >= %(first)s AND r.day < %(end)s
    GROUP BY {DIMENSION_LIST}
    """,
    f"t.{_OURS} AND t.month = %(first)s AND {_OF_SUBJECTS.format(table='t')}",
)
_MONTH_FACETS = replacing(
    "usage_monthlyfacet",
    ("facet", "month", "member_id"),
    SUMS,
    f"""
    SELECT t.facet, %(first)s AS month, t.member_id, {SUM_OF_SUMS} FROM usage_dailyfacet t
    WHERE t.{_OURS} AND {_FACETS} AND {_OF_MEMBERS.format(table="t")}
      AND t.day >= %(first)s AND t.day < %(end)s
    GROUP BY t.facet, t.member_id
    """,
    f"t.{_OURS} AND {_FACETS} AND t.month = %(first)s AND {_OF_MEMBERS.format(table='t')}",
)


def hours_of(spans: Sequence[Span]) -> list[datetime]:
    """The hours of UTC that `spans` touch, ascending."""
    hours: set[datetime] = set()
    for span in spans:
        hour = span.start.astimezone(UTC).replace(minute=0)
        while hour < span.end:
            hours.add(hour)
            hour += _HOUR
    return sorted(hours)


def days_of(spans: Sequence[Span], time_zone: str) -> list[date]:
    """The local days that `spans` touch, ascending."""
    zone = ZoneInfo(time_zone)
    days: set[date] = set()
    for span in spans:
        day = span.start.astimezone(zone).date()
        last = (span.end - timedelta(microseconds=1)).astimezone(zone).date()
        while day <= last:
            days.add(day)
            day += _DAY
    return sorted(days)


def months_of(days: Sequence[date]) -> list[date]:
    """The first days of the months of `days`, ascending."""
    return sorted({day.replace(day=1) for day in days})


def start_of(day: date, time_zone: str) -> datetime:
    """The instant a local day begins, aware. Where midnight is skipped, the first instant after."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT %s::timestamp AT TIME ZONE %s", (day, time_zone))
        start: datetime = cursor.fetchone()[0]
    return start


def recompute_calendar(
    organization_id: int,
    spans: Sequence[Span],
    time_zone: str,
    subjects: Sequence[int] | None,
) -> tuple[list[date], list[date]]:
    """Replace the organization's hours, days and months that `spans` touch, and say which days
    and months those are. Runs under its rollup lock.

    `subjects` are all whose usage may have changed, 0 for that of nobody; None is anybody.
    """
    days, hours = days_of(spans, time_zone), hours_of(spans)
    months = months_of(days)
    parameters: dict[str, Any] = {
        "organization": organization_id,
        "subjects": subjects,
        "zone": time_zone,
    }
    with connection.cursor() as cursor:
        for first, end in _runs(hours, _HOUR, gap=_DAY):
            touched = [hour for hour in hours if first <= hour < end]
            bounds = {"first": first, "end": end, "hours": touched}
            cursor.execute(_HOURS, {**parameters, **bounds})
        for first, end in _runs(days, _DAY):
            bounds = {"first": first, "end": end}
            for statement in (_DAYS, _DAY_FACETS):
                cursor.execute(statement, {**parameters, **bounds})
        for month in months:
            bounds = {"first": month, "end": next_month(month)}
            for statement in (_MONTHS, _MONTH_FACETS):
                cursor.execute(statement, {**parameters, **bounds})
    return days, months


def _runs(
    starts: Sequence[Any], length: timedelta, gap: timedelta = timedelta()
) -> list[tuple[Any, Any]]:
    """Periods of a length that are at most a gap apart, as one each: its start, and its end
    (exclusive)."""
    runs: list[tuple[Any, Any]] = []
    for start in starts:
        if runs and start - runs[-1][1] <= gap:
            runs[-1] = runs[-1][0], start + length
        else:
            runs.append((start, start + length))
    return runs
