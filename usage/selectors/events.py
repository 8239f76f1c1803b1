"""Stored events as they are shown: one by its id, or many, newest first."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

from django.db import connection

from usage.ingest.claims import find_claims
from usage.ingest.prepare import digest_of
from usage.models import UsageEvent
from usage.selectors.access import Viewer, find_scope
from usage.selectors.cursors import bad_cursor, fingerprint, pack, read_instant, unpack
from usage.selectors.filters import ORGANIZATION, Parameters, condition, read_filters
from usage.selectors.periods import FIRST_YEAR, LAST_YEAR, bounds_of
from usage.selectors.questions import QuestionError

STATUSES = tuple(status.label for status in UsageEvent.Status)
_NAMED = {
    "organization": "o.slug",
    "project": "p.slug",
    "subject": "s.key",
    "team": "t.slug",
    "api_key": "a.prefix",
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
    "reported_cost", "reported_currency", "meters::text", "tags::text",
)  # fmt: skip
_COLUMNS = (*_OWN, *_KIND, *_NAMED)
_SELECT = ", ".join(
    [f"e.{name}" for name in _OWN]
    + [f"k.{name}" for name in _KIND]
    + [f"{value} AS {name}" for name, value in _NAMED.items()]
)
# The page is found before anything is joined to it, whatever the planner thinks.
_PAGE = """
    WITH page AS MATERIALIZED (
        SELECT r.* FROM usage_usageevent r WHERE {conditions}
        ORDER BY r.occurred_at {way}, r.id {way} LIMIT {limit}
    )
    SELECT {select} FROM page e
    JOIN usage_organization o ON o.id = e.organization_id
    JOIN usage_callkind k ON k.id = e.kind_id
    LEFT JOIN usage_project p ON p.id = e.project_id
    LEFT JOIN usage_subject s ON s.id = e.subject_id
    LEFT JOIN usage_team t ON t.id = e.team_id
    LEFT JOIN usage_apikey a ON a.id = e.api_key_id
    ORDER BY e.occurred_at {way}, e.id {way}
"""
_NEWER, _OLDER = "newer", "older"
_FIRST, _LAST = date(FIRST_YEAR, 1, 1), date(LAST_YEAR, 12, 31)

StoredEvent = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class EventQuery:
    """Which events: `start` inclusive, `end` exclusive, None = open; dates are days of
    `time_zone`. `status` and `filters` name allowed values, "" in a filter = not given."""

    viewer: Viewer
    start: date | datetime | None = None
    end: date | datetime | None = None
    time_zone: str = "UTC"
    status: str = ""
    filters: Mapping[str, Collection[str]] = field(default_factory=dict)
    limit: int = 100
    cursor: str = ""


@dataclass(frozen=True, slots=True)
class EventPage:
    """Events, newest first, and the cursors of the pages of older and newer ones."""

    events: list[StoredEvent]
    older: str | None
    newer: str | None


def list_events(query: EventQuery) -> EventPage:
    """A page of events in two statements. Raises QuestionError if the question makes no sense."""
    question = _fingerprint(query)
    newer = False
    parameters = Parameters()
    conditions = _conditions(query, parameters)
    if query.cursor:
        way, occurred_at, pk = unpack(query.cursor, question, 3)
        newer = way == _NEWER
        place = _read_place(occurred_at, pk)
        after = f"{parameters.add(place[0])}::timestamptz, {parameters.add(place[1])}::bigint"
        conditions.append(f"(r.occurred_at, r.id) {'>' if newer else '<'} ({after})")
    found = _fetch(conditions, parameters, query.limit + 1, "ASC" if newer else "DESC")
    events = found[: query.limit]
    if newer:
        events.reverse()
    more = len(found) > query.limit
    return EventPage(
        events,
        _cursor(question, _OLDER, events[-1:]) if more or newer else None,
        _cursor(question, _NEWER, events[:1]) if (more if newer else query.cursor) else None,
    )


def find_event(
    viewer: Viewer, event_id: str, organization: str | None = None
) -> StoredEvent | None:
    """The event a viewer sees under this id, None if there is none.

    Raises QuestionError when several organizations have one and none is named.
    """
    scope = find_scope(viewer, None if organization is None else [organization])
    digests = {digest_of(scoped.id, event_id): scoped.id for scoped in scope}
    claims = find_claims(digests)
    if len(claims) > 1:
        raise QuestionError(
            ORGANIZATION, "ambiguous", "Several organizations have this event; name one."
        )
    for digest, claim in claims.items():
        parameters = Parameters()
        conditions = [
            f"r.organization_id = {parameters.add(digests[digest])}",
            f"r.occurred_at = {parameters.add(claim.occurred_at)}",
            f"r.event_id = {parameters.add(event_id)}",
        ]
        return next(iter(_fetch(conditions, parameters, 1, "DESC")), None)
    return None


def _conditions(query: EventQuery, parameters: Parameters) -> list[str]:
    filters = read_filters(query.filters)
    scope = [s.id for s in find_scope(query.viewer, query.filters.get(ORGANIZATION))]
    conditions = [f"r.organization_id = ANY({parameters.add(scope)}::int[])"]
    conditions += [condition(parameters, scope, wanted) for wanted in filters]
    if query.status:
        if query.status not in STATUSES:
            raise QuestionError("status", "unknown", f"A status is one of {', '.join(STATUSES)}.")
        conditions.append(f"r.status = {parameters.add(STATUSES.index(query.status))}")
    bounds = bounds_of(query.start or _FIRST, query.end or _LAST, query.time_zone)
    conditions.append(f"r.occurred_at >= {parameters.add(bounds.start)}")
    conditions.append(f"r.occurred_at < {parameters.add(bounds.end)}")
    return conditions


def _fetch(
    conditions: Sequence[str], parameters: Parameters, limit: int, way: str
) -> list[StoredEvent]:
    statement = _PAGE.format(
        conditions=" AND ".join(conditions), way=way, limit=parameters.add(limit), select=_SELECT
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters.values)
        return [dict(zip(_COLUMNS, row, strict=True)) for row in cursor.fetchall()]


def _fingerprint(query: EventQuery) -> str:
    filters = sorted((name, sorted(values)) for name, values in query.filters.items())
    bounds = (str(query.start), str(query.end), query.time_zone)
    return fingerprint(bounds, query.status, filters)


def _cursor(question: str, way: str, edge: Sequence[StoredEvent]) -> str | None:
    for event in edge:
        at: datetime = event["occurred_at"]
        return pack(question, [way, at.astimezone(UTC).isoformat(), str(event["id"])])
    return None


def _read_place(occurred_at: str, pk: str) -> tuple[datetime, int]:
    try:
        place = read_instant(occurred_at), int(pk)
    except ValueError as error:
        raise bad_cursor() from error
    if not 0 <= place[1] < 2**63:
        raise bad_cursor()
    return place
