"""Drift: do the stored events and everything summed from them still agree?

Each check compares two sides by organization and month. Besides the plain sums both
sides add up a checksum of where usage was put (bucket or day, dimensions) times how
much of it, so that sums of one month cannot hide usage under the wrong name.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db import connection, transaction

from usage.models import Organization
from usage.models.facets import Facet, HourlyFacet
from usage.rollups.columns import (
    DIMENSION_LIST,
    IN_SUMS,
    IS_CALL,
    SUM_OF_EVENTS,
    SUM_OF_SUMS,
    SUMS,
)

PLACEMENT = "placement"
_ALWAYS = date(1970, 1, 1)
_FIGURES = (*SUMS, PLACEMENT)
_EVENT_DIMENSIONS = f"{DIMENSION_LIST}, session_id, run_id"
_EVENT_BUCKET = "date_bin('15 minutes', r.occurred_at, 'epoch')"
_MONTH_OF_DAY = "date_trunc('month', day::timestamp)::date"
_MEMBER = "facet::int, member_id::int"
_COUNTS = """
    SELECT (SELECT count(DISTINCT (organization_id, bucket)) FROM usage_dirtymark),
           (SELECT count(*) FROM usage_usageevent)
"""
_SIDE = """
    SELECT organization_id, {month} AS month, {sums},
           sum(hash_record_extended(ROW({place}), 0)::numeric * ({events} + {cost})) AS placement
    FROM {source} r JOIN (SELECT id AS owner_id, time_zone FROM usage_organization) AS o
      ON o.owner_id = r.organization_id
    WHERE {where} GROUP BY 1, 2
"""
_NOT_PENDING = """NOT EXISTS (
    SELECT FROM (SELECT DISTINCT organization_id, bucket FROM usage_dirtymark) AS p
    WHERE p.organization_id = r.organization_id AND p.bucket = {bucket}
)"""
# A change of time zone drops all days and marks their buckets.
_DAY_NOT_PENDING = """NOT EXISTS (
    SELECT FROM (
        SELECT DISTINCT m.organization_id, (m.bucket AT TIME ZONE z.time_zone)::date AS day
        FROM usage_dirtymark m JOIN usage_organization z ON z.id = m.organization_id
    ) AS p WHERE p.organization_id = r.organization_id AND p.day = {day}
)"""
_BY_FACET = """(
    SELECT * FROM {source} CROSS JOIN LATERAL (VALUES {facets}) AS f (facet, member_id)
)"""
_COMPARE = """
    WITH expected AS ({expected}), found AS ({found})
    SELECT organization_id, month, {left}, {right}
    FROM expected FULL JOIN found USING (organization_id, month)
    WHERE ({left}) IS DISTINCT FROM ({right}) ORDER BY organization_id, month
