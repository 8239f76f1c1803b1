"""Events → 15-minute buckets."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from usage.models.events import BUCKET
from usage.rollups.columns import DIMENSION_LIST, IN_SUMS, SUM_LIST, SUM_OF_EVENTS

# Both halves see the table as it was before the statement, so the delete cannot touch
# the rows that the insert makes. The outer bounds say nothing new, but keep the planner from
# walking all of an organization's rows for every span while statistics are still missing.
_RECOMPUTE = f"""
WITH span AS MATERIALIZED (
    SELECT * FROM unnest(%(starts)s::timestamptz[], %(ends)s::timestamptz[]) AS t (lo, hi)
), old AS (
    DELETE FROM usage_usagerollup r USING span
    WHERE r.organization_id = %(organization)s AND r.bucket >= span.lo AND r.bucket < span.hi
      AND r.bucket >= %(first)s AND r.bucket < %(last)s
    RETURNING r.session_id, r.run_id, r.subject_id
), new AS (
    INSERT INTO usage_usagerollup (organization_id, bucket, first_at, last_at, session_id, run_id,
                                   {DIMENSION_LIST}, {SUM_LIST})
    SELECT e.organization_id, date_bin('15 minutes', e.occurred_at, 'epoch'),
           min(e.occurred_at), max(e.occurred_at), e.session_id, e.run_id,
           {DIMENSION_LIST}, {SUM_OF_EVENTS}
    FROM span JOIN usage_usageevent e
      ON e.organization_id = %(organization)s
     AND e.occurred_at >= span.lo AND e.occurred_at < span.hi AND e.{IN_SUMS}
     AND e.occurred_at >= %(first)s AND e.occurred_at < %(last)s
    GROUP BY e.organization_id, 2, e.session_id, e.run_id, {DIMENSION_LIST}
    RETURNING session_id, run_id, subject_id
), touched AS MATERIALIZED (
    SELECT session_id, run_id, subject_id FROM old UNION SELECT * FROM new
)
SELECT ARRAY(SELECT DISTINCT session_id FROM touched WHERE session_id IS NOT NULL),
       ARRAY(SELECT DISTINCT run_id FROM touched WHERE run_id IS NOT NULL),
       ARRAY(SELECT DISTINCT coalesce(subject_id, 0) FROM touched)
"""


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of time, `start` inclusive, `end` exclusive, both on bucket boundaries."""

    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Touched:
    """What had usage in recomputed buckets, before or after: sessions, runs and ids of subjects,
    0 for usage of nobody."""

    sessions: list[str]
    runs: list[str]
    subjects: list[int]


def spans_of(buckets: Iterable[datetime]) -> list[Span]:
    """Bucket starts merged into as few spans as possible, ascending."""
    spans: list[Span] = []
    for start in sorted(set(buckets)):
        if spans and spans[-1].end == start:
            spans[-1] = Span(spans[-1].start, start + BUCKET)
        else:
            spans.append(Span(start, start + BUCKET))
    return spans


def recompute_buckets(organization_id: int, spans: Sequence[Span]) -> Touched:
    """Replace the organization's buckets within `spans`. Runs under its rollup lock."""
    with connection.cursor() as cursor:
        cursor.execute(
            _RECOMPUTE,
            {
                "organization": organization_id,
                "starts": [span.start for span in spans],
                "ends": [span.end for span in spans],
                "first": min(span.start for span in spans),
                "last": max(span.end for span in spans),
            },
        )
        return Touched(*cursor.fetchone())
