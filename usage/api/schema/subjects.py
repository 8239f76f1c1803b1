"""`GET /subjects/{key}/` in the OpenAPI document."""

from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema

from usage.api.schema.bodies import Answer
from usage.api.schema.components import schema_of
from usage.api.schema.event_reads import StoredEvent
from usage.api.schema.limits import EffectiveLimit
from usage.api.schema.parameters import CURRENCY, ORGANIZATION, TIMEZONE, parameter, path_word
from usage.api.schema.summaries import BILLING_SCOPE, CARDS
from usage.api.schema.summaries import Cards as SubjectCards


class SubjectBody(Answer):
    """A subject, its usage alone, and a page of its calls, newest first."""

    organization: str
    key: str
    email: str
    display_name: str
    summary: SubjectCards
    effective_limits: list[EffectiveLimit]
    limit: int
    offset: int
    events_total: int
    events: list[StoredEvent]


_EXAMPLE = {
    "organization": "acme", "key": "ann", "email": "", "display_name": "Ann", "summary": CARDS,
    "effective_limits": [], "limit": 50, "offset": 50, "events_total": 3, "events": [],
}  # fmt: skip

SUBJECT = extend_schema(
    operation_id="subject",
    summary="One person or service: usage and calls",
    tags=["subjects"],
    parameters=[
        path_word("key", "The subject's key."),
        ORGANIZATION, BILLING_SCOPE, TIMEZONE, CURRENCY,
        parameter(
            "limit", {"type": "integer", "default": 50},
            "How many events; 0 and less mean 50, and 500 is the most.",
        ),
        parameter(
            "offset", {"type": "integer", "minimum": 0, "maximum": 10**8, "default": 0},
            "How many of the newest events are passed over.",
        ),
    ],
    responses={
        (200, "application/json"): OpenApiResponse(
            schema_of(SubjectBody),
            "The subject.",
            examples=[OpenApiExample("Beyond the last event", value=_EXAMPLE)],
        )
    },
)  # fmt: skip
"""Decorates the method that answers."""
