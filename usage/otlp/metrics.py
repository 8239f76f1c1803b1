"""Metrics of Claude Code → sightings of sums of calls. Pure.

Its counters `claude_code.token.usage` (by `type`) and `claude_code.cost.usage` (USD) repeat its
logs, and serve only where there are none. What one export adds for one session, model and part of
the client becomes one event, dated at the end of its interval, with the cost the client reports.

Totals since the start of a session are refused: they name no interval that could be counted once.
So are numbers without a session, which nobody could tell from those that logs tell. All other
metrics are passed over.
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from usage.ingest.provider_usage import read_usage
from usage.ingest.values import EventValue, FieldError, Rejection
from usage.mapping.book import RuleBook
from usage.otlp.clients import CLAUDE_CODE, client_fields, derived_name
from usage.otlp.reading import AttributeReader, make_event, time_of, with_told
from usage.otlp.values import Point
from usage.sightings.sessions import SUM_MARK

_TOKENS, _COST = "claude_code.token.usage", "claude_code.cost.usage"
_TYPES = {
    "input": "input_tokens",
    "output": "output_tokens",
    "cacheRead": "cache_read_input_tokens",
    "cacheCreation": "cache_creation_input_tokens",
}
_NOT_DELTA = FieldError(
    "aggregationTemporality", "not_delta",
    "Totals since the start cannot be counted once; set"
    " OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE=delta, or send logs.",
)  # fmt: skip
_NO_SESSION = FieldError(
    "session.id", "required",
    "Without the session these cannot be told from what logs tell; set"
    " OTEL_METRICS_INCLUDE_SESSION_ID=true.",
)  # fmt: skip
_NO_TIME = FieldError("timeUnixNano", "required", "The point has no time.")


class Sum(NamedTuple):
    """What the points at `indexes` say together."""

    indexes: list[int]
    event: EventValue | Rejection


def read_points(points: Sequence[Point], book: RuleBook, own: str | None) -> list[Sum]:
    """The sums that points tell of; points of other metrics are in none.

    `own` is the slug of the key's organization, None for a site key, for which rules choose.
    """
    groups: dict[tuple[Any, ...], list[int]] = {}
    for index, point in enumerate(points):
        if point.metric in (_TOKENS, _COST):
            groups.setdefault(_key(point), []).append(index)
    return [
        Sum(indexes, _event(key, [points[index] for index in indexes], book, own))
        for key, indexes in groups.items()
    ]


def _key(point: Point) -> tuple[Any, ...]:
    apart = {name: value for name, value in point.attributes.items() if name != "type"}
    resource = sorted(point.resource.attributes.items(), key=repr)
    return point.end_ns, point.delta, repr(sorted(apart.items(), key=repr)), repr(resource)


def _event(
    key: tuple[Any, ...], points: Sequence[Point], book: RuleBook, own: str | None
) -> EventValue | Rejection:
    first = points[0]
    reader = AttributeReader(first.attributes)
    usage: dict[str, Any] = dict.fromkeys(_TYPES.values(), 0)
    cost = Decimal(0)
    faults = list(_faults(first))
    for point in points:
        number = AttributeReader({point.metric: point.value})
        if point.metric == _COST:
            cost += number.money(_COST) or 0
        elif name := _TYPES.get(str(point.attributes.get("type"))):
            usage[name] += number.count(_TOKENS) or 0
        faults += number.faults
    told = book.map((first.attributes, first.resource.attributes), own)
    fields = {
        **with_told(client_fields(CLAUDE_CODE, reader, first.resource.attributes), told),
        "event_id": SUM_MARK + derived_name(CLAUDE_CODE, *key),
        "occurred_at": time_of(first.end_ns),
        "usage": {**usage, "speed": reader.text("speed")},
    }
    if cost:
        fields |= {"reported_cost": cost, "currency": "USD"}
    if not fields["session_id"]:
        faults.append(_NO_SESSION)
    if faults:
        return Rejection(faults, str(fields["event_id"]))
    event = make_event(fields)
    return event if isinstance(event, Rejection) else read_usage(event)


def _faults(point: Point) -> Iterable[FieldError]:
    if not point.delta:
        yield _NOT_DELTA
    if not point.end_ns:
        yield _NO_TIME
