"""Attributes of a GenAI record, in whatever words → what they say of a call. Pure."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import msgspec

from usage.ingest.validate import MAX_COST
from usage.ingest.values import MAX_TOKENS, FieldError
from usage.otlp.clients import CLAUDE_MARK
from usage.otlp.dialects import aliases, langfuse, vercel
from usage.otlp.dialects.counts import Stated, settle
from usage.otlp.dialects.ids import is_unique
from usage.otlp.dialects.kinds import AGENT, operation_of
from usage.otlp.dialects.providers import provider_id
from usage.otlp.reading import AttributeReader
from usage.sightings.values import call_name

_TIERS = frozenset({"batch", "priority", "flex", "fast"})
_CANCELLED = ("cancel", "abort", "generatorexit", "keyboardinterrupt")
_APART_SCOPES = ("strands",)
_ADDING_SCOPE = "opentelemetry.instrumentation.anthropic"
_STREAMED = ("gen_ai.is_streaming", "llm.is_streaming")


class Told(msgspec.Struct):
    """What a record says of a call. `names` are ids that name it and no other, the best first.

    `counts` are token fields and meters of an event. They are `estimated` where the record has no
    usage though the call did not fail, or is known to count too much. `cost` is in US dollars.
    """

    operation: str
    provider: str
    model: str
    response_model: str
    names: tuple[str, ...]
    counts: dict[str, Any]
    estimated: bool
    service_tier: str
    status: str
    cost: Decimal | None
    agent_type: str


class _Record:
    """A record of a call, and which of its attributes tell what."""

    def __init__(self, attributes: Mapping[str, Any], scope: str, name: str) -> None:
        self.attributes, self.scope = attributes, scope
        self.is_of_claude_code = name.startswith(CLAUDE_MARK)
        self.reader = AttributeReader(attributes)
        self._found = aliases.find(attributes)

    def text(self, what: str) -> str:
        """What is told as clean text, "" for nothing."""
        name = self._found.get(what)
        return self.reader.text(name) if name else ""

    def count(self, what: str) -> int | None:
        """What is told as a count, None for nothing; faults are noted."""
        name = self._found.get(what)
        if name is None:
            return None
        value = self.attributes[name]
        if type(value) is int and 0 <= value <= MAX_TOKENS:
            return value
        return self.reader.count(name)

    def money(self) -> Decimal | None:
        """The cost that is told in US dollars."""
        name = self._found.get("cost")
        return self.reader.money(name) if name else None


def read_genai(
    attributes: Mapping[str, Any], scope: str = "", name: str = "", *, failed: bool = False
) -> Told | list[FieldError] | None:
    """What `attributes` say of a call, what is wrong with them, or None for no call.

    `scope` is the instrumentation that made the record, `name` that of the span; `failed` says
    that its status is an error. A call whose record tells no usage counts nothing.
    """
    operation = operation_of(attributes, scope, name)
    if not operation or operation == AGENT:
        return None
    record = _Record(attributes, scope, name)
    answering = record.text("response_model")
    model = record.text("model") or answering
    provider = provider_id(record.text("provider"), record.text("address"))
    stated = _stated(record, provider, (model, answering))
    if record.reader.faults:
        return record.reader.faults
    if not model:
        return _no_model(stated)
    status = _status(record, failed)
    return Told(
        operation=operation,
        provider=provider,
        model=_bare(model, provider),
        response_model=answering if answering != model else "",
        names=_names(record),
        counts=settle(stated),
        estimated=_adds_up(record) if stated.has_usage else status == "success",
        service_tier=_tier(record),
        status=status,
        cost=_cost(record),
        agent_type=record.text("agent"),
    )


def _no_model(stated: Stated) -> list[FieldError] | None:
    if not stated.has_usage:
        return None
    return [FieldError(aliases.REQUEST_MODEL[0], "required", "The record names no model.")]


def _stated(record: _Record, provider: str, models: tuple[str, ...]) -> Stated:
    attributes = record.attributes
    if langfuse.USAGE in attributes:
        found = langfuse.read_usage_details(attributes[langfuse.USAGE], provider, models)
        if isinstance(found, FieldError):
            record.reader.faults.append(found)
        elif found is not None:
            return found
    if record.is_of_claude_code:
        return _claude_code(record.reader)
    stated = _conventional(record)
    if "ai.operationId" in attributes or "ai.model.id" in attributes:
        vercel.complete(stated, attributes, provider)
    stated.apart_input |= record.scope.startswith(_APART_SCOPES)
    return stated


def _claude_code(reader: AttributeReader) -> Stated:
    return Stated(
        reader.count("input_tokens"),
        reader.count("output_tokens"),
        reader.count("cache_read_tokens") or 0,
        reader.count("cache_creation_tokens"),
        apart_input=True,
    )


def _conventional(record: _Record) -> Stated:
    count = record.count
    stated = Stated(
        count("input"),
        count("output"),
        count("cache_read") or 0,
        count("cache_write"),
        count("cache_write_5m") or 0,
        count("cache_write_1h") or 0,
        count("reasoning") or 0,
        count("total"),
    )
    for meter in aliases.METERS:
        if found := count(meter):
            stated.meters[meter] = Decimal(found)
    if stated.input is not None and (passes := count("compaction_input")):
        stated.input += passes
        stated.output = (stated.output or 0) + (count("compaction_output") or 0)
    return stated


def _names(record: _Record) -> tuple[str, ...]:
    ids = [record.text("response_id")]
    ids += [record.reader.text(name) for name in aliases.REQUEST_IDS if name in record.attributes]
    if record.is_of_claude_code:
        ids += [record.reader.text("request_id"), record.reader.text("client_request_id")]
    return tuple(dict.fromkeys(call_name(text) for text in ids if text and is_unique(text)))


def _tier(record: _Record) -> str:
    """The tier that was served, else the one asked for."""
    served = record.reader.text("speed") if record.is_of_claude_code else ""
    told = (served or record.text("served_tier") or record.text("asked_tier")).lower()
    return told if told in _TIERS else "standard"


def _status(record: _Record, failed: bool) -> str:
    error = record.reader.text("error.type")
    if any(word in error.lower() for word in _CANCELLED):
        return "cancelled"
    told = record.attributes
    bad = failed or error or told.get(langfuse.LEVEL) == "ERROR" or told.get("success") is False
    return "error" if bad else "success"


def _cost(record: _Record) -> Decimal | None:
    """What the record says the call cost. Nothing where it says 0, which stands for no price."""
    if langfuse.COST in record.attributes:
        cost = langfuse.total_cost(record.attributes[langfuse.COST])
    else:
        cost = record.money()
    return cost if cost is not None and 0 < cost <= MAX_COST else None


def _adds_up(record: _Record) -> bool:
    """Whether the instrumentation adds the first to the last count of a stream.

    OpenLLMetry does for Anthropic (0.62): its output is a few tokens too large. It does not say
    of every stream that it is one, but of a stream it writes the model after the counts.
    """
    if record.scope != _ADDING_SCOPE:
        return False
    told = record.attributes
    if any(str(told.get(name)).lower() == "true" for name in _STREAMED):
        return True
    order = [name for name in told if name in (aliases.OUTPUT[0], aliases.RESPONSE_MODEL[0])]
    return order == [aliases.OUTPUT[0], aliases.RESPONSE_MODEL[0]]


def _bare(model: str, provider: str) -> str:
    """A model without the prefix by which LiteLLM chooses the provider (`openai/gpt-5`)."""
    prefix, _, rest = model.partition("/")
    if not rest or not provider or provider == "openrouter":
        return model
    return rest if provider_id(prefix) == provider else model
