"""What LiteLLM's generic API callback posts → sightings. Pure.

LiteLLM counts in one way for every provider: `prompt_tokens` holds what was read from and written
to a cache, `completion_tokens` the reasoning. Its own figure of the cost stays beside ours as the
reported one. A call that its cache answered is an event with its tokens and without cost: the
provider was never asked.
"""

import base64
import binascii
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec

from usage.callbacks.litellm_payload import FAULTS, Record
from usage.ingest.provider_usage import read_usage
from usage.ingest.usage_shapes import dig, is_number
from usage.ingest.values import MAX_DURATION_MS, EventValue, FieldError, Rejection
from usage.mapping.book import RuleBook
from usage.mapping.values import name_of, text_of
from usage.otlp.dialects.ids import is_unique
from usage.otlp.dialects.providers import provider_id
from usage.otlp.reading import make_event
from usage.sightings.values import Sighting, call_name

_1970 = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST = 10**11
_OPERATIONS = {
    "completion": "chat", "anthropic_messages": "chat", "responses": "chat",
    "generate_content": "generate_content", "generate_content_stream": "generate_content",
    "text_completion": "text_completion", "embedding": "embeddings", "rerank": "rerank",
}  # fmt: skip
_CANCELLED = ("499", "CancelledError", "ClientDisconnect")
_TIERS = frozenset({"batch", "priority", "flex"})
_UUID4 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
_OWN_RESPONSE_ID = re.compile(r";response_id:([^;]+)")
_SHAPE = "openai"


def read_payload(
    raw: bytes | msgspec.Raw, book: RuleBook, organization: str | None
) -> Sighting | Rejection:
    """One call as LiteLLM logged it. `organization` is the slug of the key's own, None = a site
    key."""
    try:
        record = Record(raw)
    except FAULTS as fault:
        return Rejection([FieldError("", "not_a_litellm_payload", str(fault))])
    event_id, *names = _names(record)
    event = make_event(_fields(record, event_id, book.map(record.told(), organization)))
    if isinstance(event, Rejection):
        return event
    counted = _counted(record, event)
    return counted if isinstance(counted, Rejection) else Sighting(counted, tuple(names))


def _fields(record: Record, event_id: str, mapped: Mapping[str, Any]) -> dict[str, Any]:
    payload = record.payload
    provider = provider_id(text_of(payload.custom_llm_provider), text_of(payload.api_base))
    model = _model(text_of(payload.model), provider)
    answered = _model(text_of(record.response.model), provider)
    started, ended = _time(payload.start_time), _time(payload.end_time)
    hit = payload.cache_hit is True
    fields = {
        **mapped,
        "event_id": event_id,
        "occurred_at": started,
        "model": model or answered,
        "response_model": answered if answered != model else "",
        "provider": name_of(provider),
        "operation": _operation(text_of(payload.call_type)),
        "session_id": mapped.get("session_id") or _session(record),
        "status": _status(record),
        "duration_ms": _milliseconds(started, ended),
        "service_tier": _asked_tier(record),
        "free_tier": hit,
        **_cost(record),
    }
    if hit:
        fields["tags"] = {**mapped.get("tags", {}), "cache_hit": "true"}
    return {name: value for name, value in fields.items() if value not in (None, "")}


def _names(record: Record) -> list[str]:
    """The id of the call's event, then what else names it.

    LiteLLM gives all attempts at one request the same call id, so that one that failed, and one
    whose answer has no id of its own, are named by it and by when they began.
    """
    payload = record.payload
    said, call = text_of(payload.id), text_of(payload.litellm_call_id)
    if _status(record) == "success" and is_unique(said):
        answered = _unwrapped(said)
        return [call_name(answered or said), *([call_name(said)] if answered else ())]
    request = text_of(record.error.error_provider_request_id)
    attempt = call_name(f"{call or said}@{text_of(payload.start_time)}")
    return [attempt, *([call_name(request)] if is_unique(request) else ())]


