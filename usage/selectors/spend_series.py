"""What organizations, and their projects, people and models, spent by day and by hour.

All in the ledger currency, unpriced calls left out, days and hours those of the organization's
time zone. Rollups are read, so that usage that arrived late is where it belongs.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import NamedTuple

from django.db import connection

_TODAY = "(%(now)s AT TIME ZONE o.time_zone)::date"
_MODEL = "CASE WHEN k.provider = '' THEN k.model ELSE k.provider || '/' || k.model END"
# Summed before anything is made of a row: of a large organization there are millions.
_DAYS = f"""
    SELECT o.id, o.time_zone, {_TODAY}, r.day, r.cost
    FROM usage_organization o CROSS JOIN LATERAL (
        SELECT day, sum(cost) AS cost FROM usage_dailyrollup
        WHERE organization_id = o.id AND day <= {_TODAY} AND day >= {_TODAY} - %(days)s GROUP BY day
    ) r
    WHERE o.archived_at IS NULL
"""
_SPENDERS = f"""
    SELECT o.id, r.project_id, r.subject_id, {_MODEL}
    FROM usage_organization o JOIN usage_dailyrollup r
      ON r.organization_id = o.id AND r.day <= {_TODAY} AND r.day >= {_TODAY} - 1
    JOIN usage_callkind k ON k.id = r.kind_id
    JOIN unnest(%(ids)s::bigint[], %(least)s::numeric[]) AS wanted (id, least) ON wanted.id = o.id
    GROUP BY o.id, r.day, wanted.least, GROUPING SETS ((r.project_id), (r.subject_id), ({_MODEL}))
    HAVING sum(r.cost) >= wanted.least
"""
_HOURS = f"""
    WITH kind AS MATERIALIZED (
        SELECT k.id, {_MODEL} AS model FROM usage_callkind k WHERE {_MODEL} = ANY(%(models)s)
    )
    SELECT o.id, (r.bucket AT TIME ZONE o.time_zone)::date,
           extract(hour FROM r.bucket AT TIME ZONE o.time_zone)::int,
           r.project, r.subject, kind.model, sum(r.cost)
    FROM usage_organization o CROSS JOIN LATERAL (
        SELECT bucket, kind_id, sum(cost) AS cost,
               CASE WHEN project_id = ANY(%(projects)s) THEN project_id END AS project,
               CASE WHEN subject_id = ANY(%(subjects)s) THEN subject_id END AS subject
        FROM usage_usagerollup
        WHERE organization_id = o.id AND bucket <= %(now)s
          AND bucket >= ({_TODAY} - %(days)s)::timestamp AT TIME ZONE o.time_zone
        GROUP BY bucket, kind_id, project, subject
    ) r
    LEFT JOIN kind ON kind.id = r.kind_id
    WHERE o.id = ANY(%(ids)s) GROUP BY 1, 2, 3, 4, 5, 6 HAVING sum(r.cost) <> 0
"""


@dataclass(frozen=True, slots=True)
class SpentDays:
    """What one organization spent on each of its latest days; days without usage are missing."""

    organization_id: int
    time_zone: str
    today: date
    costs: dict[date, Decimal]


class Spender(NamedTuple):
    """An organization, or the one project, person (ids) or model of it that is not None."""

    organization_id: int
    project_id: int | None = None
    subject_id: int | None = None
    model: str | None = None


class SpentHour(NamedTuple):
    """What was spent in one local hour; None is any project, subject or model not asked for."""

    organization_id: int
    day: date
    hour: int
    project_id: int | None
    subject_id: int | None
    model: str | None
    cost: Decimal


def spent_days(now: datetime, days: int) -> list[SpentDays]:
    """What each organization spent on each of the `days` days before today, and on today."""
    found: dict[int, SpentDays] = {}
    with connection.cursor() as cursor:
        cursor.execute(_DAYS, {"now": now, "days": days})
        for pk, zone, today, day, cost in cursor.fetchall():
            found.setdefault(pk, SpentDays(pk, zone, today, {})).costs[day] = cost
    return list(found.values())


def recent_spenders(least: dict[int, Decimal], now: datetime) -> list[Spender]:
    """Who spent at least so much today or yesterday, in organizations by id."""
    with connection.cursor() as cursor:
        cursor.execute(_SPENDERS, {"now": now, "ids": list(least), "least": list(least.values())})
        rows = {Spender(*row) for row in cursor.fetchall()}
    return [spender for spender in rows if any(part is not None for part in spender[1:])]


def spent_hours(
    spenders: Iterable[Spender], organization_ids: Collection[int], now: datetime, days: int
) -> list[SpentHour]:
    """What organizations spent in each hour since the midnight that began the day `days` days ago,
    split by the projects, people and models among `spenders`."""
    spenders = list(spenders)
    with connection.cursor() as cursor:
        cursor.execute(
            _HOURS,
            {
                "now": now,
                "days": days,
                "ids": list(organization_ids),
                "projects": [each.project_id for each in spenders if each.project_id],
                "subjects": [each.subject_id for each in spenders if each.subject_id],
                "models": [each.model for each in spenders if each.model is not None],
            },
        )
        return [SpentHour(*row) for row in cursor.fetchall()]
