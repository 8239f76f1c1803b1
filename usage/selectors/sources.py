"""Which table answers a question for which organizations: the coarsest that is exact."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from usage.rollups.columns import IN_SUMS, SUM_OF_EVENTS, SUM_OF_SUMS
from usage.selectors.access import Scoped
from usage.selectors.dimensions import Dimension
from usage.selectors.periods import Bounds, find_zone
from usage.selectors.questions import Granularity


@dataclass(frozen=True, slots=True)
class Source:
    """A table with its time column. A calendar source holds local days, others instants."""

    table: str
    when: str
    sums: str = SUM_OF_SUMS
    calendar: bool = False
    only: str = "true"


EVENTS = Source(
    "usage_usageevent",
    "occurred_at",
    sums=SUM_OF_EVENTS,
    only=f"r.{IN_SUMS}",
)
BUCKETS = Source("usage_usagerollup", "bucket")
DAYS = Source("usage_dailyrollup", "day", calendar=True)
MONTHS = Source("usage_monthlyrollup", "month", calendar=True)


class Part(NamedTuple):
    """A share of the answer: one source for some organizations, within bounds of their own."""

    source: Source
    organization_ids: list[int]
    bounds: Bounds


def choose(
    bounds: Bounds,
    granularity: Granularity,
    dimensions: Iterable[Dimension],
    organizations: Sequence[Scoped],
    *,
    need_days: bool = False,
) -> list[Part]:
    """The parts that together answer exactly; organizations of the question's zone use
    their days or months (unless days are needed), the others 15-minute buckets, and tags
    only events have.

    A question that is not split into periods takes whatever whole months and days of each
    organization's own zone lie within its bounds, and finer sums only for the edges.
    """
    dimensions = list(dimensions)
    everyone = [organization.id for organization in organizations]
    if not bounds.are_quarter_hours or any(d.tag for d in dimensions):
        return [Part(EVENTS, everyone, bounds)]
    if any(d.fine for d in dimensions):
        return [Part(BUCKETS, everyone, bounds)]
    if granularity is Granularity.TOTAL and not need_days:
        return _whole(bounds, organizations) or [Part(BUCKETS, everyone, bounds)]
    if not (granularity.is_calendar and bounds.are_days):
        return [Part(BUCKETS, everyone, bounds)]
    by_month = not need_days and granularity is Granularity.MONTH and bounds.are_months
    same = [o.id for o in organizations if o.time_zone == bounds.zone.key]
    others = [o.id for o in organizations if o.time_zone != bounds.zone.key]
    parts = [Part(MONTHS if by_month else DAYS, same, bounds), Part(BUCKETS, others, bounds)]
    return [part for part in parts if part.organization_ids] or parts[:1]


def _whole(bounds: Bounds, organizations: Sequence[Scoped]) -> list[Part]:
    zones: dict[str, list[int]] = {}
    for organization in organizations:
        zones.setdefault(organization.time_zone, []).append(organization.id)
    parts = []
    for name, ids in zones.items():
        local = bounds.seen_in(find_zone(name))
        parts += [Part(source, ids, part) for source, part in _coarsest(local)]
    return parts


def _coarsest(bounds: Bounds) -> list[tuple[Source, Bounds]]:
    """The sources of bounds in the zone of the organizations that are asked about."""
    if not bounds.are_quarter_hours:
        return [(BUCKETS, bounds)]
    days, edges = bounds.split(bounds.whole_days)
    found = [(BUCKETS, edge) for edge in edges]
    if days is None:
        return found
    months, edges = days.split(days.whole_months)
    found += [(DAYS, edge) for edge in edges]
    return found if months is None else [*found, (MONTHS, months)]
