"""`GET /events/` and `GET /events/{event_id}/` in the OpenAPI document."""

from typing import Literal

from drf_spectacular.utils import OpenApiResponse, extend_schema

from usage.api.schema.bodies import Answer, CurrencyCode, Instant, Link, Money
from usage.api.schema.components import schema_of
from usage.api.schema.parameters import (
    CURSOR,
    ORGANIZATION,
    PERIOD,
    TAG,
    limit,
    path_word,
    words,
)


class EventReceipt(Answer):
    """What was answered when the event was stored, at today's price; null cost = unpriced."""

    status: Literal["accepted"]
    cost: Money | None
    currency: CurrencyCode
    received_at: Instant


class StoredEvent(Answer):
    """An event as it is stored; null is what was not given. A superseded one has left all sums
    in favour of `superseded_by`."""

    event_id: str
    occurred_at: Instant
    received_at: Instant
    organization: str
    project: str | None
    subject: str | None
    team: str | None
    provider: str | None
    model: str
    response_model: str | None
    operation: str | None
    action: str | None
    agent_type: str | None
    session_id: str | None
    run_id: str | None
    run_trigger: str | None
    status: Literal["success", "error", "cancelled"]
    state: Literal["counted", "superseded", "reversal", "adjustment"]
    duration_ms: int | None
    billing_scope: Literal["org", "user"]
    service_tier: str
    free_tier: bool
    estimated: bool
    input_tokens: int
    output_tokens: int
    cache_read_tokens: int
    cache_write_tokens: int
    cache_write_1h_tokens: int
    reasoning_tokens: int
    total_tokens: int
    meters: dict[str, int | float] | None
    input_cost: Money | None
    output_cost: Money | None
    cache_cost: Money | None
    exchange_rate: str | None
    reported_cost: Money | None
    reported_currency: CurrencyCode | None
    price_version: int | None
    api_key: str | None
    corrects: str | None
    superseded_by: str | None
    tags: dict[str, str] | None
    receipt: EventReceipt


class EventList(Answer):
    """A page of events, newest first."""

    results: list[StoredEvent]
    next: Link | None
    previous: Link | None


GET_EVENTS = extend_schema(
    operation_id="events",
    summary="Stored events, newest first",
    description=(
        "Events of every state, page by page; CSV has all of them unless limited. Times are those "
        "of `occurred_at`. Filters narrow together; the values of one widen it."
    ),
    tags=["events"],
    parameters=[
        *PERIOD,
        TAG,
        limit(100),
        CURSOR,
        words("format", ("json", "csv"), "json", "How the events are answered."),
    ],
    responses={
        (200, "application/json"): OpenApiResponse(schema_of(EventList), "A page."),
        (200, "text/csv"): OpenApiResponse({"type": "string"}, "The events alone."),
    },
)
"""Decorates the method that lists."""

GET_EVENT = extend_schema(
    operation_id="event",
    summary="One stored event",
    tags=["events"],
    parameters=[
        path_word("event_id", "The event's id; slashes in it may stay as they are."),
        ORGANIZATION,
    ],
    responses={(200, "application/json"): OpenApiResponse(schema_of(StoredEvent), "The event.")},
)
"""Decorates the method that shows one event."""
