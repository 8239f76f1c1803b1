"""Stored events as they are shown: one by its id, or many, newest first."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.db.models import Q, QuerySet, TextField
from django.db.models.functions import Cast

from usage.ingest.claims import find_claims
from usage.ingest.prepare import digest_of
from usage.models import UsageEvent
from usage.replica import PRIMARY
from usage.selectors.access import Viewer, find_scope
from usage.selectors.cursors import bad_cursor, fingerprint, pack, read_instant, unpack
from usage.selectors.event_filters import EventFilters
from usage.selectors.event_hours import Search
from usage.selectors.event_places import Place, at_places, find_places
from usage.selectors.filters import ORGANIZATION
from usage.selectors.periods import FIRST_YEAR, LAST_YEAR, bounds_of
from usage.selectors.questions import QuestionError
from usage.sightings.naming import Name, find_names

_NAMED = {
    "organization": "organization__slug",
    "project": "project__slug",
    "subject": "subject__key",
    "team": "team__slug",
    "api_key": "api_key__prefix",
}
_KIND = (
    "provider", "model", "response_model", "operation", "action", "agent_type", "run_trigger",
    "billing_scope", "service_tier", "free_tier",
)  # fmt: skip
_OWN = (
    "id", "event_id", "occurred_at", "received_at", "session_id", "run_id", "status", "state",
    "duration_ms", "estimated", "input_tokens", "output_tokens", "cache_read_tokens",
    "cache_write_tokens", "cache_write_1h_tokens", "reasoning_tokens", "cost", "input_cost",
    "output_cost", "cache_cost", "exchange_rate", "price_version_id", "corrects", "superseded_by",
    "reported_cost", "reported_currency",
)  # fmt: skip
# As text, in which numbers keep all their digits.
_TEXTS = {f"{name}_text": Cast(name, TextField()) for name in ("meters", "tags")}
_COLUMNS = (*_OWN, *_KIND, *_NAMED, *_TEXTS)
_FIELDS = (*_OWN, *(f"kind__{name}" for name in _KIND), *_NAMED.values(), *_TEXTS)
_NEWER, _OLDER = "newer", "older"
_FIRST, _LAST = date(FIRST_YEAR, 1, 1), date(LAST_YEAR, 12, 31)

StoredEvent = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class EventQuery:
    """Which events: `start` inclusive, `end` exclusive, None = open; dates are days of
    `time_zone`. `filters` name dimensions with allowed values, "" = not given; `facts` are
    filters of the event itself, by their names and as words."""

    viewer: Viewer
    start: date | datetime | None = None
    end: date | datetime | None = None
    time_zone: str = "UTC"
    filters: Mapping[str, Collection[str]] = field(default_factory=dict)
    facts: Mapping[str, Collection[str]] = field(default_factory=dict)
    limit: int = 100
    cursor: str = ""


@dataclass(frozen=True, slots=True)
class EventPage:
    """Events, newest first, and the cursors of the pages of older and newer ones."""

    events: list[StoredEvent]
    older: str | None
    newer: str | None


def list_events(query: EventQuery) -> EventPage:
    """A page of events. Raises QuestionError if the question makes no sense.

    The page is found by its narrow rows first and read after, so that names are joined to what
    is shown and to nothing else.
    """
    question = _fingerprint(query)
    search, newer = search_for(query), False
    if query.cursor:
        way, occurred_at, pk = unpack(query.cursor, question, 3)
        newer = way == _NEWER
        search = _beyond(search, _read_place(occurred_at, pk), newer=newer)
    found = find_places(search, limit=query.limit + 1, oldest_first=newer)
    places = found[: query.limit]
    if newer:
        places.reverse()
    more = len(found) > query.limit
    return EventPage(
        events_at(places),
        _cursor(question, _OLDER, places[-1:]) if more or newer else None,
        _cursor(question, _NEWER, places[:1]) if (more if newer else query.cursor) else None,
    )


def find_event(
    viewer: Viewer, event_id: str, organization: str | None = None
) -> StoredEvent | None:
    """The event a viewer sees under this id, or under another name of the same call; None if there
    is none.

    Raises QuestionError when several organizations have one and none is named.
    """
    scope = find_scope(viewer, None if organization is None else [organization])
    ids = {scoped.id: event_id for scoped in scope}
    claims = _claimed(ids)
    if not claims:
        ids = {pk: led for pk in ids for led in find_names(pk, [Name(event_id)]).values()}
        claims = _claimed(ids)
    if len(claims) > 1:
        raise QuestionError(
            ORGANIZATION, "ambiguous", "Several organizations have this event; name one."
        )
    for pk, occurred_at in claims.items():
        events = UsageEvent.objects.using(PRIMARY).filter(
            organization_id=pk, occurred_at=occurred_at, event_id=ids[pk]
        )
        return next(iter(_read(events)), None)
    return None


def _claimed(ids: Mapping[int, str]) -> dict[int, datetime]:
    """When the events that are stored occurred, by organization."""
    digests = {digest_of(pk, event_id): pk for pk, event_id in ids.items()}
    return {digests[digest]: claim.occurred_at for digest, claim in find_claims(digests).items()}


def events_at(places: Sequence[Place]) -> list[StoredEvent]:
    """The events at these places, newest first."""
    return _read(at_places(places)) if places else []


def search_for(query: EventQuery) -> Search:
    """What a question finds, wherever its cursor stands. Raises QuestionError."""
    slugs = query.filters.get(ORGANIZATION)
    scope = [scoped.id for scoped in find_scope(query.viewer, slugs)]
    wanted = {name: words for name, words in query.filters.items() if name != ORGANIZATION}
    bounds = bounds_of(query.start or _FIRST, query.end or _LAST, query.time_zone)
    everyone = slugs is None and query.viewer.organization_ids is None
    search = Search(scope, bounds.start, bounds.end, everyone=everyone)
    return EventFilters(wanted | dict(query.facts), UsageEvent.objects.all(), scope).narrow(search)


def _beyond(search: Search, place: Place, *, newer: bool) -> Search:
    """What comes after a place in the order of the list, told so that an index finds its start."""
    occurred_at, pk = place
    facts = UsageEvent.objects.all() if search.facts is None else search.facts
    if newer:
        later = facts.filter(Q(occurred_at__gt=occurred_at) | Q(id__gt=pk))
        return replace(search, start=max(search.start, occurred_at), facts=later)
    earlier = facts.filter(Q(occurred_at__lt=occurred_at) | Q(id__lt=pk))
    end = min(search.end, occurred_at + timedelta.resolution)
    return replace(search, end=end, facts=earlier)


def _read(events: QuerySet[UsageEvent]) -> list[StoredEvent]:
    rows = events.annotate(**_TEXTS).order_by("-occurred_at", "-id").values_list(*_FIELDS)
    return [dict(zip(_COLUMNS, row, strict=True)) for row in rows]


def _fingerprint(query: EventQuery) -> str:
    asked = sorted((*query.filters.items(), *query.facts.items()))
    filters = [(name, sorted(values)) for name, values in asked]
    return fingerprint(str(query.start), str(query.end), query.time_zone, filters)


def _cursor(question: str, way: str, edge: Sequence[Place]) -> str | None:
    for occurred_at, pk in edge:
        return pack(question, [way, occurred_at.astimezone(UTC).isoformat(), str(pk)])
    return None


def _read_place(occurred_at: str, pk: str) -> Place:
    try:
        place = read_instant(occurred_at), int(pk)
    except ValueError as error:
        raise bad_cursor() from error
    if not 0 <= place[1] < 2**63:
        raise bad_cursor()
    return place
