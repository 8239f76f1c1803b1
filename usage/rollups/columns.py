"""The columns all rollup statements share, as SQL."""

from usage.models import UsageEvent
from usage.models.rollups import Dimensions, Sums

_COUNTED = UsageEvent.State.COUNTED.value
_ADJUSTMENT = UsageEvent.State.ADJUSTMENT.value

SUMS = Sums.COUNTS + Sums.COSTS
DIMENSIONS = Dimensions.NAMES

SUM_LIST = ", ".join(SUMS)
DIMENSION_LIST = ", ".join(DIMENSIONS)
# What a level sums of the level below; sum() of bigint is numeric, so cast back.
SUM_OF_SUMS = ", ".join(
    [f"sum({name})::bigint AS {name}" for name in Sums.COUNTS]
    + [f"sum({name}) AS {name}" for name in Sums.COSTS]
)
# An adjustment brings its costs alone; it has no tokens, no error and always a cost.
IN_SUMS = f"state IN ({_COUNTED}, {_ADJUSTMENT})"
IS_CALL = f"state = {_COUNTED}"
SUM_OF_EVENTS = ", ".join(
    [
        f"count(*) FILTER (WHERE {IS_CALL}) AS events",
        "count(*) FILTER (WHERE status = 1) AS errors",
        "count(*) FILTER (WHERE cost IS NULL) AS unpriced_events",
    ]
    + [f"sum({name})::bigint AS {name}" for name in Sums.COUNTS[3:-1]]
    + ["coalesce(sum(duration_ms), 0)::bigint AS duration_ms"]
    + [f"coalesce(sum({name}), 0) AS {name}" for name in Sums.COSTS]
)


def set_excluded(names: tuple[str, ...]) -> str:
    """The assignments of an upsert."""
    return ", ".join(f"{name} = excluded.{name}" for name in names)


def differs(table: str, names: tuple[str, ...]) -> str:
    """True for rows that an upsert would really change."""
    old = ", ".join(f"{table}.{name}" for name in names)
    new = ", ".join(f"excluded.{name}" for name in names)
    return f"({old}) IS DISTINCT FROM ({new})"


def comparable(*names: str) -> str:
    """`names` and the dimensions as a row that holds no NULL; ids are never 0."""
    return ", ".join([*names, *(f"coalesce({name}, 0)" for name in DIMENSIONS)])
