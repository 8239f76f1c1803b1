"""Which table answers a question for which organizations: the coarsest and narrowest that is exact.

A question that names no dimension besides the organization, or one, by whatever it groups and
filters, reads facets instead of the full sums.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from usage.models.facets import Facet, HourlyFacet
from usage.rollups.columns import IN_SUMS, SUM_LIST, SUM_OF_EVENTS, SUM_OF_SUMS
from usage.selectors.access import Scoped
from usage.selectors.dimensions import Dimension
from usage.selectors.periods import Bounds, find_zone, periods_of
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


def _facets(
    table: str, when: str, columns: Mapping[str, Facet.Of], *, calendar: bool = True
) -> dict[str, Source]:
    """The narrow sums of a level by the only column they are split by, "" for none."""
    found = {}
    for column, of in {"": Facet.Of.WHOLE, **columns}.items():
        member = f", member_id AS {column}" if column else ""
        rows = f"SELECT organization_id, {when}{member}, {SUM_LIST} FROM {table}"
        found[column] = Source(f"({rows} WHERE facet = {of.value})", when, calendar=calendar)
    return found


HOUR_FACETS = _facets("usage_hourlyfacet", "hour", HourlyFacet.COLUMNS, calendar=False)
DAY_FACETS = _facets("usage_dailyfacet", "day", Facet.COLUMNS)
MONTH_FACETS = _facets("usage_monthlyfacet", "month", Facet.COLUMNS)
_HOUR = timedelta(hours=1)
# No zone keeps an offset for less.
_WEEK = timedelta(days=7)


class Part(NamedTuple):
    """A share of the answer: one source for some organizations, within bounds of their own.

    With `pieces` only what lies in these, which the source's rows fill exactly. Days of a calendar
    source are those of the bounds' zone.
    """

    source: Source
    organization_ids: list[int]
    bounds: Bounds
    pieces: Sequence[Bounds] = ()


def choose(
    bounds: Bounds,
    granularity: Granularity,
    dimensions: Iterable[Dimension],
    organizations: Sequence[Scoped],
    *,
    need_days: bool = False,
) -> list[Part]:
    """The parts that together answer exactly; organizations of the question's zone use
    their days or months (unless days are needed), the others hours or 15-minute buckets, and
    tags only events have.

    A question that is not split into periods takes whatever whole months and days of each
    organization's own zone lie within its bounds, and finer sums only for the edges.
    """
    dimensions = list(dimensions)
    columns = {dimension.column for dimension in dimensions} - {"organization_id"}
    everyone = [organization.id for organization in organizations]
    if not bounds.are_quarter_hours or any(d.tag for d in dimensions):
        return [Part(EVENTS, everyone, bounds)]
    if any(d.fine for d in dimensions) or granularity is Granularity.QUARTER_HOUR:
        return [Part(BUCKETS, everyone, bounds)]
    if granularity is Granularity.TOTAL and not need_days:
        return _whole(bounds, organizations, columns) or _instants(bounds, everyone, columns)
    if not (granularity.is_calendar and bounds.are_days):
        return _instants(bounds, everyone, columns)
    by_month = not need_days and granularity is Granularity.MONTH and bounds.are_months
    same = [o.id for o in organizations if o.time_zone == bounds.zone.key]
    others = [o.id for o in organizations if o.time_zone != bounds.zone.key]
    source = _months(columns) if by_month else _days(columns)
    parts = [Part(source, same, bounds)]
    if need_days or granularity is Granularity.DAY:
        parts += _instants(bounds, others, columns)
    else:
        parts += _pieced(bounds, granularity, organizations, columns)
    return [part for part in parts if part.organization_ids] or parts[:1]


def _whole(bounds: Bounds, organizations: Sequence[Scoped], columns: Collection[str]) -> list[Part]:
    parts = []
    for zone, ids in _by_zone(organizations).items():
        found = _coarsest(bounds.seen_in(zone), columns)
        parts += [Part(source, ids, part) for source, part in found]
    return parts


def _pieced(
    bounds: Bounds,
    granularity: Granularity,
    organizations: Sequence[Scoped],
    columns: Collection[str],
) -> list[Part]:
    """Parts that weeks and months are built of where organizations have other days: the days
    of theirs that lie within one, and finer sums where two meet."""
    periods = periods_of(bounds, granularity)
    parts = []
    for zone, ids in _by_zone(organizations).items():
        pieces: dict[Source, list[Bounds]] = {}
        for period in periods if zone.key != bounds.zone.key else ():
            for source, piece in _coarsest(period.seen_in(zone), columns):
                pieces.setdefault(source, []).append(piece)
        parts += [
            Part(source, ids, bounds.seen_in(zone), found) for source, found in pieces.items()
        ]
    return parts


def _by_zone(organizations: Iterable[Scoped]) -> dict[ZoneInfo, list[int]]:
    zones: dict[ZoneInfo, list[int]] = {}
    for organization in organizations:
        zones.setdefault(find_zone(organization.time_zone), []).append(organization.id)
    return zones


def _instants(bounds: Bounds, organization_ids: list[int], columns: Collection[str]) -> list[Part]:
    """Parts that can be split into hours of the question's zone, and days built of them."""
    found = _finest(bounds, columns) if _has_whole_hours(bounds) else [(BUCKETS, bounds)]
    return [Part(source, organization_ids, part) for source, part in found]


def _coarsest(bounds: Bounds, columns: Collection[str]) -> list[tuple[Source, Bounds]]:
    """The sources of bounds in the zone of the organizations that are asked about."""
    if not bounds.are_quarter_hours:
        return _finest(bounds, columns)
    days, edges = bounds.split(bounds.whole_days)
    found = [part for edge in edges for part in _finest(edge, columns)]
    if days is None:
        return found
    months, edges = days.split(days.whole_months)
    found += [(_days(columns), edge) for edge in edges]
    return found if months is None else [*found, (_months(columns), months)]


def _finest(bounds: Bounds, columns: Collection[str]) -> list[tuple[Source, Bounds]]:
    """The sources of bounds that hold whole quarters of an hour of UTC."""
    hours = _narrow(HOUR_FACETS, columns)
    start, end = _hour_of(bounds.start + _HOUR - timedelta.resolution), _hour_of(bounds.end)
    if hours is None or start >= end:
        return [(BUCKETS, bounds)]
    edges = replace(bounds, end=start), replace(bounds, start=end)
    found = [(BUCKETS, edge) for edge in edges if edge.start < edge.end]
    return [*found, (hours, replace(bounds, start=start, end=end))]


def _hour_of(instant: datetime) -> datetime:
    return instant.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def _has_whole_hours(bounds: Bounds) -> bool:
    """Whether hours of the bounds' zone are hours of UTC from start to end."""
    at = bounds.start
    while at < bounds.end:
        if (at.astimezone(bounds.zone).utcoffset() or timedelta()) % _HOUR:
            return False
        at += _WEEK
    return not (bounds.end.astimezone(bounds.zone).utcoffset() or timedelta()) % _HOUR


def _days(columns: Collection[str]) -> Source:
    return _narrow(DAY_FACETS, columns) or DAYS


def _months(columns: Collection[str]) -> Source:
    return _narrow(MONTH_FACETS, columns) or MONTHS


def _narrow(facets: Mapping[str, Source], columns: Collection[str]) -> Source | None:
    """The facet that has all of `columns`."""
    return facets.get(next(iter(columns), "")) if len(columns) < 2 else None
