"""Usage events as OpenMeter's clients send them → events. Pure but for the clock.

Source: OpenMeter's usage events and its guide to metering tokens of language models. Each event
tells the tokens of one kind (`type`: input, output, system), often as a string, and whatever else
the sender groups by.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from usage.ingest.values import EventValue, Rejection
from usage.mapping.values import MAX_TAG_VALUE, name_of, text_of
from usage.otlp.reading import AttributeReader, make_event
from usage.sightings.values import call_name

_MARKS = frozenset({"tokens", "prompt_tokens", "completion_tokens"})
_OUTPUT = frozenset({"output", "completion"})
_INPUT = frozenset({"input", "prompt", "system"})
_TEXTS = (
    "organization", "project", "team", "provider", "model", "operation", "action", "agent_type",
    "session_id", "run_id",
)  # fmt: skip


def is_openmeter(data: Mapping[str, Any]) -> bool:
    """Whether the data of a CloudEvent counts tokens in OpenMeter's words.

    None of them is a field of an event here, so that no event can be taken for the other kind.
    """
    return not _MARKS.isdisjoint(data)


def read_usage_event(
    source: str, event_id: str, time: str | None, subject: str | None, data: Mapping[str, Any]
) -> EventValue | Rejection:
    """One usage event. OpenMeter's are unique by source and id, and so is the id made of both.

    Members that stand for nothing here are left alone. Tokens of no kind that is known are taken
    for input, and the event is marked as estimated. Without a time it happened now.
    """
    reader = AttributeReader(data)
    fields: dict[str, Any] = {
        "event_id": call_name(f"{source}:{event_id}"),
        "occurred_at": time or datetime.now(UTC),
        "subject": name_of(text_of(subject)),
        **{name: reader.text(name) for name in _TEXTS},
        **_counts(reader, text_of(data.get("type")).lower()),
        "tags": {"source": source[:MAX_TAG_VALUE]} if source else None,
    }
    if reader.faults:
        return Rejection(reader.faults, fields["event_id"])
    return make_event({name: value for name, value in fields.items() if value not in (None, "")})


def _counts(reader: AttributeReader, kind: str) -> dict[str, Any]:
    asked, answered = reader.count("prompt_tokens"), reader.count("completion_tokens")
    if asked is None and answered is None:
        tokens = reader.count("tokens")
        if kind in _OUTPUT:
            return {"output_tokens": tokens}
        return {"input_tokens": tokens, "estimated": kind not in _INPUT}
    return {
        "input_tokens": asked,
        "output_tokens": answered,
        "cache_read_tokens": reader.count("cached_tokens"),
        "reasoning_tokens": reader.count("reasoning_tokens"),
    }
