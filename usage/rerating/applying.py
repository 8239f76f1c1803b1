"""Applying: events, adjustments and sums change together, or nothing does."""

from datetime import datetime
from typing import Any

from django.db import connection

from usage.models import ClosedMonth, RatingChange, RatingRun
from usage.rerating.locks import lock_sums
from usage.rerating.posting import post_adjustments
from usage.rerating.ratings import (
    ADJUSTED,
    ADJUSTMENTS,
    AFTER_COLUMNS,
    BEFORE_COLUMNS,
    EVENT_COLUMNS,
    IN_EFFECT,
    IN_WINDOW,
    IS_CALL,
    LOCAL_MONTH,
    SAME_EVENT,
    assigned,
    listed,
)
from usage.rerating.summing import organizations_of, sum_up
from usage.rerating.withdrawing import IS_REPLACED
from usage.signals import events_rerated

_Outcome = RatingChange.Outcome
_BEFORE = listed("c", BEFORE_COLUMNS)
_IS_WITHDRAWN = (
    f"({IS_REPLACED} AND a.adjusted_pk IS NOT NULL"
    f" AND ({listed('e', EVENT_COLUMNS)}) IS NOT DISTINCT FROM ({listed('c', AFTER_COLUMNS)}))"
)
_OURS = f"c.run_id = %(run)s AND c.outcome = {_Outcome.PLANNED.value}"

# An event that was adjusted once is adjusted ever after: its columns no longer tell its rating.
_SETTLE_CLOSED = f"""
    UPDATE usage_ratingchange AS settled SET outcome = found.outcome
    FROM (
        SELECT c.id, CASE WHEN ({IS_CALL} OR {_IS_WITHDRAWN})
                      AND ({IN_EFFECT}) IS NOT DISTINCT FROM ({_BEFORE})
                     THEN {ADJUSTED} ELSE {_Outcome.SKIPPED.value} END AS outcome
        FROM usage_ratingchange c
        JOIN usage_organization o ON o.id = c.organization_id
        LEFT JOIN usage_usageevent e ON {SAME_EVENT} AND {IN_WINDOW}
        LEFT JOIN ({ADJUSTMENTS}) a ON a.adjusted_pk = c.event_pk
        WHERE {_OURS} AND (a.adjusted_pk IS NOT NULL OR EXISTS (
            SELECT FROM usage_closedmonth m
            WHERE m.organization_id = c.organization_id AND m.month = {LOCAL_MONTH}
        ))
    ) AS found WHERE found.id = settled.id
"""
_CHANGE_OPEN = f"""
    WITH done AS (
        UPDATE usage_usageevent e SET {assigned(AFTER_COLUMNS)}
        FROM usage_ratingchange c
        WHERE {_OURS} AND {SAME_EVENT} AND {IN_WINDOW} AND {IS_CALL}
          AND ({listed("e", EVENT_COLUMNS)}) IS NOT DISTINCT FROM ({_BEFORE})
        RETURNING c.id
    )
    UPDATE usage_ratingchange AS settled SET outcome = {_Outcome.CHANGED.value}
    FROM done WHERE done.id = settled.id
"""
_SKIP_REST = f"""
    UPDATE usage_ratingchange c SET outcome = {_Outcome.SKIPPED.value} WHERE {_OURS}
"""
_FIGURES = f"""
    SELECT coalesce(sum(before_cost), 0), coalesce(sum(after_cost), 0),
           count(*) FILTER (WHERE before_cost IS NULL), count(*) FILTER (WHERE after_cost IS NULL)
    FROM usage_ratingchange
    WHERE run_id = %(run)s AND outcome IN ({_Outcome.CHANGED.value}, {ADJUSTED})
"""


def carry_out(run: RatingRun, now: datetime) -> None:
    """Apply a run; its adjustments occur at `now`, whose partition must exist.

    Runs in a transaction that has the right to work on the run. An event that is no longer
    counted, or no longer rated as it was when the run was planned, is skipped.
    """
    touched = organizations_of(run)
    lock_sums(touched)
    # Months are read only now: whoever closes one holds the same lock.
    if _may_adjust(touched):
        run.adjusted = _count(_SETTLE_CLOSED, run) and _adjusted(run)
    run.changed = _count(_CHANGE_OPEN, run)
    _count(_SKIP_REST, run)
    run.skipped = run.changes.filter(outcome=_Outcome.SKIPPED).count()
    _take_figures(run)
    adjusted = post_adjustments(run, now) if run.adjusted else set()
    sum_up(run, _Outcome.CHANGED, adjusted, now)
    run.status, run.applied_at = RatingRun.Status.APPLIED, now
    run.save()
    events_rerated.send(sender=None, run=run)


def _may_adjust(organization_ids: list[int]) -> bool:
    return (
        ClosedMonth.objects.filter(organization_id__in=organization_ids).exists()
        or RatingChange.objects.filter(outcome=_Outcome.ADJUSTED).exists()
    )


def _adjusted(run: RatingRun) -> int:
    return run.changes.filter(outcome=_Outcome.ADJUSTED).count()


def _count(statement: str, run: RatingRun) -> int:
    parameters: dict[str, Any] = {"run": run.pk, "start": run.start, "end": run.end}
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return int(cursor.rowcount)


def _take_figures(run: RatingRun) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_FIGURES, {"run": run.pk})
        run.before_cost, run.after_cost, run.before_unpriced, run.after_unpriced = cursor.fetchone()
