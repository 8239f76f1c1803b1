"""`GET /events/` and `GET /events/{event_id}/`: stored events with their receipts."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import msgspec
from django.conf import settings
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.views import APIView

from usage.api.authentication import HasScope, KeyAuthentication, StaffSession
from usage.api.files import file_response
from usage.api.parameters import MAX_PAGE, OwnFormat, ParameterReader, page_link
from usage.api.questions import read_event_question
from usage.api.schema.event_reads import GET_EVENT
from usage.exports.events import open_events
from usage.models import APIKey, Export, UsageEvent
from usage.selectors.access import viewer_of
from usage.selectors.event_filters import STATUSES
from usage.selectors.events import (
    EventPage,
    StoredEvent,
    find_event,
    list_events,
)
from usage.selectors.filters import ORGANIZATION

PAGE = 100
MOST_ROWS = 10_000_000
_encode = msgspec.json.encode
_STATES = dict(UsageEvent.State.choices)
_COSTS = ("input_cost", "output_cost", "cache_cost", "reported_cost", "exchange_rate")
_AS_STORED = (
    "event_id", "occurred_at", "received_at", "organization", "project", "subject", "team",
    "model", "session_id", "run_id", "duration_ms", "billing_scope", "service_tier",
    "free_tier", "estimated", "input_tokens", "output_tokens", "cache_read_tokens",
    "cache_write_tokens", "cache_write_1h_tokens", "reasoning_tokens", "api_key",
    "reported_currency", "corrects", "superseded_by",
)  # fmt: skip
_WORDS = ("provider", "response_model", "operation", "action", "agent_type", "run_trigger")


def list_response(request: Request) -> HttpResponseBase:
    """A page of events, newest first, or as CSV all of them. Raises ValidationError."""
    reader = ParameterReader(request.GET)
    as_csv = reader.choice("format", ("json", "csv"), "json") == "csv"
    question = read_event_question(reader, viewer_of(request.user))
    limit = reader.number("limit", PAGE, MOST_ROWS if as_csv else MAX_PAGE)
    query = replace(question, limit=limit, cursor=reader.one("cursor"))
    reader.finish()
    if as_csv:
        table = open_events(query, limit if "limit" in request.GET else None)
        return file_response(table, Export.Format.CSV, "events.csv")
    page = list_events(query)
    return _json(_page_as_json(request, page))


class EventView(APIView):
    """One stored event with its receipt; site keys and staff may need `?organization=`."""

    authentication_classes = (KeyAuthentication, StaffSession)
    permission_classes = (HasScope,)
    content_negotiation_class = OwnFormat
    scope = APIKey.Scope.READ

    @GET_EVENT
    def get(self, request: Request, event_id: str) -> HttpResponse:
        """Show the event, 404 if the caller's organizations have none of this id."""
        reader = ParameterReader(request.GET)
        organization = reader.one(ORGANIZATION) or None
        reader.finish()
        event = find_event(viewer_of(request.user), event_id, organization)
        if event is None:
            raise NotFound(f"There is no event {event_id!r}.")
        return _json(event_as_json(event))


def event_as_json(event: StoredEvent) -> dict[str, Any]:
    """An event by the names of the interface; money as strings, what is not given as null."""
    return {
        **{name: event[name] for name in _AS_STORED},
        **{name: event[name] or None for name in _WORDS},
        **{name: _money(event[name]) for name in _COSTS},
        "status": STATUSES[event["status"]],
        "state": _STATES[event["state"]],
        "total_tokens": event["input_tokens"] + event["output_tokens"],
        "price_version": event["price_version_id"],
        "meters": _raw(event["meters_text"]),
        "tags": _raw(event["tags_text"]),
        "receipt": {
            "status": "accepted",
            "cost": _money(event["cost"]),
            "currency": settings.TALLYMAN_CURRENCY,
            "received_at": event["received_at"],
        },
    }


def _page_as_json(request: Request, page: EventPage) -> dict[str, Any]:
    return {
        "results": [event_as_json(event) for event in page.events],
        "next": page_link(request, page.older),
        "previous": page_link(request, page.newer),
    }


def _json(body: object) -> HttpResponse:
    return HttpResponse(_encode(body), content_type="application/json")


def _money(value: Decimal | None) -> str | None:
    return None if value is None else f"{value:f}"


def _raw(text: str | None) -> msgspec.Raw | None:
    return None if text is None else msgspec.Raw(text.encode())
