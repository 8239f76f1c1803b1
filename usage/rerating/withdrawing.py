"""Withdrawing: an event that a correction has replaced takes its adjustment along.

The correction lies in the closed month and is summed there; what had been posted for the event
it replaces is owed no more.
"""

from decimal import Decimal

from django.db import connection

from usage.models import RatingChange, RatingRun, UsageEvent
from usage.rerating.ratings import (
    ADJUSTMENTS,
    AFTER_COLUMNS,
    CHANGE_COLUMNS,
    EVENT_COLUMNS,
    IN_WINDOW,
    listed,
)
from usage.rerating.reading import Restriction, limits_of

IS_REPLACED = f"e.state = {UsageEvent.State.SUPERSEDED.value}"
_OWN, _ADJUSTED = listed("e", EVENT_COLUMNS), listed("a", AFTER_COLUMNS)
_WITHDRAW = f"""
    INSERT INTO usage_ratingchange ({", ".join(CHANGE_COLUMNS)})
    SELECT %(run)s, e.organization_id, e.kind_id, e.occurred_at, e.id, {_ADJUSTED}, {_OWN},
           {RatingChange.Outcome.PLANNED.value}
    FROM usage_usageevent e JOIN ({ADJUSTMENTS}) a ON a.adjusted_pk = e.id
    WHERE {IN_WINDOW} AND {IS_REPLACED} AND ({_ADJUSTED}) IS DISTINCT FROM ({_OWN}) {{limits}}
    RETURNING before_cost, after_cost
"""


def plan_withdrawals(
    run: RatingRun, restriction: Restriction
) -> list[tuple[Decimal | None, Decimal | None]]:
    """Write down that adjustments of replaced events end; return the cost before and after."""
    if run.only_unpriced or restriction.priced:
        return []
    conditions, parameters = limits_of(run, restriction)
    limits = "".join(f" AND {condition}" for condition in conditions)
    with connection.cursor() as cursor:
        cursor.execute(_WITHDRAW.format(limits=limits), {**parameters, "run": run.pk})
        rows: list[tuple[Decimal | None, Decimal | None]] = cursor.fetchall()
    return rows
