"""When somebody first called."""

from collections.abc import Collection, Mapping
from datetime import datetime

from usage.replica import reading
from usage.rollups.columns import IS_CALL
from usage.selectors.access import Viewer, find_scope
from usage.selectors.filters import ORGANIZATION, Parameters, condition, read_filters
from usage.selectors.periods import bounds_of


def first_call_at(
    viewer: Viewer,
    start: datetime,
    end: datetime,
    *,
    filters: Mapping[str, Collection[str]] | None = None,
) -> datetime | None:
    """The instant of the first counted call from `start` to before `end` (both aware), None if
    there is none. Raises QuestionError."""
    bounds = bounds_of(start, end, "UTC")
    scope = [found.id for found in find_scope(viewer, (filters or {}).get(ORGANIZATION))]
    parameters = Parameters()
    conditions = [
        f"r.{IS_CALL}",
        f"r.occurred_at >= {parameters.add(bounds.start)}",
        f"r.occurred_at < {parameters.add(bounds.end)}",
        *(condition(parameters, scope, wanted) for wanted in read_filters(filters or {})),
    ]
    # One look into the index for each organization, whatever lies behind the first call.
    statement = f"""
        SELECT min(first.occurred_at)
        FROM unnest({parameters.add(scope)}::int[]) AS wanted (organization_id)
        CROSS JOIN LATERAL (
            SELECT r.occurred_at FROM usage_usageevent r
            WHERE r.organization_id = wanted.organization_id AND {" AND ".join(conditions)}
            ORDER BY r.occurred_at LIMIT 1
        ) AS first
    """
    with reading().cursor() as cursor:
        cursor.execute(statement, parameters.values)
        at: datetime | None = cursor.fetchone()[0]
    return at
