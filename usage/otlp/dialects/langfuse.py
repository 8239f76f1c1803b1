"""Langfuse's `usage_details` and `cost_details`: objects with whatever keys their sender chose.

Langfuse's own keys are `input`, `output` and `total`; its wrappers of providers pass on the
provider's object instead.
"""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

import msgspec

from usage.ingest.provider_usage import TOKEN_FIELDS
from usage.ingest.usage_shapes import cleaned, is_number, read_counts
from usage.ingest.values import MAX_TOKENS, FieldError, exact_number
from usage.mapping.values import text_of
from usage.otlp.dialects.counts import Stated

USAGE = "langfuse.observation.usage_details"
COST = "langfuse.observation.cost_details"
LEVEL = "langfuse.observation.level"
_OWN_KEYS = frozenset({"input", "output", "total"})
_APART = frozenset({"anthropic", "aws"})
_decode = msgspec.json.Decoder(float_hook=exact_number).decode
_METERS = {
    "input_audio": "input_audio_tokens", "input_audio_tokens": "input_audio_tokens",
    "output_audio": "output_audio_tokens", "output_audio_tokens": "output_audio_tokens",
}  # fmt: skip


def read_details(value: Any) -> dict[str, Any] | None:
    """An object, written out or as JSON text; None for anything else."""
    if isinstance(value, str):
        try:
            value = _decode(value)
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            return None
    return value if isinstance(value, dict) else None


def read_usage_details(
    value: Any, provider: str, models: tuple[str, ...]
) -> Stated | FieldError | None:
    """The counts of `usage_details`, None where it is empty."""
    details = read_details(value)
    if details is None:
        return FieldError(USAGE, "unreadable_usage", "This is no JSON object.")
    given = {name: count for name, count in details.items() if count is not None}
    if not given:
        return None
    if _OWN_KEYS.isdisjoint(given):
        return _as_provider(given, provider, models)
    counts = {name: count for name, count in given.items() if not isinstance(count, dict | list)}
    broken = _broken(counts)
    if broken:
        return broken
    return _own_keys({name: int(count) for name, count in counts.items()}, provider)


def total_cost(value: Any) -> Decimal | None:
    """The total of `cost_details` in US dollars, or the sum of its parts where it has none."""
    details = read_details(value) or {}
    costs = {name: Decimal(str(cost)) for name, cost in details.items() if is_number(cost)}
    if "total" in costs:
        return costs["total"]
    return sum(costs.values(), Decimal(0)) if costs else None


def _own_keys(counts: Mapping[str, int], provider: str) -> Stated:
    stated = Stated(counts.get("input"), counts.get("output"), total=counts.get("total"))
    # LangChain's handler takes the parts it names `input_…` and `output_…` out of the totals.
    stated.apart_input = provider in _APART
    split = 0
    for name, count in _parts(counts):
        if "reasoning" in name or "thinking" in name or "thought" in name:
            stated.reasoning = count
            stated.apart_output |= name.startswith("output_")
        elif "1h" in name:
            stated.cache_write_1h = count
        elif "5m" in name:
            split = count
        elif "creation" in name or "write" in name:
            stated.cache_write = count
            stated.apart_input |= name.startswith("input_")
        elif "cache" in name:
            stated.cache_read = count
            stated.apart_input |= name.startswith("input_")
        elif name in _METERS:
            stated.meters[_METERS[name]] = Decimal(count)
    stated.cache_write_5m = split
    return stated


def _parts(counts: Mapping[str, int]) -> Iterator[tuple[str, int]]:
    for name, count in counts.items():
        if name not in _OWN_KEYS:
            yield name.lower(), count


def _as_provider(
    given: Mapping[str, Any], provider: str, models: tuple[str, ...]
) -> Stated | FieldError:
    usage = cleaned(given)
    found = read_counts(provider, models, usage)
    if found is None:
        return FieldError(USAGE, "unreadable_usage", "No provider is known that reports usage so.")
    counts = dict(found.counts)
    broken = _broken(counts)
    if broken:
        return broken
    stated = Stated()
    for theirs, ours in TOKEN_FIELDS.items():
        setattr(stated, ours.removesuffix("_tokens"), int(counts.pop(theirs, 0)))
    counts.pop("cache_write_5m_tokens", None)
    stated.meters = {name: Decimal(str(count)) for name, count in counts.items()}
    return stated


def _broken(counts: Mapping[str, Any]) -> FieldError | None:
    for name, count in counts.items():
        if not is_number(count) or not 0 <= count <= MAX_TOKENS or count != int(count):
            message = f"{text_of(name)[:64]} is not a believable count."
            return FieldError(USAGE, "out_of_range", message)
    return None
