"""Posting: what a run changes in closed months becomes adjustments in the present one."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any
from uuid import uuid4

import msgspec
from django.db import connection

from usage.ingest.prepare import digest_of
from usage.models import RatingRun, UsageEvent
from usage.rerating.copying import copy_rows
from usage.rerating.ratings import ADJUSTED, COSTS, IN_WINDOW, LOCAL_MONTH, SAME_EVENT

_WHOSE = ("organization_id", "project_id", "team_id", "subject_id", "api_key_id", "kind_id")
_DIFFERENCES = [f"sum(coalesce(c.after_{n}, 0) - coalesce(c.before_{n}, 0))" for n in COSTS]
_GROUPS = f"""
    SELECT {", ".join(f"e.{name}" for name in _WHOSE)}, {LOCAL_MONTH}, {", ".join(_DIFFERENCES)}
    FROM usage_ratingchange c
    JOIN usage_organization o ON o.id = c.organization_id
    JOIN usage_usageevent e ON {SAME_EVENT} AND {IN_WINDOW}
    WHERE c.run_id = %(run)s AND c.outcome = {ADJUSTED}
    GROUP BY {", ".join(str(position + 1) for position in range(len(_WHOSE) + 1))}
    HAVING {" OR ".join(f"{difference} <> 0" for difference in _DIFFERENCES)}
"""
_COLUMNS = (*_WHOSE, *COSTS, "occurred_at", "event_id", "state", "tags")
_KEY_COLUMNS = ("digest", "payload", "occurred_at")
_WITHDRAW = f"""
    UPDATE usage_usageevent SET state = {UsageEvent.State.SUPERSEDED.value}
    WHERE organization_id = ANY(%s) AND occurred_at = %s
      AND state = {UsageEvent.State.ADJUSTMENT.value} AND tags ->> 'rating_run' = %s
    RETURNING organization_id
"""


def post_adjustments(run: RatingRun, at: datetime) -> set[int]:
    """Store the run's adjustments as events at `at`; return the organizations that have some.

    One for each combination of who used what in a closed month, none where nothing is owed.
    """
    with connection.cursor() as cursor:
        cursor.execute(_GROUPS, {"run": run.pk, "start": run.start, "end": run.end})
        rows = list(_adjustments(run, at, cursor.fetchall()))
    event_id = _COLUMNS.index("event_id")
    copy_rows("usage_usageevent", _COLUMNS, rows)
    keys = [(digest_of(row[0], row[event_id]), run.pk, at) for row in rows]
    copy_rows("usage_eventkey", _KEY_COLUMNS, keys)
    return {row[0] for row in rows}


def withdraw_adjustments(run: RatingRun, organization_ids: Sequence[int]) -> set[int]:
    """Take the run's adjustments out of all sums; return the organizations that had some."""
    with connection.cursor() as cursor:
        cursor.execute(_WITHDRAW, (list(organization_ids), run.applied_at, str(run.pk)))
        return {row[0] for row in cursor.fetchall()}


def _adjustments(
    run: RatingRun, at: datetime, groups: Sequence[tuple[Any, ...]]
) -> Iterator[tuple[Any, ...]]:
    state = UsageEvent.State.ADJUSTMENT.value
    for *whose, month, cost, input_cost, output_cost, cache_cost in groups:
        tags = {"adjusts": f"{month:%Y-%m}", "rating_run": str(run.pk)}
        costs = (cost, input_cost, output_cost, cache_cost)
        text = msgspec.json.encode(tags).decode()
        yield (*whose, *costs, at, f"adjustment-{uuid4()}", state, text)
