"""`POST /events/` in the OpenAPI document."""

from typing import Any

from drf_spectacular.utils import (
    OpenApiExample,
    OpenApiParameter,
    OpenApiRequest,
    OpenApiResponse,
    extend_schema,
)
from msgspec import Struct

from usage.api.schema.bodies import Answer, Problem
from usage.api.schema.components import one_of, schema_of
from usage.api.schema.inspection import PROBLEM_TYPE, PROBLEMS, problem_answer
from usage.api.schema.parameters import words
from usage.ingest.values import EventValue, Receipt, Report


class EventBatch(Answer):
    """Events under a name; nothing else may stand beside them."""

    events: list[EventValue]


class CloudEvent(Struct):
    """A CloudEvent 1.0: `id`, `time` and `subject` stand for the event's own where `data` does
    not give them; other attributes are left alone.

    `data` is an event without unknown fields, unless it has `tokens`, `prompt_tokens` or
    `completion_tokens`, which no event has: then it is read as OpenMeter's clients mean it. Its
    `type` says whether `tokens` are input (also `prompt`, `system`) or output (`completion`);
    tokens of any other kind are stored as input and marked estimated. `model` is needed,
    `provider`, `project`, `team` and other names are taken where given, other members left
    alone. The event id is `source:id`. If all events of a request are such and all is well, the
    answer is 204 without a body."""

    id: str
    data: dict[str, Any]
    source: str = ""
    time: str | None = None
    subject: str | None = None


class Refusal(Problem, kw_only=True):
    """A problem that carries the receipts, as an answer of 200 would."""

    accepted: int
    duplicates: int
    conflicts: int
    rejected: int
    unpriced: int
    results: list[Receipt]


_EVENT = {
    "event_id": "run-812-3", "occurred_at": "2026-11-20T12:00:00Z", "provider": "anthropic",
    "model": "claude-sonnet-4-5", "project": "web", "subject": "ann", "action": "review",
    "input_tokens": 1200, "output_tokens": 80, "tags": {"env": "live"},
}  # fmt: skip
_CLOUD = {
    "specversion": "1.0", "id": "run-812-3", "source": "ci", "type": "ai.call",
    "time": "2026-11-20T12:00:00Z", "subject": "ann",
    "data": {"provider": "openai", "model": "gpt-5", "input_tokens": 1200, "output_tokens": 80},
}  # fmt: skip
_RECEIPTS = {
    "accepted": 1, "duplicates": 0, "conflicts": 0, "rejected": 1, "unpriced": 0,
    "results": [
        {"index": 0, "event_id": "run-812-3", "status": "accepted", "cost": "0.0048000000",
         "currency": "USD"},
        {"index": 1, "event_id": "run-812-4", "status": "rejected", "errors": [
            {"field": "input_tokens", "code": "negative", "message": "Expected `int` >= 0"}]},
    ],
}  # fmt: skip
_LINES = {"type": "string", "description": "One event a line; empty lines are skipped."}

POST_EVENTS = extend_schema(
    operation_id="events_store",
    summary="Store events",
    description=(
        "Takes one event, an array, or `{events: […]}`; up to 10,000 events and 16 MiB, also with "
        "`Content-Encoding: gzip`. An `event_id` counts once for ever: what is sent again is a "
        "duplicate, with another payload a conflict. Good events are stored though others are "
        "rejected, unless `Prefer: handling=strict` asks for all or nothing. For more than 100 "
        "events `results` holds only those not accepted. CloudEvents are also taken in binary mode "
        "(`ce-` headers) and as mere JSON."
    ),
    tags=["events"],
    parameters=[
        words("receipts", ("all",), "", "Receipts of all events, however many there are."),
        OpenApiParameter(
            "Prefer", str, OpenApiParameter.HEADER,
            description="`handling=strict`: all events or none (RFC 7240).",
        ),
    ],
    request={
        "application/json": OpenApiRequest(
            one_of(EventValue, list[EventValue], EventBatch),
            examples=[
                OpenApiExample("One event", value=_EVENT),
                OpenApiExample("Several events", value={"events": [_EVENT]}),
            ],
        ),
        "application/x-ndjson": _LINES,
        "application/cloudevents+json": OpenApiRequest(
            schema_of(CloudEvent), examples=[OpenApiExample("A CloudEvent", value=_CLOUD)]
        ),
        "application/cloudevents-batch+json": schema_of(list[CloudEvent]),
    },
    responses={
        (200, "application/json"): OpenApiResponse(
            schema_of(Report),
            "What became of each event.",
            examples=[OpenApiExample("One of two was rejected", value=_RECEIPTS)],
        ),
        204: OpenApiResponse(description="All events were OpenMeter's, and none was rejected."),
        (409, PROBLEM_TYPE): problem_answer(
            409, "The one event sent bears an id that another payload has.", schema_of(Refusal)
        ),
        (422, PROBLEM_TYPE): problem_answer(
            422, "Every event was rejected; nothing is stored.", schema_of(Refusal)
        ),
        (413, PROBLEM_TYPE): problem_answer(413, PROBLEMS[413]),
    },
)  # fmt: skip
"""Decorates the method that stores."""