def _unwrapped(said: str) -> str:
    """The provider's own id of a response, which LiteLLM wraps to find its way back."""
    try:
        text = base64.b64decode(said.partition("resp_")[2], validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return ""
    found = _OWN_RESPONSE_ID.search(text)
    return found[1] if found and is_unique(found[1]) else ""


def _counted(record: Record, event: EventValue) -> EventValue | Rejection:
    """`event` with its counts. One that succeeded without any is marked as estimated."""
    usage = record.usage()
    if not usage and event.status != "success":
        return event
    if "prompt_tokens" not in usage:
        return read_usage(msgspec.structs.replace(event, usage=dict(usage)))
    shaped = msgspec.structs.replace(event, provider=_SHAPE, usage=_as_openai(usage, record))
    counted = read_usage(shaped)
    if isinstance(counted, Rejection):
        return counted
    counted.provider = event.provider
    hour = _first(usage, "prompt_tokens_details", "cache_creation_token_details",
                  "ephemeral_1h_input_tokens") or _first(
        usage, "cache_creation_token_details", "ephemeral_1h_input_tokens")  # fmt: skip
    counted.cache_write_1h_tokens = max(0, min(int(hour), counted.cache_write_tokens))
    if searches := _first(usage, "server_tool_use", "web_search_requests"):
        counted.meters = {**(counted.meters or {}), "web_searches": Decimal(searches)}
    return counted


def _as_openai(usage: Mapping[str, Any], record: Record) -> dict[str, Any]:
    prompt = "prompt_tokens_details"
    read = _first(usage, prompt, "cached_tokens") or _first(usage, "cache_read_input_tokens")
    written = next(
        filter(None, (_first(usage, prompt, "cache_write_tokens"),
                      _first(usage, prompt, "cache_creation_tokens"),
                      _first(usage, "cache_creation_input_tokens"))), 0)  # fmt: skip
    reasoning = _first(usage, "completion_tokens_details", "reasoning_tokens")
    asked, answered = usage["prompt_tokens"] or 0, usage.get("completion_tokens") or 0
    if reasoning and is_number(asked) and is_number(answered):
        # Some providers' answers count reasoning beside the answer; the total gives it away.
        beside = usage.get("total_tokens") == asked + answered + reasoning
        answered += reasoning if beside else 0
    return {
        "prompt_tokens": asked,
        "completion_tokens": answered,
        prompt: {
            "cached_tokens": read,
            "cache_write_tokens": written,
            "audio_tokens": _first(usage, prompt, "audio_tokens"),
        },
        "completion_tokens_details": {
            "reasoning_tokens": reasoning,
            "audio_tokens": _first(usage, "completion_tokens_details", "audio_tokens"),
        },
        "service_tier": text_of(record.response.service_tier) or None,
        "speed": text_of(usage.get("speed")) or None,
    }


def _first(usage: Mapping[str, Any], *path: str) -> Any:
    value = dig(usage, *path)
    return value if is_number(value) else 0


def _model(told: str, provider: str) -> str:
    """The model without LiteLLM's prefix for the provider."""
    head, slash, rest = told.partition("/")
    return name_of(rest if slash and rest and provider_id(head) == provider else told)


def _operation(call_type: str) -> str:
    plain = call_type.lstrip("_")
    return _OPERATIONS.get(plain) or _OPERATIONS.get(plain.removeprefix("a")) or name_of(plain)


def _session(record: Record) -> str | None:
    """The session a caller named. LiteLLM's own trace ids, one for each request, are none."""
    trace = text_of(record.payload.trace_id)
    told = text_of(record.payload.session_id) or ("" if _UUID4.fullmatch(trace) else trace)
    return name_of(told) or None


def _status(record: Record) -> str:
    if text_of(record.payload.status) != "failure":
        return "success"
    why = text_of(record.error.error_code), text_of(record.error.error_class)
    return "cancelled" if not set(why).isdisjoint(_CANCELLED) else "error"


def _cost(record: Record) -> dict[str, Any]:
    cost = record.payload.response_cost
    charged = _status(record) == "success" and record.payload.cache_hit is not True
    if not charged or not is_number(cost) or cost <= 0:
        return {}
    return {"reported_cost": Decimal(cost), "currency": "USD"}


def _asked_tier(record: Record) -> str | None:
    if text_of(record.payload.call_type).endswith("_batch"):
        return "batch"
    asked = text_of(record.parameters.service_tier)
    return asked if asked in _TIERS else None


def _time(seconds: Any) -> datetime | None:
    if not is_number(seconds) or not 0 < seconds < _LATEST:
        return None
    return _1970 + timedelta(microseconds=int(seconds * 1_000_000))


def _milliseconds(started: datetime | None, ended: datetime | None) -> int | None:
    if started is None or ended is None or ended < started:
        return None
    return min((ended - started) // timedelta(milliseconds=1), MAX_DURATION_MS)
