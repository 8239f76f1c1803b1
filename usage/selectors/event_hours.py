"""Where events lie, hour by hour, and how many of them, as far as sums tell.

No index leads from a project, a person or a model to its events, nor from a session. The narrow
sums of each hour do, and 15-minute sums from people, sessions and runs. What those may not know is
looked for beside them: hours that the roll up has still to see carry a mark, and events that a
correction replaced or made have an index of their own.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import reduce
from operator import and_
from typing import Any, NamedTuple

from django.db.models import Q, QuerySet, Sum
from django.db.models.functions import TruncHour

from usage.models import DirtyMark, HourlyFacet, UsageEvent, UsageRollup

HOUR = timedelta(hours=1)
_LONGEST_AHEAD = timedelta(days=2)
"""No event is further ahead of the clock."""
_FIRST_WINDOW, _GROWTH = timedelta(days=3), 16
_LED_TO = frozenset(("session_id", "run_id", "subject_id"))
"""Columns of 15-minute sums that have an index."""


class Named(NamedTuple):
    """Values that a column may have, which sums have as well; `or_none`: or none at all."""

    column: str
    values: Sequence[Any]
    or_none: bool = False

    def condition(self, column: str = "") -> Q:
        """What is true for rows of a table that has the values in `column`."""
        name = column or self.column
        among = Q(**{f"{name}__in": self.values})
        return among | Q(**{f"{name}__isnull": True}) if self.or_none else among


class Counted(NamedTuple):
    """How many events, what the priced ones cost, and how many have no price."""

    events: int
    cost: Decimal
    unpriced: int

    def plus(self, other: "Counted") -> "Counted":
        """Both together."""
        return Counted(
            self.events + other.events, self.cost + other.cost, self.unpriced + other.unpriced
        )


NOTHING = Counted(0, Decimal(0), 0)


class Stretch(NamedTuple):
    """From `start` to before `end`; `counted` tells exactly what is there, None if unsure.

    `organization_id` None means all of them.
    """

    organization_id: int | None
    start: datetime
    end: datetime
    counted: Counted | None = None


@dataclass(frozen=True, slots=True)
class Search:
    """Events from `start` to before `end` that pass all of `named` and all of `facts`.

    `organizations` are those in question, with `everyone` all there are. `summed` is true of all
    sums of such events; an `indexed` fact has an index of its own.
    """

    organizations: Sequence[int]
    start: datetime
    end: datetime
    named: Sequence[Named] = ()
    facts: QuerySet[UsageEvent] | None = None
    summed: Q = field(default_factory=Q)
    indexed: bool = False
    everyone: bool = False

    @property
    def events(self) -> QuerySet[UsageEvent]:
        """The events but for organization and time."""
        events = UsageEvent.objects.order_by() if self.facts is None else self.facts.order_by()
        return events.filter(self.condition) if self.named else events

    @property
    def condition(self) -> Q:
        """What all of `named` ask of a row of events or of 15-minute sums."""
        return reduce(and_, (named.condition() for named in self.named), Q())

    @property
    def finds_nothing(self) -> bool:
        """Whether nothing can be found, whatever is stored."""
        return (
            not self.organizations
            or self.start >= self.end
            or not all(named.values or named.or_none for named in self.named)
        )


def stretches(search: Search, *, oldest_first: bool = False) -> Iterator[Stretch]:
    """All stretches that may hold events of a search, in order of time.

    Stretches that begin at the same time follow each other; no two overlap in an organization.
    """
    if search.finds_nothing:
        return
    if not any(_is_summed(named) for named in search.named):
        is_one = search.everyone and not search.indexed
        owners: Sequence[int | None] = [None] if is_one else search.organizations
        yield from (Stretch(owner, search.start, search.end) for owner in owners)
        return
    for start, end in _windows(search, oldest_first=oldest_first):
        yield from _within(search, start, end, oldest_first=oldest_first)


def _windows(search: Search, *, oldest_first: bool) -> Iterator[tuple[datetime, datetime]]:
    """Whole hours of the search, first few and then many: most searches end in the first."""
    first = _hour_of(search.start)
    end = min(search.end, datetime.now(UTC) + _LONGEST_AHEAD)
    length = _FIRST_WINDOW
    while first < end:
        if end - first <= length * 2 or length > timedelta(days=365):
            yield first, end
            return
        if oldest_first:
            yield first, first + length
            first += length
        else:
            since = _hour_of(end - length)
            yield since, end
            end = since
        length *= _GROWTH


def _within(search: Search, first: datetime, end: datetime, *, oldest_first: bool) -> list[Stretch]:
    # Marks are read before sums: what is summed in between is then looked at, never missed.
    unsure = _unsure(search, first, end)
    known = _known(search, first, end)
    found = []
    for place in known.keys() | unsure:
        owner, hour = place
        start, stop = max(hour, search.start), min(hour + HOUR, search.end)
        whole = stop - start == HOUR and place not in unsure
        found.append(Stretch(owner, start, stop, known[place] if whole else None))
    return sorted(found, key=lambda stretch: stretch.start, reverse=not oldest_first)


def _known(
    search: Search, first: datetime, end: datetime
) -> dict[tuple[int, datetime], Counted | None]:
    """Hours with events by the sums, and how many where the sums know them exactly."""
    if any(named.column in _LED_TO for named in search.named):
        rows = UsageRollup.objects.filter(search.condition, bucket__gte=first, bucket__lt=end)
        return _summed(search, rows.annotate(at=TruncHour("bucket", tzinfo=UTC)), "at")
    found: list[dict[tuple[int, datetime], Counted | None]] = []
    for named in filter(_is_summed, search.named):
        members = HourlyFacet.objects.filter(
            named.condition("member_id"),
            facet=HourlyFacet.COLUMNS[named.column], hour__gte=first, hour__lt=end,
        )  # fmt: skip
        found.append(_summed(search, members, "hour"))
    if len(search.named) == 1:
        return found[0]
    return dict.fromkeys(set.intersection(*map(set, found)))


def _summed(
    search: Search, rows: QuerySet[Any], when: str
) -> dict[tuple[int, datetime], Counted | None]:
    sums = (
        rows.filter(search.summed, organization_id__in=search.organizations)
        .order_by()
        .values_list("organization_id", when)
        .annotate(events=Sum("events"), spend=Sum("cost"), unpriced=Sum("unpriced_events"))
    )
    return {
        (owner, hour): Counted(*counts) if search.facts is None else None
        for owner, hour, *counts in sums
    }


def _unsure(search: Search, first: datetime, end: datetime) -> set[tuple[int, datetime]]:
    """Hours that sums lag behind, or that hold what sums leave out."""
    marks = DirtyMark.objects.filter(
        organization_id__in=search.organizations, bucket__gte=first, bucket__lt=end
    ).values_list("organization_id", "bucket")
    odd = UsageEvent.objects.filter(
        search.condition,
        organization_id__in=search.organizations,
        occurred_at__gte=first,
        occurred_at__lt=end,
        state__gt=UsageEvent.State.COUNTED,
    ).values_list("organization_id", "occurred_at")
    places = [*marks.order_by().distinct(), *odd.order_by()]
    return {(owner, _hour_of(at)) for owner, at in places}


def _is_summed(named: Named) -> bool:
    return named.column in _LED_TO or named.column in HourlyFacet.COLUMNS


def _hour_of(instant: datetime) -> datetime:
    return instant.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
