"""An event's whole rating, as SQL: what is stored, what an adjustment has made of it.

In a closed month the event keeps its columns, and the latest adjustment in effect says what
it counts for. Statements name the event `e`, a change `c` and that adjustment `a`.
"""

from usage.models import RatingChange, UsageEvent

ADJUSTED = RatingChange.Outcome.ADJUSTED.value
IS_CALL = f"e.state = {UsageEvent.State.COUNTED.value}"
COSTS = ("cost", "input_cost", "output_cost", "cache_cost")
_PARTS = ("version_id", "exchange_rate", *COSTS)
EVENT_COLUMNS = ("price_version_id", "exchange_rate", *COSTS)
BEFORE_COLUMNS = tuple(f"before_{name}" for name in _PARTS)
AFTER_COLUMNS = tuple(f"after_{name}" for name in _PARTS)

CHANGE_COLUMNS = (
    "run_id", "organization_id", "kind_id", "occurred_at", "event_pk", *BEFORE_COLUMNS,
    *AFTER_COLUMNS, "outcome",
)  # fmt: skip
_ADJUSTED_TO = ", ".join(f"c.{name}" for name in AFTER_COLUMNS)
# The latest applied one counts, whatever the order in which runs were planned.
ADJUSTMENTS = f"""
    SELECT DISTINCT ON (c.event_pk) c.event_pk AS adjusted_pk, {_ADJUSTED_TO}
    FROM usage_ratingchange c JOIN usage_ratingrun r ON r.id = c.run_id
    WHERE c.outcome = {ADJUSTED} ORDER BY c.event_pk, r.applied_at DESC, c.id DESC
"""
IN_EFFECT = ", ".join(
    f"CASE WHEN a.adjusted_pk IS NULL THEN e.{stored} ELSE a.{adjusted} END"
    for stored, adjusted in zip(EVENT_COLUMNS, AFTER_COLUMNS, strict=True)
)
UNPRICED_IN_EFFECT = "e.cost IS NULL AND (a.adjusted_pk IS NULL OR a.after_cost IS NULL)"
# Where it lies: through the primary key of the partition, whose bounds the run's window gives.
SAME_EVENT = "e.occurred_at = c.occurred_at AND e.id = c.event_pk"
IN_WINDOW = "e.occurred_at >= %(start)s AND e.occurred_at < %(end)s"
LOCAL_MONTH = (
    "date_trunc('month', date_bin('15 minutes', c.occurred_at, 'epoch')"
    " AT TIME ZONE o.time_zone)::date"
)


def listed(alias: str, names: tuple[str, ...]) -> str:
    """Columns of one table, separated by commas."""
    return ", ".join(f"{alias}.{name}" for name in names)


def assigned(names: tuple[str, ...]) -> str:
    """The assignments that give an event the rating in columns `names` of its change."""
    return ", ".join(
        f"{stored} = c.{name}" for stored, name in zip(EVENT_COLUMNS, names, strict=True)
    )
