"""The one way in for sightings: name → fold → store → look again.

Names are united before a call is stored and looked up again after: of two sources that tell of
one call at the same moment by different names, the one that comes last sees the other.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime

from usage.ingest.pipeline import Caller
from usage.ingest.prepare import Tenant
from usage.ingest.validate import check
from usage.ingest.values import FieldError, Rejection
from usage.sightings.folding import Call, call_of, family_of, fold, told_by
from usage.sightings.naming import (
    SPANS_KEPT,
    Name,
    find_names,
    find_stored,
    register_names,
    unite_names,
)
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
    calls = _named(tenant.id, fold(seen))
    taken.repeats += sum(len(call.indexes) - 1 for call in calls)
    repeated = _find_inner(tenant.id, calls)
    inner = [call for call in calls if call.event.event_id not in repeated]
    taken.repeats += len(calls) - len(inner)
    # What is around a repeat is around the call that it repeats.
    around = [(repeated.get(call.event.event_id, call.event.event_id), call) for call in calls]
    marks = {name: event_id for event_id, call in around for name in call.around}
    marks |= {name: call.event.event_id for call in inner for name in call.told_by}
    register_names(tenant.id, marks, now + SPANS_KEPT)
    store.store(inner)
    _join(tenant.id, inner, store)
    # Meanwhile somebody else may have told of what is inside them.
    late = set(_find_inner(tenant.id, inner))
    for outer in late | _outer_counted(tenant.id, around):
        store.withdraw(outer)


def _named(organization_id: int, calls: list[Call]) -> list[Call]:
    """The calls with the ids of the events they are stored under."""
    united = [call for call in calls if len(call.names) > 1]
    roots = unite_names(organization_id, [call.names for call in united])
    single = [call for call in calls if len(call.names) == 1]
    led = find_names(organization_id, [Name(call.names[0]) for call in single])
    for call, root in zip(united, roots, strict=True):
        call.store_under(root)
    for call in single:
        call.store_under(led.get(Name(call.names[0]), call.names[0]))
    return fold(calls)


def _join(organization_id: int, calls: Iterable[Call], store: Store) -> None:
    """Make one of all events that turned out to be of the same call."""
    listed = list(calls)
    names = [Name(call.event.event_id) for call in listed]
    led = find_names(organization_id, names)
    doubtful = [call for call in listed if len(call.names) > 1 or Name(call.event.event_id) in led]
    stored = find_stored(organization_id, {name for call in doubtful for name in call.names})
    for call in doubtful:
        root = led.get(Name(call.event.event_id), call.event.event_id)
        for name in call.names:
            if name in stored and name != root:
                store.absorb(name, root, settles_place=call.settles_place)


def _find_inner(organization_id: int, calls: Iterable[Call]) -> dict[str, str]:
    """By the ids of calls whose own span is around another one: the id of that other call."""
    inner = find_names(organization_id, {name for call in calls for name in call.own})
    return {
        call.event.event_id: inner[name]
        for call in calls
        for name in call.own
        if inner.get(name, call.event.event_id) != call.event.event_id
    }


def _outer_counted(organization_id: int, around: Iterable[tuple[str, Call]]) -> set[str]:
    """Spans that were counted before the calls inside them were told of, which `around` lists by
    their ids."""
    inside = defaultdict(set)
    for event_id, call in around:
        for name in call.insides:
            inside[name].add((event_id, family_of(call.event)))
    if not inside:
        return set()
    counted = {(name, name) for name in find_stored(organization_id, inside)}
    telling = [told_by(name, family) for name, calls in inside.items() for _, family in calls]
    counted |= {(name.text, i) for name, i in find_names(organization_id, telling).items()}
    doubted = [(i, inside[name]) for name, i in counted if any(i != c for c, _ in inside[name])]
    within = {i for _, calls in doubted for i, _ in calls}
    heads = find_heads(organization_id, within | {i for i, _ in doubted}) if doubted else {}
    # One that was taken back itself takes nothing back.
    gone = {event_id for event_id, head in heads.items() if head.is_reversal}
    return {
        outer
        for outer, calls in doubted
        if (head := heads.get(outer))
        and any(kin == family_of(head.value) and i not in (outer, *gone) for i, kin in calls)
    }
