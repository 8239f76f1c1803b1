"""Which table answers a question for which organizations: the coarsest that is exact."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from usage.rollups.columns import IN_SUMS, SUM_OF_EVENTS, SUM_OF_SUMS
from usage.selectors.access import Scoped
from usage.selectors.dimensions import Dimension
from usage.selectors.periods import Bounds
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
    """A share of the answer: one source for some organizations."""

    source: Source
    organization_ids: list[int]


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
    only events have."""
    dimensions = list(dimensions)
    everyone = [organization.id for organization in organizations]
    if not bounds.are_quarter_hours or any(d.tag for d in dimensions):
        return [Part(EVENTS, everyone)]
    by_day = granularity.is_calendar and bounds.are_days
    if not by_day or any(d.fine for d in dimensions):
        return [Part(BUCKETS, everyone)]
    by_month = (
        not need_days
        and granularity in (Granularity.TOTAL, Granularity.MONTH)
        and bounds.are_months
    )
    same = [o.id for o in organizations if o.time_zone == bounds.zone.key]
    others = [o.id for o in organizations if o.time_zone != bounds.zone.key]
    parts = [Part(MONTHS if by_month else DAYS, same), Part(BUCKETS, others)]
    return [part for part in parts if part.organization_ids] or parts[:1]
