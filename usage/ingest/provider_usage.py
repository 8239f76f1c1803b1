"""A provider's own `usage` object → Tallyman's counts.

The extractors are genai-prices'; they know which totals include cached tokens and
which must be added. What they leave out is added here: the service tier and speed
that choose a price, the charge a reseller states, the counts of Anthropic's compaction
passes, a few counts of Cohere and Mistral, and a check of stated totals.
"""

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any

import msgspec
from genai_prices.data_snapshot import DataSnapshot, get_snapshot
from genai_prices.types import Provider, UsageExtractor

from usage.ingest.values import MAX_TOKENS, EventValue, FieldError, Rejection

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
    "ON_DEMAND_PRIORITY": "priority",
    "ON_DEMAND_FLEX": "flex",
}
_DEFAULT_TIERS = frozenset({"default", "standard"})
_TOTALS = ("total_tokens", "totalTokenCount", "totalTokens")
# Counts that some answers of a provider leave out of the total they state.
_OUTSIDE_TOTAL = {
    "aws": ("cache_read_tokens", "cache_write_tokens"),
    "google": ("input_tool_tokens",),
    "perplexity": ("output_reasoning_tokens", "output_citation_tokens"),
}
_MORE_COUNTS = {
    "cohere": ((("cached_tokens",), "cache_read_tokens"),
               (("billed_units", "search_units"), "rerank_searches")),
    "mistral": ((("prompt_audio_seconds",), "input_audio_seconds"),),
}  # fmt: skip

_Counts = dict[str, Decimal | int]


def read_usage(event: EventValue) -> EventValue | Rejection:
    """`event` with the counts of its `usage` object in the token fields and `usage` emptied.

    An empty object means the provider reported nothing: the event's own token fields
    stand, marked estimated. Otherwise token fields beside `usage` are refused.
    """
    if event.usage is None:
        return event
    if not event.usage:
        return msgspec.structs.replace(event, usage=None, estimated=True)
    given = next((name for name in TOKEN_FIELDS.values() if getattr(event, name)), None)
    if given or event.meters:
        return _refuse(event, "usage", "ambiguous", f"Send usage or {given or 'meters'}, not both.")
    provider = find_provider(event.provider, event.model)
    if provider is None:
        return _refuse(
            event,
            "provider",
            "unknown_provider",
            "The provider must be named and known to read its usage object.",
        )
    counts = _extract(provider, event.usage)
    if counts is None:
        return _refuse(
            event,
            "usage",
            "unreadable_usage",
            f"The object has none of the shapes {provider.id} reports usage in.",
        )
    return _fill(event, provider, counts, event.usage)


def find_provider(name: str, model: str) -> Provider | None:
    """The genai-prices provider called `name`, or the one whose models look like `model`."""
    snapshot: DataSnapshot = get_snapshot()
    try:
        return snapshot.find_provider(model, name or None, None)
    except LookupError:
        return None


def _extract(provider: Provider, usage: Mapping[str, Any]) -> _Counts | None:
    found = [
        (depth, counts)
        for extractor in provider.extractors or ()
        for depth, counts in _try(extractor, usage)
    ]
    if not found:
        return None
    # An extractor whose own path is spelled out in the object fits better than one that
    # merely finds familiar names; among equals the one that understands more.
    _, counts = max(found, key=lambda item: (item[0], len(item[1])))
    inner = _levels(usage)[-1]
    for path, name in _MORE_COUNTS.get(provider.id, ()):
        value = _dig(inner, path)
        if _is_number(value) and value:
            counts.setdefault(name, value)
    for iteration in _compactions(inner):
        for name, value in (_extract(provider, iteration) or {}).items():
            counts[name] = counts.get(name, 0) + value
    return counts


