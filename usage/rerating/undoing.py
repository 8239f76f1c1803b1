"""Rolling back: every event gets exactly the rating back that it had before a run."""

from typing import Any

from django.db import connection

from usage.models import RatingChange, RatingRun
from usage.rerating.locks import lock_sums
from usage.rerating.posting import withdraw_adjustments
from usage.rerating.ratings import (
    ADJUSTED,
    BEFORE_COLUMNS,
    IN_WINDOW,
    LOCAL_MONTH,
    SAME_EVENT,
    assigned,
)
from usage.rerating.refusal import RatingRefused
from usage.rerating.summing import organizations_of, sum_up
from usage.signals import events_rerated

_CHANGED = RatingChange.Outcome.CHANGED.value
_APPLIED = RatingRun.Status.APPLIED.value
# An adjustment lies in the month in which the run was applied.
_CLOSED_SINCE = f"""
    SELECT o.slug, m.month FROM (
        SELECT DISTINCT c.organization_id, {LOCAL_MONTH} AS month
        FROM usage_ratingchange c JOIN usage_organization o ON o.id = c.organization_id
        WHERE c.run_id = %(run)s AND c.outcome = {_CHANGED}
        UNION
        SELECT DISTINCT c.organization_id,
               date_trunc('month', %(applied)s::timestamptz AT TIME ZONE o.time_zone)::date
        FROM usage_ratingchange c JOIN usage_organization o ON o.id = c.organization_id
        WHERE c.run_id = %(run)s AND c.outcome = {ADJUSTED}
    ) AS touched
    JOIN usage_closedmonth m USING (organization_id, month)
    JOIN usage_organization o ON o.id = m.organization_id
    ORDER BY m.month, o.slug LIMIT 1
"""
_LATER_RUN = f"""
    SELECT r.id FROM usage_ratingrun r
    WHERE r.status = '{_APPLIED}' AND r.id <> %(run)s
      AND (r.applied_at, r.id) > (%(applied)s, %(run)s)
      AND r.start < %(end)s AND r.end > %(start)s
      AND EXISTS (
        SELECT FROM usage_ratingchange later
        JOIN usage_ratingchange c ON c.event_pk = later.event_pk
        WHERE later.run_id = r.id AND later.outcome IN ({_CHANGED}, {ADJUSTED})
          AND c.run_id = %(run)s AND c.outcome IN ({_CHANGED}, {ADJUSTED})
      )
    ORDER BY r.applied_at DESC, r.id DESC LIMIT 1
"""
_RESTORE = f"""
    UPDATE usage_usageevent e SET {assigned(BEFORE_COLUMNS)}
    FROM usage_ratingchange c
    WHERE c.run_id = %(run)s AND c.outcome = {_CHANGED} AND {SAME_EVENT} AND {IN_WINDOW}
"""


def refuse_if_settled(run: RatingRun) -> None:
    """Raise RatingRefused when what the run changed has been built upon since."""
    parameters = _parameters(run)
    with connection.cursor() as cursor:
        cursor.execute(_CLOSED_SINCE, parameters)
        closed = cursor.fetchone()
        cursor.execute(_LATER_RUN, parameters)
        later = cursor.fetchone()
    if closed:
        raise RatingRefused(
            f"{closed[1]:%B %Y} of {closed[0]} has been closed since. Ask for a new re-rating: its"
            " difference is posted as an adjustment."
        )
    if later:
        raise RatingRefused(
            f"Re-rating {later[0]} has changed some of the same events since; roll that one back"
            " first."
        )


def undo(run: RatingRun) -> None:
    """Roll a run back, with its adjustments and all sums.

    Runs in a transaction that has the right to work on the run. Raises RatingRefused.
    """
    touched = organizations_of(run)
    lock_sums(touched)
    refuse_if_settled(run)
    with connection.cursor() as cursor:
        cursor.execute(_RESTORE, _parameters(run))
    adjusted = withdraw_adjustments(run, touched)
    applied_at = run.applied_at or run.requested_at
    sum_up(run, RatingChange.Outcome.CHANGED, adjusted, applied_at)
    run.changes.exclude(outcome=RatingChange.Outcome.SKIPPED).update(
        outcome=RatingChange.Outcome.UNDONE
    )
    run.status = RatingRun.Status.ROLLED_BACK
    run.save()
    events_rerated.send(sender=None, run=run)


def _parameters(run: RatingRun) -> dict[str, Any]:
    return {"run": run.pk, "start": run.start, "end": run.end, "applied": run.applied_at}
