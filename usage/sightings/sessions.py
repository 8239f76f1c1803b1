"""Sessions known only by sums over many calls, until their calls are told one by one.

A sum (such as a metric: the tokens of a minute) repeats what calls say and cannot be matched with
them. So sums count only as long as nobody tells the calls of their session: then they leave all
sums, whichever came first. Both sides leave a mark before they store and look for the other's
after, so that of two at the same moment the last one sees the other.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

from usage.ingest.pipeline import Caller
from usage.ingest.prepare import Tenant
from usage.ingest.values import EventValue, FieldError, Rejection
from usage.models import UsageEvent
from usage.sightings.intake import take_in
from usage.sightings.naming import Name, find_marks, register_names
from usage.sightings.storing import Store
from usage.sightings.values import Sighting, Taken

SUM_MARK = "sum:"
"""What the id of an event that stands for a sum begins with."""
KEPT = timedelta(days=90)
"""How long after its first mark a session is remembered."""
_EARLIER = timedelta(days=1)
_BY_CALLS, _BY_SUMS = "told by calls", "told by sums"

Sessions = dict[int, tuple[Tenant, set[str]]]


def take_calls(
    sightings: Sequence[Sighting | Rejection],
    caller: Caller,
    told: Iterable[EventValue],
    now: datetime,
) -> Taken:
    """Store calls; what sums say of the sessions of `told`, which are some of them, is dropped."""
    sessions = _sessions_of(told, caller)
    _mark_calls(sessions, now)
    taken = take_in(sightings, caller, now)
    _withdraw_sums(sessions, caller, taken, now)
    return taken


def take_sums(
    sums: Sequence[EventValue | Rejection], caller: Caller, now: datetime
) -> dict[int, list[FieldError]]:
    """Store sums of sessions whose calls nobody tells; by index those that are refused."""
    events = [each for each in sums if isinstance(each, EventValue)]
    told = _told_by_calls(_sessions_of(events, caller))
    places = [place for place, each in enumerate(sums) if not _is_told(each, caller, told)]
    left = [sums[place] for place in places]
    events = [each for each in left if isinstance(each, EventValue)]
    sessions = _sessions_of(events, caller)
    for tenant, names in sessions.values():
        first = min(event.occurred_at for event in events).astimezone(UTC).isoformat()
        register_names(tenant.id, {Name(name, _BY_SUMS): first for name in names}, now + KEPT)
    sightings = [each if isinstance(each, Rejection) else Sighting(each) for each in left]
    taken = take_in(sightings, caller, now)
    late = _told_by_calls(sessions)
    for tenant, names in sessions.values():
        outdone = {name for name in names if (tenant.id, name) in late}
        _withdraw_sums({tenant.id: (tenant, outdone)}, caller, taken, now)
    return {places[index]: errors for index, errors in taken.refused.items()}


def _sessions_of(events: Iterable[EventValue], caller: Caller) -> Sessions:
    """The sessions of events, by the organization that the caller writes them to."""
    found: Sessions = {}
    for event in events:
        if place := _session_of(event, caller):
            tenant, session = place
            found.setdefault(tenant.id, (tenant, set()))[1].add(session)
    return found


def _mark_calls(sessions: Sessions, now: datetime) -> None:
    """From now on sums of these sessions do not count."""
    for tenant, names in sessions.values():
        register_names(tenant.id, {Name(name, _BY_CALLS): name for name in names}, now + KEPT)


def _withdraw_sums(sessions: Sessions, caller: Caller, taken: Taken, now: datetime) -> None:
    """Let what sums of these sessions counted leave all sums."""
    for tenant, names in sessions.values():
        marks = find_marks(tenant.id, [Name(name, _BY_SUMS) for name in names])
        store = Store(tenant, caller, taken, now)
        for event_id in _sums(tenant.id, marks) if marks else ():
            store.withdraw(event_id)


def _session_of(event: EventValue, caller: Caller) -> tuple[Tenant, str] | None:
    tenant = caller.tenancy.find(event.organization)
    return (tenant, event.session_id) if isinstance(tenant, Tenant) and event.session_id else None


def _told_by_calls(sessions: Sessions) -> set[tuple[int, str]]:
    return {
        (tenant.id, found.text)
        for tenant, names in sessions.values()
        for found in find_marks(tenant.id, [Name(name, _BY_CALLS) for name in names])
    }


def _is_told(each: EventValue | Rejection, caller: Caller, told: set[tuple[int, str]]) -> bool:
    place = None if isinstance(each, Rejection) else _session_of(each, caller)
    return place is not None and (place[0].id, place[1]) in told


def _sums(organization_id: int, marks: dict[Name, str]) -> list[str]:
    first = min(map(datetime.fromisoformat, marks.values()))
    found = UsageEvent.objects.filter(
        organization=organization_id,
        occurred_at__gte=first - _EARLIER,
        session_id__in=[mark.text for mark in marks],
        event_id__startswith=SUM_MARK,
        state=UsageEvent.State.COUNTED,
    )
    return list(found.values_list("event_id", flat=True))
