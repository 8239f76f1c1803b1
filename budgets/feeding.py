"""Feeding: what is stored counts against windows in the transaction that stores it."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from django.db import connection
from django.utils import timezone

from budgets.book import fresh_book, known_book
from budgets.opening import WindowKey, key_arrays, open_windows
from budgets.reservations.naming import is_estimate
from budgets.summing import UNITS, Delta, Taken, calls_of, deltas_of
from usage.ingest.claims import array_of
from usage.ingest.corrections import Superseded
from usage.ingest.rows import Rated
from usage.signals import Overtaken

_FEED = """
    SELECT budgets_feed(
        %s, %s::integer[], %s::bigint[], %s::bigint[], %s::timestamptz[], %s::numeric[],
        %s::bigint[], %s::uuid[], %s::text[], %s::text[], %s::numeric[], %s::boolean[], %s)
"""


@dataclass(slots=True)
class _Settled:
    """What events say of the reservations that they name."""

    ids: list[str] = field(default_factory=list)
    events: list[str] = field(default_factory=list)
    corrected: list[str | None] = field(default_factory=list)
    costs: list[Decimal | None] = field(default_factory=list)
    estimated: list[bool] = field(default_factory=list)


def feed_stored(rated: Sequence[Rated], superseded: Sequence[Superseded]) -> None:
    """Count stored events, and no longer those they replace, and end their reservations.

    Runs in the storing transaction, as the last thing it does: windows stay locked until then.
    Raises Overtaken where a reservation has been ended since its event was offered.
    """
    owners = {r.prepared.tenant.id for r in rated} | {s.organization_id for s in superseded}
    if owners:
        _feed(owners, rated, calls_of(superseded))


def _feed(owners: Collection[int], rated: Sequence[Rated], taken: Sequence[Taken]) -> None:
    now = timezone.now()
    settled = _settled(rated)
    book = known_book()
    opened: set[WindowKey] = set()
    while True:
        # Without a budget the database has only to confirm that there is none.
        deltas = deltas_of(book.index, rated, taken) if book.index.limits(owners) else {}
        # What this transaction has opened has counted its events already.
        added = {key: delta for key, delta in deltas.items() if key not in opened}
        answer = _call(book.edition, owners, added, settled, now)
        if answer == "done":
            return
        if answer == "overtaken":
            raise Overtaken
        if answer == "missing":
            opened |= open_windows(added, now)
        book = fresh_book()


def _call(
    edition: int,
    owners: Collection[int],
    deltas: dict[WindowKey, Delta],
    settled: _Settled,
    now: datetime,
) -> str:
    with connection.cursor() as cursor:
        cursor.execute(
            _FEED,
            (
                edition,
                array_of(owners),
                *key_arrays(deltas),
                array_of([f"{delta.units}e-{UNITS}" for delta in deltas.values()]),
                array_of([delta.unpriced for delta in deltas.values()]),
                settled.ids,
                settled.events,
                settled.corrected,
                settled.costs,
                settled.estimated,
                now,
            ),
        )
        return str(cursor.fetchone()[0])


def _settled(rated: Sequence[Rated]) -> _Settled:
    found = _Settled()
    naming = [r for r in rated if r.prepared.event.reservation and not r.prepared.part]
    has_parts = any(r.prepared.part for r in rated)
    for named in naming:
        event, index = named.prepared.event, named.prepared.index
        # A call may have passes of other models, which are part of what it cost.
        passes = [r for r in rated if r.prepared.index == index] if has_parts else [named]
        costs = [r.rating.cost for r in passes if r.rating]
        reservation = str(event.reservation)
        found.ids.append(reservation)
        found.events.append(event.event_id)
        found.corrected.append(event.corrects)
        found.costs.append(Decimal(sum(costs)).scaleb(-UNITS) if costs else None)
        found.estimated.append(is_estimate(reservation, event.event_id))
    return found
