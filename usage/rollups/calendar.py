"""15-minute buckets → days → months, in the organization's time zone."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection

from usage.rollups.buckets import Span
from usage.rollups.columns import (
    DIMENSION_LIST,
    SUM_LIST,
    SUM_OF_SUMS,
    SUMS,
    comparable,
    differs,
    set_excluded,
)

_PREFIXED = ", ".join(f"r.{name}" for name in DIMENSION_LIST.split(", "))


# NOT IN, because its hashed form stays quick where the planner has no idea how many rows
# `fresh` holds; an anti join may turn into a nested loop.
def _statement(table: str, period: str, source: str, bounds: str) -> str:
    return f"""
    WITH wanted AS MATERIALIZED (
        SELECT {period} FROM unnest(%(periods)s::date[]) AS t ({period})
    ), fresh AS MATERIALIZED (
        SELECT wanted.{period}, {_PREFIXED}, {SUM_OF_SUMS}
        FROM wanted JOIN {source} r ON r.organization_id = %(organization)s AND {bounds}
        GROUP BY wanted.{period}, {_PREFIXED}
    ), gone AS (
        DELETE FROM {table} old USING wanted
        WHERE old.organization_id = %(organization)s AND old.{period} = wanted.{period}
          AND ({comparable(f"old.{period}")}) NOT IN (SELECT {comparable(period)} FROM fresh)
    )
    INSERT INTO {table} AS kept (organization_id, {period}, {DIMENSION_LIST}, {SUM_LIST})
    SELECT %(organization)s, {period}, {DIMENSION_LIST}, {SUM_LIST} FROM fresh
    ON CONFLICT (organization_id, {period}, project_id, team_id, subject_id, api_key_id, kind_id)
    DO UPDATE SET {set_excluded(SUMS)} WHERE {differs("kept", SUMS)}
    """


# A bucket belongs to the day its local clock shows. The bounds only lead to it by index:
# where midnight comes twice in a night they name the second one, hence the margin.
_DAYS = _statement(
    "usage_dailyrollup",
    "day",
    "usage_usagerollup",
    "r.bucket >= (wanted.day::timestamp AT TIME ZONE %(zone)s) - interval '3 hours'"
    " AND r.bucket < ((wanted.day + 1)::timestamp AT TIME ZONE %(zone)s) + interval '3 hours'"
    " AND (r.bucket AT TIME ZONE %(zone)s)::date = wanted.day",
)
_MONTHS = _statement(
    "usage_monthlyrollup",
    "month",
    "usage_dailyrollup",
    "r.day >= wanted.month AND r.day < (wanted.month + interval '1 month')::date",
)


def days_of(spans: Sequence[Span], time_zone: str) -> list[date]:
    """The local days that `spans` touch, ascending."""
    zone = ZoneInfo(time_zone)
    days: set[date] = set()
    for span in spans:
        day = span.start.astimezone(zone).date()
        last = (span.end - timedelta(microseconds=1)).astimezone(zone).date()
        while day <= last:
            days.add(day)
            day += timedelta(days=1)
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


def recompute_days(organization_id: int, days: Sequence[date], time_zone: str) -> None:
    """Replace the organization's sums of `days`. Runs under its rollup lock."""
    _run(_DAYS, organization_id, days, time_zone)


def recompute_months(organization_id: int, months: Sequence[date]) -> None:
    """Replace the organization's sums of `months`. Runs under its rollup lock."""
    _run(_MONTHS, organization_id, months, "UTC")


def _run(statement: str, organization_id: int, periods: Sequence[date], zone: str) -> None:
    parameters: dict[str, Any] = {
        "organization": organization_id,
        "periods": list(periods),
        "zone": zone,
    }
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
