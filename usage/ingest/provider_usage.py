"""An event with a provider's own `usage` object → the same event with Tallyman's counts.

Besides the counts, the object may choose the price (service tier, speed), state the charge of a
reseller, name the model that answered, and list passes of other models that belong to the call.
"""

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any

import msgspec

from usage.ingest.estimates import settle_hints
from usage.ingest.usage_shapes import (
    Counts,
    Found,
    cleaned,
    dig,
    is_number,
    iterations,
    levels,
    read_counts,
    says_nothing,
    stated_total,
)
from usage.ingest.values import (
    MAX_DURATION_MS,
    MAX_NAME,
    MAX_TOKENS,
    EventValue,
    FieldError,
    Rejection,
)

ADVICE = "#advisor-"
"""What follows the id of a call in the id of an event that stands for one of its advisor passes."""

TOKEN_FIELDS = {
    "input_tokens": "input_tokens",
    "output_tokens": "output_tokens",
    "cache_read_tokens": "cache_read_tokens",
    "cache_write_tokens": "cache_write_tokens",
    "cache_write_1h_tokens": "cache_write_1h_tokens",
    "output_reasoning_tokens": "reasoning_tokens",
}
# Parts that price nothing of their own once the totals are known.
_REDUNDANT = frozenset({"cache_write_5m_tokens", "input_text_tokens", "output_text_tokens"})
_TIERS = {
    "batch": "batch",
    "priority": "priority",
    "flex": "flex",
    "fast": "fast",
    "on_demand_priority": "priority",
    "on_demand_flex": "flex",
}
_DEFAULT_TIERS = frozenset({"default", "standard"})
# Counts that some answers of a provider leave out of the total they state.
_OUTSIDE_TOTAL = {
    "aws": ("cache_read_tokens", "cache_write_tokens"),
    "google": ("input_tool_tokens",),
    "perplexity": ("output_reasoning_tokens", "output_citation_tokens"),
}
_OLLAMA = frozenset({"prompt_eval_count", "eval_count"})
_NANOSECONDS_A_MILLISECOND = 1_000_000


def read_call(event: EventValue) -> list[EventValue] | Rejection:
    """`event` without its `usage` object and hints, then the events of its advisor passes.

    Anthropic lists the passes in which another model advised (`iterations`, `advisor_message`)
    beside the sums of a call and leaves them out of these. Each becomes an event of its own, under
    its own model, with the id of the call and `#advisor-1`, `#advisor-2`… The passes are stored,
    refused and corrected together with the call: they add to all sums, but the call alone has a
    receipt, whose cost is that of the call without them.
    """
    own = read_usage(event)
    if isinstance(own, Rejection):
        return own
    events = [own]
    for number, entry in enumerate(_advice(event.usage), start=1):
        advised = read_usage(_pass(event, f"{event.event_id}{ADVICE}{number}", entry))
        if isinstance(advised, Rejection):
            return Rejection(advised.errors, event.event_id)
        events.append(advised)
    if len(events[-1].event_id) > MAX_NAME:
        message = "With advisor passes in its usage an event's id must be shorter."
        return _refuse(event, "event_id", "too_long", message)
    return events


def read_usage(event: EventValue) -> EventValue | Rejection:
    """`event` with the counts of its `usage` object in the token fields and `usage` emptied.

    An empty object means the provider reported nothing: the event's own token fields stand, or
    an estimate from its hints, marked estimated. Otherwise token fields beside `usage` are
    refused, and so is an object of no known shape.
    """
    if event.usage is None:
        return settle_hints(event, reported=False)
    usage = cleaned(event.usage)
    if says_nothing(event.usage, usage):
        return msgspec.structs.replace(settle_hints(event, reported=False), estimated=True)
    given = next((name for name in TOKEN_FIELDS.values() if getattr(event, name)), None)
    if given or event.meters:
        return _refuse(event, "usage", "ambiguous", f"Send usage or {given or 'meters'}, not both.")
    answering = _answering_model(usage)
    found = read_counts(event.provider, (event.model, event.response_model, answering), usage)
    if found is None:
        return _refuse(
            event, "usage", "unreadable_usage", "No provider is known that reports usage so."
        )
    filled = _fill(event, found, levels(usage))
    if isinstance(filled, Rejection):
        return filled
    if answering and not event.response_model and answering != event.model:
        filled.response_model = answering
    if filled.duration_ms is None:
        filled.duration_ms = _duration(usage)
    return settle_hints(filled, reported=True)