"""


@dataclass(frozen=True, slots=True)
class Drift:
    """One figure on which two levels disagree; `month` None = all time.

    `check` names the level that is wrong: buckets, days, months, the facets of hours, days or
    months, sessions, runs or keys, or what another app compares.
    """

    check: str
    organization: str | None
    month: date | None
    figure: str
    expected: Decimal
    found: Decimal


@dataclass(frozen=True, slots=True)
class Verification:
    """What was found; buckets with pending marks were left out and are counted."""

    drifts: list[Drift]
    pending_buckets: int
    events: int


def verify() -> Verification:
    """Compare every level with the one below in one snapshot."""
    with snapshot(), connection.cursor() as cursor:
        cursor.execute(_COUNTS)
        pending, events = cursor.fetchone()
        slugs = dict(Organization.objects.values_list("pk", "slug"))
        drifts = [
            drift
            for check, statement in (*_CHECKS.items(), ("keys", _KEYS))
            for drift in _run(check, statement, slugs)
        ]
    return Verification(drifts, pending, events)


@contextmanager
def snapshot() -> Iterator[None]:
    """Let all that is read be of one moment. Within a caller's transaction, that one's isolation
    holds instead."""
    own = not connection.in_atomic_block
    with transaction.atomic():
        if own:
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        yield


def _side(source: str, month: str, place: str, where: str, sums: str = SUM_OF_SUMS) -> str:
    from_events = sums == SUM_OF_EVENTS
    return _SIDE.format(
        source=source,
        month=month,
        place=place,
        where=where,
        sums=sums,
        events=f"({IS_CALL})::int" if from_events else "events",
        cost="coalesce(cost, 0)" if from_events else "cost",
    )


def _month_of(instant: str) -> str:
    return f"date_trunc('month', {instant} AT TIME ZONE time_zone)::date"


def _day_of(instant: str) -> str:
    return f"({instant} AT TIME ZONE time_zone)::date"


def _compare(expected: str, found: str) -> str:
    left, right = (
        ", ".join([f"coalesce({side}.{name}, 0)" for name in _FIGURES])
        for side in ("expected", "found")
    )
    return _COMPARE.format(expected=expected, found=found, left=left, right=right)


def _by_facet(source: str, columns: Mapping[str, Facet.Of]) -> str:
    """The rows of a level once for each facet that sums them."""
    whole = f"({Facet.Of.WHOLE.value}, NULL)"
    facets = ", ".join([whole, *(f"({of.value}, {name})" for name, of in columns.items())])
    return _BY_FACET.format(source=source, facets=facets)


def _episodes(name: str, table: str) -> str:
    always = "'epoch'::date"
    return _compare(
        _side("usage_usagerollup", always, name, f"{name} IS NOT NULL"),
        _side(table, always, name, "true"),
    )


_CHECKS = {
    "buckets": _compare(
        _side(
            "usage_usageevent",
            _month_of(_EVENT_BUCKET),
            f"{_EVENT_BUCKET}, {_EVENT_DIMENSIONS}",
            f"{IN_SUMS} AND {_NOT_PENDING.format(bucket=_EVENT_BUCKET)}",
            SUM_OF_EVENTS,
        ),
        _side(
            "usage_usagerollup",
            _month_of("bucket"),
            f"bucket, {_EVENT_DIMENSIONS}",
            _NOT_PENDING.format(bucket="r.bucket"),
        ),
    ),
    "days": _compare(
        _side(
            "usage_usagerollup",
            _month_of("bucket"),
            f"{_day_of('bucket')}, {DIMENSION_LIST}",
            _DAY_NOT_PENDING.format(day=_day_of("r.bucket")),
        ),
        _side(
            "usage_dailyrollup",
            _MONTH_OF_DAY,
            f"day, {DIMENSION_LIST}",
            _DAY_NOT_PENDING.format(day="r.day"),
        ),
    ),
    "months": _compare(
        _side(
            "usage_dailyrollup",
            _MONTH_OF_DAY,
            DIMENSION_LIST,
            "true",
        ),
        _side("usage_monthlyrollup", "month", DIMENSION_LIST, "true"),
    ),
    "facets of hours": _compare(
        _side(
            _by_facet("usage_usagerollup", HourlyFacet.COLUMNS),
            _month_of("bucket"),
            f"date_bin('1 hour', bucket, 'epoch'), {_MEMBER}",
            "true",
        ),
        _side("usage_hourlyfacet", _month_of("hour"), f"hour, {_MEMBER}", "true"),
    ),
    "facets of days": _compare(
        _side(
            _by_facet("usage_dailyrollup", Facet.COLUMNS),
            _MONTH_OF_DAY,
            f"day, {_MEMBER}",
            "true",
        ),
        _side("usage_dailyfacet", _MONTH_OF_DAY, f"day, {_MEMBER}", "true"),
    ),
    "facets of months": _compare(
        _side("usage_dailyfacet", _MONTH_OF_DAY, _MEMBER, "true"),
        _side("usage_monthlyfacet", "month", _MEMBER, "true"),
    ),
    "sessions": _episodes("session_id", "usage_sessionrollup"),
    "runs": _episodes("run_id", "usage_runrollup"),
}
# Keys hold no organization but a digest, so they are compared by instant in UTC months.
_KEYS = """
    WITH expected AS (
        SELECT date_trunc('month', occurred_at, 'UTC')::date AS month, count(*) AS events,
               sum(hash_record_extended(ROW(occurred_at), 0)::numeric) AS placement
        FROM usage_usageevent GROUP BY 1
    ), found AS (
        SELECT date_trunc('month', occurred_at, 'UTC')::date AS month, count(*) AS events,
               sum(hash_record_extended(ROW(occurred_at), 0)::numeric) AS placement
        FROM usage_eventkey GROUP BY 1
    )
    SELECT NULL, month, coalesce(expected.events, 0), coalesce(expected.placement, 0),
           coalesce(found.events, 0), coalesce(found.placement, 0)
    FROM expected FULL JOIN found USING (month)
    WHERE (expected.events, expected.placement) IS DISTINCT FROM (found.events, found.placement)
    ORDER BY month
"""


def _run(check: str, statement: str, slugs: dict[int, str]) -> Iterator[Drift]:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        for organization, month, *numbers in cursor.fetchall():
            half = len(numbers) // 2
            figures = _FIGURES if half == len(_FIGURES) else ("events", PLACEMENT)
            for figure, expected, found in zip(
                figures, numbers[:half], numbers[half:], strict=True
            ):
                if expected != found:
                    yield Drift(
                        check,
                        slugs.get(organization),
                        None if month == _ALWAYS else month,
                        figure,
                        Decimal(expected),
                        Decimal(found),
                    )