def _try(extractor: UsageExtractor, usage: Mapping[str, Any]) -> Iterator[tuple[int, _Counts]]:
    root = [extractor.root] if isinstance(extractor.root, str) else list(extractor.root)
    missing = next((at for at, step in enumerate(root) if step in usage), len(root))
    body: Any = usage
    for step in reversed(root[:missing]):
        body = {step: body}
    try:
        _, found = extractor.extract(body)
    except (ValueError, TypeError, LookupError, AttributeError, ArithmeticError):
        # Extractors are written for answers of providers and trust the types within.
        return
    yield len(root) - missing, {name: value for name, value in vars(found).items() if value}


def _levels(usage: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The object, and the usage object inside it when it is a whole response body."""
    inner = (usage.get(name) for name in ("usage", "usageMetadata"))
    return [usage, *(level for level in inner if isinstance(level, Mapping))]


def _dig(usage: Mapping[str, Any], path: Iterable[str]) -> Any:
    value: Any = usage
    for step in path:
        value = value.get(step) if isinstance(value, Mapping) else None
    return value


def _compactions(usage: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    iterations = usage.get("iterations")
    for entry in iterations if isinstance(iterations, list) else ():
        if isinstance(entry, Mapping) and entry.get("type") == "compaction":
            yield {name: value for name, value in entry.items() if name != "iterations"}


def _fill(
    event: EventValue, provider: Provider, counts: _Counts, usage: Mapping[str, Any]
) -> EventValue | Rejection:
    broken = next((name for name, value in counts.items() if not _is_count(name, value)), None)
    if broken:
        return _refuse(event, "usage", "out_of_range", f"{broken} is not a believable count.")
    tokens = {ours: int(counts.get(theirs, 0)) for theirs, ours in TOKEN_FIELDS.items()}
    meters = {
        name: Decimal(str(value))
        for name, value in counts.items()
        if name not in TOKEN_FIELDS and name not in _REDUNDANT
    }
    levels = _levels(usage)
    stated = next(_numbers(levels, _TOTALS), None)
    if stated is not None and stated not in _totals(provider, counts):
        return _refuse(
            event,
            "usage",
            "total_mismatch",
            f"The stated total {stated} is not input {tokens['input_tokens']}"
            f" plus output {tokens['output_tokens']}.",
        )
    changes: dict[str, Any] = {**tokens, "meters": meters or None, "usage": None}
    changes["service_tier"] = _tier(event.service_tier, levels)
    cost = next((c for c in map(_cost, levels) if c is not None), None)
    if event.reported_cost is None and cost is not None:
        changes.update(reported_cost=cost, currency="USD")
    return msgspec.structs.replace(event, **changes)


def _totals(provider: Provider, counts: _Counts) -> set[Decimal | int]:
    """Every total that the provider may state beside `counts`."""
    total = counts.get("input_tokens", 0) + counts.get("output_tokens", 0)
    outside = sum(counts.get(name, 0) for name in _OUTSIDE_TOTAL.get(provider.id, ()))
    return {total, total - outside}


def _tier(asked: str, levels: Iterable[Mapping[str, Any]]) -> str:
    """The tier the provider says it served, else the one asked for.

    A batch stays one: its single answers say they were served as standard.
    """
    words = [
        str(word)
        for level in levels
        for word in (
            level.get("speed"),
            level.get("service_tier"),
            _dig(level, ("serviceTier", "type")),
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
    if isinstance(cost, Mapping):
        cost = cost.get("total_cost")
    return Decimal(str(cost)) if _is_number(cost) else None


def _numbers(levels: Iterable[Mapping[str, Any]], names: Iterable[str]) -> Iterator[Decimal | int]:
    known = tuple(names)
    return (level[name] for level in levels for name in known if _is_number(level.get(name)))


def _is_number(value: object) -> bool:
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)


def _is_count(name: str, value: Decimal | int) -> bool:
    return 0 <= value <= MAX_TOKENS and (name.endswith("_seconds") or value == int(value))


def _refuse(event: EventValue, field: str, code: str, message: str) -> Rejection:
    return Rejection([FieldError(field, code, message)], event.event_id)
