"""Sums as of this statement: of rolled-up usage, and of what has not been rolled up yet.

In one snapshot every bucket is either marked dirty or summed: those marked are summed from their
events, the others taken from the coarsest level that holds them.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import connection

from usage.models import Organization
from usage.rollups.columns import IN_SUMS, IS_CALL
from usage.selectors.periods import find_zone, midnight

MEMBERS = ("project", "team", "subject", "api_key")
"""What sums may be divided by, besides the organization."""
WORDS = ("provider", "model", "action", "agent_type")

_OF_SUMS = (
    "sum(r.events)::bigint, sum(r.unpriced_events)::bigint,"
    " sum(r.input_tokens + r.output_tokens)::bigint, sum(r.cost)"
)
_OF_EVENTS = (
    f"count(*) FILTER (WHERE r.{IS_CALL}), count(*) FILTER (WHERE r.cost IS NULL),"
    " sum(r.input_tokens::bigint + r.output_tokens)::bigint, coalesce(sum(r.cost), 0)"
)
_DIRTY = """
    dirty AS MATERIALIZED (
        SELECT DISTINCT bucket FROM usage_dirtymark
        WHERE organization_id = %(organization)s AND bucket >= %(start)s AND bucket < %(end)s
    )
"""
_EVENTS = f"""
    SELECT {{member}}, {_OF_EVENTS} FROM dirty
    JOIN usage_usageevent r ON r.occurred_at >= dirty.bucket
        AND r.occurred_at < dirty.bucket + interval '15 minutes' {{kinds}}
    WHERE r.organization_id = %(organization)s AND r.{IN_SUMS}
      AND r.occurred_at >= %(start)s AND r.occurred_at < %(end)s {{where}} GROUP BY 1
"""
_BUCKETS = f"""
    SELECT {{member}}, {_OF_SUMS} FROM usage_usagerollup r {{kinds}}
    WHERE r.organization_id = %(organization)s
      AND r.bucket >= %(start)s AND r.bucket < %(end)s
      AND r.bucket NOT IN (SELECT bucket FROM dirty) {{where}} GROUP BY 1
"""
_BY_BUCKETS = f"WITH {_DIRTY} {_EVENTS} UNION ALL {_BUCKETS}"
_BY_DAYS = f"""
    WITH {_DIRTY}, days AS MATERIALIZED (
        SELECT DISTINCT (bucket AT TIME ZONE %(zone)s)::date AS day FROM dirty
    )
    {_EVENTS} UNION ALL
    SELECT {{member}}, {_OF_SUMS} FROM days
    JOIN usage_usagerollup r ON r.bucket >= (days.day::timestamp AT TIME ZONE %(zone)s)
        AND r.bucket < ((days.day + 1)::timestamp AT TIME ZONE %(zone)s) {{kinds}}
    WHERE r.organization_id = %(organization)s
      AND r.bucket NOT IN (SELECT bucket FROM dirty) {{where}} GROUP BY 1
    UNION ALL
    SELECT {{member}}, {_OF_SUMS} FROM usage_dailyrollup r {{kinds}}
    WHERE r.organization_id = %(organization)s
      AND r.day >= (%(start)s::timestamptz AT TIME ZONE %(zone)s)::date
      AND r.day < (%(end)s::timestamptz AT TIME ZONE %(zone)s)::date
      AND r.day NOT IN (SELECT day FROM days) {{where}} GROUP BY 1
"""
_FOR_EVER = "9999-01-01T00:00:00Z"


@dataclass(slots=True)
class LiveSums:
    """Sums of calls; `cost` is in the ledger currency and leaves out `unpriced_events`."""

    events: int = 0
    unpriced_events: int = 0
    tokens: int = 0
    cost: Decimal = Decimal(0)

    def add(self, events: int, unpriced_events: int, tokens: int, cost: Decimal) -> None:
        """Count more."""
        self.events += events
        self.unpriced_events += unpriced_events
        self.tokens += tokens
        self.cost += cost


def live_sums(
    scope: Mapping[str, int | str | None],
    start: datetime,
    end: datetime | None,
    by: str = "",
) -> dict[int | None, LiveSums]:
    """What calls of `scope` come to from `start` to before `end` (None: for ever).

    `scope` names ids of the organization and of MEMBERS, and WORDS; what it leaves out or None is
    any. Divided by `by`, one of MEMBERS or organization; without it all is under None. The bounds
    are on quarters of an hour. Rows that are not rolled up yet are counted as they are stored.
    """
    owners = Organization.objects.order_by("pk")
    owner_id = scope.get("organization")
    if owner_id:
        owners = owners.filter(pk=owner_id)
    found: dict[int | None, LiveSums] = defaultdict(LiveSums)
    for owner in owners:
        for member, *sums in _rows(owner, scope, start, end, by):
            key = owner.pk if by == "organization" else member
            found[key].add(*sums)
    return dict(found)


def _rows(
    owner: Organization,
    scope: Mapping[str, int | str | None],
    start: datetime,
    end: datetime | None,
    by: str,
) -> list[tuple[Any, ...]]:
    members = {name: scope[name] for name in MEMBERS if scope.get(name)}
    words = {name: scope[name] for name in WORDS if scope.get(name)}
    kinds = "JOIN usage_callkind k ON k.id = r.kind_id" if words else ""
    where = "".join(f" AND r.{name}_id = %({name})s" for name in members)
    where += "".join(f" AND k.{name} = %({name})s" for name in words)
    member = f"r.{by}_id" if by in MEMBERS else "NULL::bigint"
    statement = _BY_DAYS if _are_days(owner, start, end) else _BY_BUCKETS
    with connection.cursor() as cursor:
        cursor.execute(
            statement.format(member=member, kinds=kinds, where=where),
            {
                **members,
                **words,
                "organization": owner.pk,
                "zone": owner.time_zone,
                "start": start,
                "end": end or _FOR_EVER,
            },
        )
        return [row for row in cursor.fetchall() if row[1] is not None]


def _are_days(owner: Organization, start: datetime, end: datetime | None) -> bool:
    zone = find_zone(owner.time_zone)
    return all(
        at is None or at == midnight(at.astimezone(zone).date(), zone) for at in (start, end)
    )
