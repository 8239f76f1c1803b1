"""Events as rows of a file: every field that the interface shows, one column each."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import msgspec
from django.conf import settings

from usage.exports.encoding import Column, ColumnType, Row, Table
from usage.models import UsageEvent
from usage.selectors.event_filters import STATUSES
from usage.selectors.events import EventPage, EventQuery, StoredEvent, list_events

PAGE = 2_000
_STATES = dict(UsageEvent.State.choices)
_T, _I, _D = ColumnType.TEXT, ColumnType.INTEGER, ColumnType.DECIMAL
_AT, _B, _J = ColumnType.INSTANT, ColumnType.BOOLEAN, ColumnType.JSON
_TYPES = {
    "event_id": _T, "occurred_at": _AT, "received_at": _AT,
    "organization": _T, "project": _T, "subject": _T, "team": _T,
    "provider": _T, "model": _T, "response_model": _T, "operation": _T, "action": _T,
    "agent_type": _T, "session_id": _T, "run_id": _T, "run_trigger": _T,
    "status": _T, "state": _T, "duration_ms": _I, "billing_scope": _T, "service_tier": _T,
    "free_tier": _B, "estimated": _B, "input_tokens": _I, "output_tokens": _I,
    "cache_read_tokens": _I, "cache_write_tokens": _I, "cache_write_1h_tokens": _I,
    "reasoning_tokens": _I, "total_tokens": _I, "meters": _J,
    "cost": _D, "currency": _T, "input_cost": _D, "output_cost": _D, "cache_cost": _D,
    "exchange_rate": _D, "reported_cost": _D, "reported_currency": _T, "price_version": _I,
    "api_key": _T, "corrects": _T, "superseded_by": _T, "tags": _J,
}  # fmt: skip
EVENT_COLUMNS = tuple(Column(name, type_) for name, type_ in _TYPES.items())
_MADE = {"status", "state", "total_tokens", "meters", "currency", "price_version", "tags"}
# What an event does not give is an empty word where its column cannot be NULL.
_PLAIN = [(name, type_ is _T) for name, type_ in _TYPES.items() if name not in _MADE]


def open_events(query: EventQuery, limit: int | None = None) -> Table:
    """The events a question finds, newest first, at most `limit` of them; its own is ignored.

    Raises QuestionError at once; the rest is read as the rows are taken.
    """
    size = PAGE if limit is None else min(limit, PAGE)
    query = replace(query, limit=size)
    return Table(EVENT_COLUMNS, _rows(query, list_events(query), limit))


def _rows(query: EventQuery, page: EventPage, left: int | None) -> Iterator[Row]:
    while True:
        events = page.events if left is None else page.events[:left]
        yield from map(_row, events)
        left = None if left is None else left - len(events)
        if page.older is None or left == 0:
            return
        query = replace(query, cursor=page.older)
        page = list_events(query)


def _row(event: StoredEvent) -> Sequence[object]:
    cells = {name: (event[name] or None) if is_word else event[name] for name, is_word in _PLAIN}
    cells["status"] = STATUSES[event["status"]]
    cells["state"] = _STATES[event["state"]]
    cells["total_tokens"] = event["input_tokens"] + event["output_tokens"]
    cells["currency"] = settings.TALLYMAN_CURRENCY
    cells["price_version"] = event["price_version_id"]
    cells["meters"] = _raw(event["meters_text"])
    cells["tags"] = _raw(event["tags_text"])
    return [cells[name] for name in _TYPES]


def _raw(text: str | None) -> msgspec.Raw | None:
    return None if text is None else msgspec.Raw(text.encode())
