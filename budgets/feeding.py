"""Feeding: what is stored counts against windows in the transaction that stores it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import TypeAlias

from django.db import connection
from django.utils import timezone

from budgets.book import Book, fresh_book, known_book
from budgets.matching import BudgetIndex, CallScope
from budgets.models import Budget
from budgets.opening import WindowKey, open_windows
from budgets.reservations.naming import is_estimate
from usage.ingest import identities
from usage.ingest.corrections import Superseded
from usage.ingest.rows import Rated, is_reversal
from usage.models import CallKind, UsageEvent
from usage.models.events import BUCKET
from usage.signals import Overtaken

_FEED = """
    SELECT budgets_feed(
        %s, %s::integer[], %s::bigint[], %s::bigint[], %s::timestamptz[], %s::numeric[],
        %s::bigint[], %s::uuid[], %s::text[], %s::text[], %s::numeric[], %s::boolean[], %s)
"""
_UNITS = 10
"""Costs are summed in whole units of 10^-10."""
_WHOLE = 10**_UNITS
_BUCKET_SECONDS = int(BUCKET.total_seconds())
_COST = Budget.Measure.COST.value
_TOKENS = Budget.Measure.TOKENS.value

_Place: TypeAlias = tuple[CallScope, int]


@dataclass(slots=True)
class _Sum:
    """What calls of one scope and bucket come to."""

    at: datetime
    cost: int = 0
    tokens: int = 0
    events: int = 0
    unpriced: int = 0

    def add(self, other: "_Sum") -> None:
        """Count more."""
        self.cost += other.cost
        self.tokens += other.tokens
        self.events += other.events
        self.unpriced += other.unpriced


@dataclass(slots=True)
class _Settled:
    """What events say of the reservations that they name."""

    ids: list[str] = field(default_factory=list)
    events: list[str] = field(default_factory=list)
    corrected: list[str | None] = field(default_factory=list)
    costs: list[Decimal | None] = field(default_factory=list)
    estimated: list[bool] = field(default_factory=list)


@dataclass(slots=True)
class _Delta:
    """What is added to a window, in units of 10^-10 of its measure."""

    units: int = 0
    unpriced: int = 0


def feed_stored(
    rated: Sequence[Rated], superseded: Sequence[Superseded], api_key_id: int | None
) -> None:
    """Count stored events, and no longer those they replace, and end their reservations.

    Runs in the storing transaction, as the last thing it does: windows stay locked until then.
    Raises Overtaken where a reservation has been ended since its event was offered.
    """
    sums: dict[_Place, _Sum] = {}
    _add_stored(sums, rated, api_key_id)
    if superseded:
        _take_superseded(sums, superseded)
    owners = sorted({scope.organization for scope, _ in sums})
    if owners:
        _feed(owners, sums, _settled(rated))


def _feed(owners: list[int], sums: dict[_Place, _Sum], settled: _Settled) -> None:
    now = timezone.now()
    book = known_book()
    opened: set[WindowKey] = set()
    while True:
        deltas = _deltas(book, sums)
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
    owners: list[int],
    deltas: dict[WindowKey, _Delta],
    settled: _Settled,
    now: datetime,
) -> str:
    with connection.cursor() as cursor:
        cursor.execute(
            _FEED,
            (
                edition,
                owners,
                [key.budget for key in deltas],
                [key.member for key in deltas],
                [key.start for key in deltas],
                [Decimal(delta.units).scaleb(-_UNITS) for delta in deltas.values()],
                [delta.unpriced for delta in deltas.values()],
                settled.ids,
                settled.events,
                settled.corrected,
                settled.costs,
                settled.estimated,
                now,
            ),
        )
        return str(cursor.fetchone()[0])


def _add_stored(sums: dict[_Place, _Sum], rated: Iterable[Rated], api_key_id: int | None) -> None:
    for r in rated:
        prepared = r.prepared
        event = prepared.event
        if event.corrects is not None and is_reversal(event):
            # It counts nothing, but the organization's windows change by what it replaces.
            continue
        words = r.words
        scope = CallScope(
            prepared.tenant.id,
            *identities.ids_of(prepared),
            api_key_id,
            words[0],
            words[1],
            words[4],
            words[5],
        )
        found = _sum_at(sums, scope, event.occurred_at)
        found.events += 1
        found.tokens += event.input_tokens + event.output_tokens
        if r.rating is None:
            found.unpriced += 1
        else:
            found.cost += r.rating.cost


def _take_superseded(sums: dict[_Place, _Sum], superseded: Sequence[Superseded]) -> None:
    kinds = CallKind.objects.in_bulk({s.kind_id for s in superseded})
    for s in superseded:
        kind = kinds[s.kind_id]
        scope = CallScope(
            s.organization_id,
            s.project_id,
            s.team_id,
            s.subject_id,
            s.api_key_id,
            kind.provider,
            kind.model,
            kind.action,
            kind.agent_type,
        )
        found = _sum_at(sums, scope, s.occurred_at)
        if s.state == UsageEvent.State.REVERSAL:
            continue
        found.events -= s.state == UsageEvent.State.COUNTED
        found.tokens -= s.total_tokens
        found.unpriced -= s.cost is None
        found.cost -= int((s.cost or Decimal(0)).scaleb(_UNITS))


def _sum_at(sums: dict[_Place, _Sum], scope: CallScope, at: datetime) -> _Sum:
    place = scope, int(at.timestamp()) // _BUCKET_SECONDS
    found = sums.get(place)
    if found is None:
        found = sums[place] = _Sum(at)
    return found


def _deltas(book: Book, sums: dict[_Place, _Sum]) -> dict[WindowKey, _Delta]:
    deltas: dict[WindowKey, _Delta] = {}
    for scope, found in _together(book.index, sums):
        for budget in book.index.match(scope):
            span = budget.span(found.at)
            member = budget.member_of(scope)
            if member is None or span.start < budget.counts_since or found.at < span.start:
                continue
            delta = deltas.setdefault(WindowKey(budget.id, member, span.start), _Delta())
            delta.unpriced += found.unpriced
            if budget.measure == _COST:
                delta.units += found.cost
            else:
                count = found.tokens if budget.measure == _TOKENS else found.events
                delta.units += count * _WHOLE
    return deltas


def _together(index: BudgetIndex, sums: dict[_Place, _Sum]) -> Iterable[tuple[CallScope, _Sum]]:
    """The sums of all that counts in the same windows, each with one of its scopes."""
    if not index.by_id:
        return ()
    starts: dict[int, tuple[datetime | None, ...]] = {}
    found: dict[tuple[object, object], tuple[CallScope, _Sum]] = {}
    for (scope, bucket), one in sums.items():
        if bucket not in starts:
            starts[bucket] = index.starts_at(one.at)
        key = index.parts_of(scope), starts[bucket]
        if key in found:
            found[key][1].add(one)
        else:
            found[key] = scope, _Sum(one.at, one.cost, one.tokens, one.events, one.unpriced)
    return found.values()


def _settled(rated: Sequence[Rated]) -> _Settled:
    found = _Settled()
    naming = {r.prepared.index: r.prepared.event for r in rated if r.prepared.event.reservation}
    for index, event in naming.items():
        # A call may have passes of other models, which are part of what it cost.
        costs = [r.rating.cost for r in rated if r.prepared.index == index and r.rating]
        reservation = str(event.reservation)
        found.ids.append(reservation)
        found.events.append(event.event_id)
        found.corrected.append(event.corrects)
        found.costs.append(Decimal(sum(costs)).scaleb(-_UNITS) if costs else None)
        found.estimated.append(is_estimate(reservation, event.event_id))
    return found
