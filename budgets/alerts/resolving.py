"""Ending alerts of windows that are no longer so: another limit, a correction, a period over.

Alerts are ended under the lock of their window, so that nobody reaches a level meanwhile. Those
that were resolved by hand are watched, too: what is over by itself may be told again.
"""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

from django.db import connection, transaction

from budgets.locks import share
from budgets.models import Alert, Budget, BudgetWindow

LATE = timedelta(days=7)
"""How long an alert stays that was opened when its period was over already."""
CALM = Decimal("0.98")
"""What is expected must fall below this share of the limit for a forecast's alert to be over."""
_AT_ONCE = 200
# Under the former limit, too: what has changed is the limit, and not what was used. A period that
# ends before anybody was told of it ends nothing: what happened in it is still news.
_OVER = """
    SELECT a.id, w.id, o.resolution
    FROM budgets_alert a
    JOIN budgets_budget b ON b.id = a.budget_id
    LEFT JOIN budgets_budgetwindow w
        ON w.budget_id = a.budget_id AND w.member = a.member AND w.start = a.window_start
    LEFT JOIN LATERAL budgets_levels(w.budget_id, w."limit", w.rate) l
        ON a.kind = 'threshold'
        AND l.percent IS NOT DISTINCT FROM a.percent AND l.amount IS NOT DISTINCT FROM a.amount
    CROSS JOIN LATERAL (
        SELECT (a.facts->>'level')::numeric AS level, (a.facts->>'limit')::numeric AS "limit",
            (a.facts->>'used')::numeric AS used, (a.facts->>'asked')::numeric AS asked,
            (a.facts->>'expected')::numeric AS expected
    ) AS f
    CROSS JOIN LATERAL (
        SELECT w.spent + w.overage AS used, w.spent + w.overage + w.reserved AS taken
    ) AS u
    CROSS JOIN LATERAL (
        SELECT CASE WHEN u.used < f.used THEN 'spend' ELSE 'over' END AS reason
    ) AS r
    CROSS JOIN LATERAL (SELECT CASE
        WHEN w.id IS NULL OR NOT b.enabled OR (a.kind = 'blocked' AND NOT w.is_hard)
            OR (a.kind = 'threshold' AND l.level IS NULL
                AND (w."limit" IS NOT NULL OR a.amount IS NOT NULL))
            OR (a.kind = 'blocked' AND f.asked IS NULL AND b.unpriced = 'allow')
            THEN 'budget'
        WHEN a.kind = 'threshold' AND NOT coalesce(u.taken > 0 AND u.taken >= l.level, false)
            THEN CASE WHEN u.taken >= f.level THEN 'limit' ELSE r.reason END
        WHEN a.kind = 'blocked' AND f.asked IS NOT NULL AND NOT w.is_overcommitted
            AND budgets_fits(w."limit", u.used, w.reserved, f.asked)
            THEN CASE WHEN budgets_fits(f."limit", u.used, w.reserved, f.asked)
                 THEN r.reason ELSE 'limit' END
        WHEN a.kind = 'forecast' AND (w."limit" IS NULL OR f.expected < w."limit" * %(calm)s)
            THEN 'limit'
        WHEN w."end" <= %(now)s AND (a.opened_at < w."end" OR a.opened_at <= %(late)s)
            AND a.routed_at IS NOT NULL
            THEN 'window'
    END AS resolution) AS o
    WHERE o.resolution IS NOT NULL AND a.kind IN ('threshold', 'blocked', 'forecast')
      AND (a.state <> 'resolved' OR a.resolution = 'hand')
      AND (%(budget)s::bigint IS NULL OR a.budget_id = %(budget)s)
      AND (%(ids)s::bigint[] IS NULL OR a.id = ANY(%(ids)s))
"""
_LOCK_WINDOWS = """
    SELECT w.id FROM budgets_budgetwindow w JOIN budgets_alert a
        ON w.budget_id = a.budget_id AND w.member = a.member AND w.start = a.window_start
    WHERE a.id = ANY(%s) ORDER BY w.id FOR NO KEY UPDATE OF w
"""
_LOCK_ALERTS = "SELECT id FROM budgets_alert WHERE id = ANY(%s) ORDER BY id FOR NO KEY UPDATE"
_RESOLVE = """
    UPDATE budgets_alert a SET
        state = 'resolved', resolved_at = coalesce(a.resolved_at, %s), resolution = o.resolution
    FROM unnest(%s::bigint[], %s::text[]) AS o (id, resolution) WHERE a.id = o.id
"""


class _Over(NamedTuple):
    """An alert that is no longer so, its window (None: deleted), and why."""

    alert: int
    window: int | None
    resolution: str


def settle_alerts(now: datetime) -> int:
    """Resolve the alerts of windows that are no longer so at `now`, an aware time; how many."""
    ids = [over.alert for over in _find(now)]
    return sum(
        _settle(ids[first : first + _AT_ONCE], now) for first in range(0, len(ids), _AT_ONCE)
    )


def settle_budget(budget: Budget, now: datetime) -> None:
    """Resolve the alerts of a budget that is just being changed, in the changing transaction."""
    found = _find(now, budget=budget.pk)
    if found:
        _settle([over.alert for over in found], now)


def _find(now: datetime, budget: int | None = None, ids: list[int] | None = None) -> list[_Over]:
    asked = {"now": now, "late": now - LATE, "budget": budget, "ids": ids, "calm": CALM}
    with connection.cursor() as cursor:
        cursor.execute(_OVER, asked)
        return [_Over(*row) for row in cursor.fetchall()]


def _settle(ids: list[int], now: datetime) -> int:
    """Resolve those of some alerts that are no longer so; how many."""
    alerts = Alert.objects.filter(pk__in=ids)
    with transaction.atomic(), connection.cursor() as cursor:
        share(set(alerts.values_list("organization_id", flat=True)))
        cursor.execute(_LOCK_WINDOWS, (ids,))
        cursor.execute(_LOCK_ALERTS, (ids,))
        ended = _find(now, ids=ids)
        why = [over.resolution for over in ended]
        cursor.execute(_RESOLVE, (now, [over.alert for over in ended], why))
        # Reached again, they open again.
        below = [over.window for over in ended if over.resolution != Alert.Resolution.WINDOW]
        BudgetWindow.objects.filter(pk__in=[pk for pk in below if pk]).update(alert_at=0)
    return len(ended)
