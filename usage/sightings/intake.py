"""The one way in for sightings: name → fold → store → look again.

Names are registered before a call is stored and looked up again after: of two sources that tell
of one call at the same moment by different names, the one that comes last sees the other.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime

from usage.ingest.claims import find_claims
from usage.ingest.pipeline import Caller
from usage.ingest.prepare import Tenant, digest_of
from usage.ingest.validate import check
from usage.ingest.values import FieldError, Rejection
from usage.sightings.folding import Call, call_of, family_of, fold
from usage.sightings.naming import SPANS_KEPT, Name, find_names, register_names
from usage.sightings.stored import find_heads
from usage.sightings.storing import Store
from usage.sightings.values import Sighting, Taken

AT_ONCE = 2_000


def take_in(
    sightings: Sequence[Sighting | Rejection], caller: Caller, now: datetime | None = None
) -> Taken:
    """Store new calls, make fuller those that are known; what is not refused is committed.

    Sent again, sightings change nothing, and one that is refused harms no other. They are
    stored `AT_ONCE` in a transaction.
    """
    now = now or datetime.now(UTC)
    taken = Taken()
    groups: dict[int, tuple[Tenant, list[Call]]] = {}
    for index, sighting in enumerate(sightings):
        found = _tenant_of(sighting, caller, now)
        if isinstance(found, Tenant) and isinstance(sighting, Sighting):
            groups.setdefault(found.id, (found, []))[1].append(call_of(index, sighting))
        elif not isinstance(found, Tenant):
            taken.refused[index] = found
    for tenant, calls in groups.values():
        for some in _portions(calls):
            _take(some, tenant, Store(tenant, caller, taken, now), taken, now)
    return taken


def _portions(calls: list[Call]) -> Iterator[list[Call]]:
    for start in range(0, len(calls), AT_ONCE):
        yield calls[start : start + AT_ONCE]


def _tenant_of(
    sighting: Sighting | Rejection, caller: Caller, now: datetime
) -> Tenant | list[FieldError]:
    if isinstance(sighting, Rejection):
        return sighting.errors
    tenant = caller.tenancy.find(sighting.event.organization)
    refusal = check(sighting.event, now, plain=False)
    faults = refusal.errors if refusal else []
    if isinstance(tenant, FieldError):
        return [tenant, *faults]
    return faults or tenant


def _take(seen: list[Call], tenant: Tenant, store: Store, taken: Taken, now: datetime) -> None:
    calls = fold(seen)
    _lead(tenant.id, calls)
    calls = fold(calls)
    _name(tenant.id, calls)
    taken.repeats += sum(len(call.indexes) - 1 for call in calls)
    inner = _without_outer(tenant.id, calls)
    taken.repeats += len(calls) - len(inner)
    spans = {name: call.event.event_id for call in inner for name in call.around}
    register_names(tenant.id, spans, now + SPANS_KEPT)
    store.store(inner)
    _lead(tenant.id, inner)
    for call in inner:
        for other in call.stored:
            if other != call.event.event_id:
                store.absorb(call, other)
    for outer in _outer_counted(tenant.id, inner):
        store.withdraw(outer)


def _lead(organization_id: int, calls: Iterable[Call]) -> None:
    """Tell each call the events that its names lead to now."""
    listed = list(calls)
    digests = {
        digest_of(organization_id, name): name
        for call in listed
        if len(call.names) > 1
        for name in call.names
    }
    claimed = {digests[digest] for digest in find_claims(digests)} if digests else set()
    led = find_names(organization_id, {Name(name) for call in listed for name in call.names})
    for call in listed:
        found = [*call.stored, *(led[Name(name)] for name in call.names if Name(name) in led)]
        found += [name for name in call.names if name in claimed]
        call.stored = list(dict.fromkeys(found))
        call.names = list(dict.fromkeys((*call.names, *found)))


def _name(organization_id: int, calls: Iterable[Call]) -> None:
    """Settle the id of each call and let all its names lead there."""
    leading: dict[Name, str] = {}
    for call in calls:
        call.settle_id()
        event_id = call.event.event_id
        leading |= {Name(name): event_id for name in call.names if name != event_id}
    register_names(organization_id, leading)


def _without_outer(organization_id: int, calls: list[Call]) -> list[Call]:
    """The calls but those whose own span is around another call that is counted already."""
    inner = find_names(organization_id, {name for call in calls for name in call.own})
    return [
        call
        for call in calls
        if all(inner.get(name, call.event.event_id) == call.event.event_id for name in call.own)
    ]


def _outer_counted(organization_id: int, calls: Iterable[Call]) -> Iterator[str]:
    """Spans that were counted before the calls inside them were told of."""
    inside = defaultdict(set)
    for call in calls:
        for name in call.insides:
            inside[name].add((call.event.event_id, family_of(call.event)))
    digests = {digest_of(organization_id, name): name for name in inside}
    claimed = [digests[digest] for digest in find_claims(digests)] if digests else []
    for name, head in find_heads(organization_id, claimed).items() if claimed else ():
        if any(family == family_of(head.value) and i != name for i, family in inside[name]):
            yield name