def _advice(usage: Mapping[str, Any] | None) -> Iterator[Mapping[str, Any]]:
    return iterations(cleaned(usage), "advisor_message") if usage else iter(())


def _pass(event: EventValue, event_id: str, entry: Mapping[str, Any]) -> EventValue:
    model = entry.get("model")
    return msgspec.structs.replace(
        event,
        event_id=event_id,
        model=model if isinstance(model, str) and 0 < len(model) <= MAX_NAME else event.model,
        response_model="",
        duration_ms=None,
        total_tokens=None,
        usage={name: value for name, value in entry.items() if name not in ("type", "model")},
        reported_cost=None,
        currency=None,
        reservation=None,
        corrects=None,
    )


def _answering_model(usage: Mapping[str, Any]) -> str:
    """The model that a whole response body names; a mere usage object names none."""
    if len(levels(usage)) == 1 and _OLLAMA.isdisjoint(usage):
        return ""
    name = usage.get("model") or usage.get("modelVersion")
    return name if isinstance(name, str) and len(name) <= MAX_NAME else ""


def _duration(usage: Mapping[str, Any]) -> int | None:
    """Milliseconds that Ollama says the call took."""
    nanoseconds = usage.get("total_duration")
    if not isinstance(nanoseconds, int) or isinstance(nanoseconds, bool):
        return None
    milliseconds = nanoseconds // _NANOSECONDS_A_MILLISECOND
    return milliseconds if 0 <= milliseconds <= MAX_DURATION_MS else None


def _fill(event: EventValue, found: Found, said: list[Mapping[str, Any]]) -> EventValue | Rejection:
    counts = found.counts
    broken = next((name for name, value in counts.items() if not _is_count(name, value)), None)
    if broken:
        return _refuse(event, "usage", "out_of_range", f"{broken} is not a believable count.")
    tokens = {ours: int(counts.get(theirs, 0)) for theirs, ours in TOKEN_FIELDS.items()}
    meters = {
        name: Decimal(str(value))
        for name, value in counts.items()
        if name not in TOKEN_FIELDS and name not in _REDUNDANT
    }
    stated = stated_total(said)
    if stated is not None and stated not in _totals(found.style, counts):
        return _refuse(
            event,
            "usage",
            "total_mismatch",
            f"The stated total {stated} is not input {tokens['input_tokens']}"
            f" plus output {tokens['output_tokens']}.",
        )
    changes: dict[str, Any] = {**tokens, "meters": meters or None, "usage": None}
    changes["service_tier"] = _tier(event.service_tier, said)
    cost = next((c for c in map(_cost, said) if c is not None), None)
    if event.reported_cost is None and cost is not None:
        changes.update(reported_cost=cost, currency="USD")
    return msgspec.structs.replace(event, **changes)


def _totals(style: str, counts: Counts) -> set[Decimal | int]:
    """Every total that a provider may state beside `counts`."""
    total = counts.get("input_tokens", 0) + counts.get("output_tokens", 0)
    outside = sum(counts.get(name, 0) for name in _OUTSIDE_TOTAL.get(style, ()))
    return {total, total - outside}


def _tier(asked: str, said: Iterable[Mapping[str, Any]]) -> str:
    """The tier the provider says it served, else the one asked for.

    A batch stays one: its single answers say they were served as standard.
    """
    words = [
        str(word).lower()
        for level in said
        for word in (
            level.get("speed"),
            level.get("service_tier"),
            level.get("serviceTier"),
            dig(level, "serviceTier", "type"),
            level.get("trafficType"),
        )
        if word is not None
    ]
    served = next((_TIERS[word] for word in words if word in _TIERS), None)
    if served:
        return served
    downgraded = asked in ("priority", "flex") and not _DEFAULT_TIERS.isdisjoint(words)
    return "standard" if downgraded else asked


def _cost(usage: Mapping[str, Any]) -> Decimal | None:
    """What OpenRouter (a number) or Perplexity (an object) say the call cost, in USD."""
    cost = usage.get("cost")
    if isinstance(cost, dict):
        cost = cost.get("total_cost")
    return Decimal(str(cost)) if is_number(cost) else None


def _is_count(name: str, value: Decimal | int) -> bool:
    return 0 <= value <= MAX_TOKENS and (name.endswith("_seconds") or value == int(value))


def _refuse(event: EventValue, field: str, code: str, message: str) -> Rejection:
    return Rejection([FieldError(field, code, message)], event.event_id)
