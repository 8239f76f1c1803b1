"""How many sessions or runs a period had."""

from collections.abc import Collection, Mapping
from datetime import date, datetime

from usage.replica import reading
from usage.selectors.access import Viewer, find_scope
from usage.selectors.dimensions import find_dimension
from usage.selectors.episodes import EpisodeKind
from usage.selectors.filters import ORGANIZATION, Parameters, condition, read_filters
from usage.selectors.periods import bounds_of
from usage.selectors.questions import Granularity
from usage.selectors.sources import choose


def count_episodes(
    viewer: Viewer,
    kind: EpisodeKind,
    start: date | datetime,
    end: date | datetime,
    *,
    time_zone: str,
    filters: Mapping[str, Collection[str]] | None = None,
) -> int:
    """How many sessions or runs have a call from `start` to before `end`; dates are days of
    `time_zone`. The same name in two organizations counts twice. Raises QuestionError."""
    bounds = bounds_of(start, end, time_zone)
    wanted = read_filters(filters or {})
    scope = find_scope(viewer, (filters or {}).get(ORGANIZATION))
    dimension = find_dimension(kind, kind)
    named = [dimension, *(filtered for filtered, _ in wanted)]
    # An episode is too fine for days and months, so one source answers for everybody.
    (part,) = choose(bounds, Granularity.TOTAL, named, scope)
    parameters = Parameters()
    conditions = [
        part.source.only,
        f"r.organization_id = ANY({parameters.add(part.organization_ids)}::int[])",
        f"r.{part.source.when} >= {parameters.add(bounds.start)}",
        f"r.{part.source.when} < {parameters.add(bounds.end)}",
        f"r.{dimension.column} IS NOT NULL",
        *(condition(parameters, part.organization_ids, one) for one in wanted),
    ]
    statement = f"""
        SELECT count(*) FROM (
            SELECT DISTINCT r.organization_id, r.{dimension.column}
            FROM {part.source.table} r WHERE {" AND ".join(conditions)}
        ) AS episode
    """
    with reading().cursor() as cursor:
        cursor.execute(statement, parameters.values)
        count: int = cursor.fetchone()[0]
    return count
