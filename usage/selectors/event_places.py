"""Finding events, and counting them, by looking only where sums say that they may lie."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from itertools import chain, groupby
from typing import Any, Final

from django.core.exceptions import EmptyResultSet
from django.db.models import F, QuerySet
from django.db.models.expressions import RawSQL

from usage.models import UsageEvent
from usage.replica import reading
from usage.selectors.event_hours import NOTHING, Counted, Search, Stretch, stretches

Place = tuple[datetime, int]
"""Where an event stands among all: its `occurred_at` and id."""
Hour = list[Stretch]
"""Stretches of several organizations that begin together."""
_AT_ONCE, _GROWTH = 16, 4
_SPANS: Final = """
    unnest(%s::integer[], %s::timestamptz[], %s::timestamptz[]) AS span (owner, lo, hi)
    CROSS JOIN LATERAL ({rows})
"""


def find_places(
    search: Search, *, limit: int, offset: int = 0, oldest_first: bool = False
) -> list[Place]:
    """The places of at most `limit` events, newest first, after the first `offset` of them."""
    found: list[Place] = []
    ordered = groupby(
        stretches(search, oldest_first=oldest_first), key=lambda stretch: stretch.start
    )
    hours, offset = _passing_over((list(together) for _, together in ordered), offset)
    wanted = offset + limit
    for chunk in _chunks(hours, wanted):
        found += _places(search, chunk, wanted - len(found), oldest_first=oldest_first)
        if len(found) >= wanted:
            break
    return found[offset:wanted]


def count_up_to(search: Search, most: int) -> Counted:
    """How many events there are and what they cost; no further than `most` and one more."""
    total = NOTHING
    unsure: list[Stretch] = []
    at_once = _AT_ONCE
    for stretch in stretches(search):
        if stretch.counted is None:
            unsure.append(stretch)
        else:
            total = total.plus(stretch.counted)
        if len(unsure) >= at_once:
            total = total.plus(_count(search, unsure, most + 1))
            unsure, at_once = [], at_once * _GROWTH
        if total.events > most:
            return total
    return total.plus(_count(search, unsure, most + 1)) if unsure else total


def at_places(places: Sequence[Place]) -> QuerySet[UsageEvent]:
    """The events at these places, in no order."""
    times, ids = zip(*places, strict=True) if places else ((), ())
    # Found by the index of times alone: with two lists it would be searched for every pair.
    events = UsageEvent.objects.alias(row=F("id") + 0)
    return events.filter(occurred_at__in=set(times), row__in=ids)


def _passing_over(hours: Iterator[Hour], offset: int) -> tuple[Iterator[Hour], int]:
    """`hours` without those at first that lie wholly before an offset, and what is left of it."""
    for hour in hours:
        counts = [stretch.counted for stretch in hour]
        known = sum(counted.events for counted in counts if counted)
        if None in counts or known > offset:
            return chain([hour], hours), offset
        offset -= known
    return hours, offset


def _chunks(hours: Iterable[Hour], wanted: int) -> Iterator[list[Stretch]]:
    """Stretches to look at together: until they hold enough, as far as is known, or are many."""
    chunk: list[Stretch] = []
    expected, at_once = 0, _AT_ONCE
    for hour in hours:
        chunk += hour
        expected += sum(stretch.counted.events for stretch in hour if stretch.counted)
        if expected >= wanted or len(chunk) >= at_once:
            yield chunk
            chunk, expected, at_once = [], 0, at_once * _GROWTH
    if chunk:
        yield chunk


def _places(search: Search, chunk: list[Stretch], limit: int, *, oldest_first: bool) -> list[Place]:
    way = "" if oldest_first else "-"
    rows = _within(search, chunk).order_by(f"{way}occurred_at", f"{way}id")
    order = "at, id" if oldest_first else "at DESC, id DESC"
    return _run(
        f"SELECT at, id FROM {_SPANS} AS found (at, id) ORDER BY {order} LIMIT %s",
        rows.values_list("occurred_at", "id"),
        chunk,
        limit,
    )


def _count(search: Search, chunk: list[Stretch], limit: int) -> Counted:
    ((events, cost, unpriced),) = _run(
        "SELECT count(*), coalesce(sum(cost), 0), count(*) FILTER (WHERE cost IS NULL)"
        f" FROM (SELECT cost FROM {_SPANS} AS found (cost) LIMIT %s) AS counted",
        _within(search, chunk).values_list("cost", flat=True),
        chunk,
        limit,
    ) or [NOTHING]
    return Counted(events, Decimal(cost), unpriced)


def _within(search: Search, chunk: list[Stretch]) -> QuerySet[UsageEvent]:
    """The events of one row `span`, and of no month outside of the whole chunk."""
    rows = search.events.filter(
        occurred_at__gte=min(stretch.start for stretch in chunk),
        occurred_at__lt=max(stretch.end for stretch in chunk),
    )
    if len(chunk) > 1:
        rows = rows.filter(
            occurred_at__gte=RawSQL("span.lo", ()), occurred_at__lt=RawSQL("span.hi", ())
        )
    if chunk[0].organization_id is None:
        return rows
    return rows.filter(organization_id=RawSQL("span.owner", ()))


def _run(
    statement: str, rows: QuerySet[UsageEvent, Any], chunk: list[Stretch], limit: int
) -> list[Any]:
    """What a statement finds in `chunk`, `rows` being what it reads of each stretch."""
    try:
        inner, values = rows[:limit].query.sql_with_params()
    except EmptyResultSet:
        return []
    owners = [stretch.organization_id for stretch in chunk]
    starts, ends = [stretch.start for stretch in chunk], [stretch.end for stretch in chunk]
    with reading().cursor() as cursor:
        cursor.execute(statement.format(rows=inner), [owners, starts, ends, *values, limit])
        return list(cursor.fetchall())
