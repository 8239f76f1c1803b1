"""What telemetry holds, whichever way it was encoded.

Attribute values are plain text, numbers, truth values, bytes, lists and dicts. Texts longer than
`MAX_TEXT` are prompts and answers, which nobody keeps: they are left out on reading.
"""

from decimal import Decimal
from typing import Any

import msgspec

MAX_TEXT = 8_192


class Resource(msgspec.Struct, gc=False):
    """What a sender says of itself: one for all records that came from it together."""

    attributes: dict[str, Any]


class Span(msgspec.Struct, gc=False):
    """One timed operation. Ids are lower-case hex, "" where missing or not valid.

    Times are nanoseconds since 1970, 0 = not told. `failed` = the status says error; `events` are
    the attributes of what happened within.
    """

    resource: Resource
    scope: str
    name: str
    trace_id: str
    span_id: str
    parent_id: str
    start_ns: int
    end_ns: int
    attributes: dict[str, Any]
    failed: bool = False
    events: list[dict[str, Any]] = []


class LogRecord(msgspec.Struct, gc=False):
    """One log line or event. `name` is its event name, from the field or the attribute
    `event.name`; `time_ns` is when it happened, else when it was observed, 0 = not told."""

    resource: Resource
    scope: str
    name: str
    body: Any
    time_ns: int
    trace_id: str
    span_id: str
    attributes: dict[str, Any]


class Point(msgspec.Struct, gc=False):
    """One number of a sum: `value` in `unit`, gathered from `start_ns` to `end_ns`.

    With `delta` it counts that stretch alone, else everything since the sender's start.
    """

    resource: Resource
    scope: str
    metric: str
    unit: str
    attributes: dict[str, Any]
    start_ns: int
    end_ns: int
    value: Decimal | int
    delta: bool


def trace_id_of(text: str) -> str:
    """`text` as the id of a trace, "" if it is none."""
    return _hex_id(text, 32)


def span_id_of(text: str) -> str:
    """`text` as the id of a span, "" if it is none."""
    return _hex_id(text, 16)


_HEX = frozenset("0123456789abcdef")


def _hex_id(text: str, length: int) -> str:
    lower = text.lower()
    if len(lower) != length or not _HEX.issuperset(lower) or not lower.strip("0"):
        return ""
    return lower
