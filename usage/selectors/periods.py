"""Bounds of a question as instants and as local days, and the periods between them."""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from usage.ingest.partitions import next_month
from usage.selectors.questions import MAX_ROWS, Granularity, QuestionError

FIRST_YEAR, LAST_YEAR = 1971, 2199
_DAY = timedelta(days=1)
_QUARTER_HOUR = timedelta(minutes=15)
_SHORTEST = {
    Granularity.QUARTER_HOUR: _QUARTER_HOUR,
    Granularity.HOUR: timedelta(hours=1),
    Granularity.DAY: timedelta(days=1),
    Granularity.WEEK: timedelta(days=7),
    Granularity.MONTH: timedelta(days=28),
}


@dataclass(frozen=True, slots=True)
class Bounds:
    """`start` inclusive to `end` exclusive in UTC, and the same as seen in `zone`."""

    start: datetime
    end: datetime
    zone: ZoneInfo

    @property
    def first_day(self) -> date:
        """The local day the bounds start in."""
        return self.start.astimezone(self.zone).date()

    @property
    def last_day(self) -> date:
        """The last local day that has a part within the bounds."""
        return (self.end - timedelta(microseconds=1)).astimezone(self.zone).date()

    @property
    def are_days(self) -> bool:
        """Whether both bounds are local midnights."""
        return all(
            at == midnight(at.astimezone(self.zone).date(), self.zone)
            for at in (self.start, self.end)
        )

    @property
    def are_months(self) -> bool:
        """Whether both bounds are midnights of firsts of months."""
        return self.are_days and self.first_day.day == 1 == (self.last_day + timedelta(days=1)).day

    @property
    def are_quarter_hours(self) -> bool:
        """Whether 15-minute buckets fill the bounds and the zone's days exactly."""
        return not any(
            at.timestamp() % _QUARTER_HOUR.total_seconds()
            or (at.astimezone(self.zone).utcoffset() or timedelta()) % _QUARTER_HOUR
            for at in (self.start, self.end)
        )

    @property
    def whole_days(self) -> tuple[date, date]:
        """The first local day that lies within the bounds, and the end (exclusive) of the last."""
        first, end = (at.astimezone(self.zone).date() for at in (self.start, self.end))
        return first if midnight(first, self.zone) >= self.start else first + _DAY, end

    @property
    def whole_months(self) -> tuple[date, date]:
        """The first day of the first calendar month that lies within the bounds, and the end
        (exclusive) of the last."""
        first, end = self.whole_days
        return first if first.day == 1 else next_month(first), end.replace(day=1)

    def seen_in(self, zone: ZoneInfo) -> "Bounds":
        """The same instants in another zone."""
        return replace(self, zone=zone)

    def split(self, days: tuple[date, date]) -> tuple["Bounds | None", list["Bounds"]]:
        """The part of these days, the end exclusive, None where they are none; and what is left
        before and after it."""
        if days[0] >= days[1]:
            return None, [self]
        start, end = (midnight(day, self.zone) for day in days)
        inner = replace(self, start=start, end=end)
        edges = (replace(self, end=start), replace(self, start=end))
        return inner, [edge for edge in edges if edge.start < edge.end]


@cache
def _zone_names() -> frozenset[str]:
    # A machine's own zone is no name that the database would share.
    return frozenset(available_timezones() - {"localtime"})


def find_zone(name: str, field: str = "timezone") -> ZoneInfo:
    """The zone of the IANA database called `name`. Raises QuestionError about `field`."""
    if name not in _zone_names():
        raise QuestionError(field, "unknown_timezone", f"{name!r} is not an IANA time zone.")
    return ZoneInfo(name)


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """The first instant of a local day, in UTC."""
    return datetime.combine(day, time(), zone).astimezone(UTC)


def bounds_of(start: date | datetime, end: date | datetime, time_zone: str) -> Bounds:
    """Bounds as instants. Raises QuestionError for a bad zone, order or year."""
    zone = find_zone(time_zone)
    first, last = _instant(start, zone, "from"), _instant(end, zone, "to")
    if first >= last:
        raise QuestionError("to", "empty_range", "`to` must come after `from`.")
    return Bounds(first, last, zone)


def _instant(bound: date | datetime, zone: ZoneInfo, field: str) -> datetime:
    if not FIRST_YEAR <= bound.year <= LAST_YEAR:
        raise QuestionError(
            field, "out_of_range", f"The year lies between {FIRST_YEAR} and {LAST_YEAR}."
        )
    if not isinstance(bound, datetime):
        return midnight(bound, zone)
    if bound.utcoffset() is None:
        raise QuestionError(field, "naive", "A time needs an offset; a date does not.")
    return bound.astimezone(UTC)


def first_of_period(day: date, granularity: Granularity) -> date:
    """The first day of the week or month that `day` lies in; weeks start on Monday."""
    if granularity is Granularity.WEEK:
        return day - timedelta(days=day.weekday())
    return day.replace(day=1) if granularity is Granularity.MONTH else day


def days_between(bounds: Bounds, granularity: Granularity) -> list[date]:
    """The first days of all periods that touch the bounds, ascending."""
    periods = []
    day = first_of_period(bounds.first_day, granularity)
    while day <= bounds.last_day:
        periods.append(day)
        day = next_month(day) if granularity is Granularity.MONTH else day + _SHORTEST[granularity]
    return periods


def periods_of(bounds: Bounds, granularity: Granularity) -> list[Bounds]:
    """The days, weeks or months that touch the bounds, ascending, as far as they lie within."""
    starts = [midnight(day, bounds.zone) for day in days_between(bounds, granularity)]
    starts[:1] = [bounds.start]
    ends = [*starts[1:], bounds.end]
    return [replace(bounds, start=start, end=end) for start, end in zip(starts, ends, strict=True)]


def check_count(bounds: Bounds, granularity: Granularity) -> None:
    """Raise QuestionError when there are more periods than an answer may have rows."""
    shortest = _SHORTEST.get(granularity)
    if shortest and (bounds.end - bounds.start) / shortest > MAX_ROWS:
        raise QuestionError(
            "granularity",
            "too_many_periods",
            f"These are over {MAX_ROWS} periods; ask for longer or fewer ones.",
        )
