"""The columns all rollup statements share, as SQL."""

from collections.abc import Mapping

from usage.models import UsageEvent
from usage.models.facets import Facet
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


def facets(columns: Mapping[str, Facet.Of]) -> str:
    """What a row of a statement grouped by `facet_sets` is the sum of."""
    # Only one of the columns is grouped by in each set, so that the others are NULL.
    cases = " ".join(f"WHEN GROUPING({name}) THEN {of.value}" for name, of in columns.items())
    return (
        f"CASE 0 {cases} ELSE {Facet.Of.WHOLE.value} END AS facet,"
        f" coalesce({', '.join(columns)}) AS member_id"
    )


def facet_sets(columns: Mapping[str, Facet.Of], period: str) -> str:
    """Each of `columns` alone, and none of them, together with the expression `period`."""
    sets = ", ".join(f"({period}, {name})" for name in columns)
    return f"GROUPING SETS ({sets}, ({period}))"
