"""A provider's own `usage` object → counts by meter, as genai-prices names them. Pure.

The extractors are genai-prices'; they know which totals include cached tokens and which must be
added. What they leave out is added here: servers they do not know (Ollama, vLLM, llama.cpp and
whatever else speaks a known shape), a few counts of Cohere, DeepSeek and Mistral, and Anthropic's
compaction passes.
"""

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any, NamedTuple

from genai_prices.data_snapshot import DataSnapshot, get_snapshot
from genai_prices.data_units import unit_data
from genai_prices.types import Provider, UsageExtractor

Counts = dict[str, Decimal | int]

_INNER = ("usage", "usageMetadata")
_TOTALS = ("total_tokens", "totalTokenCount", "totalTokens")
_NESTING = 4
_MORE_COUNTS = {
    "cohere": ((("cached_tokens",), "cache_read_tokens"),
               (("billed_units", "search_units"), "rerank_searches")),
    "deepseek": ((("prompt_cache_hit_tokens",), "cache_read_tokens"),),
    "mistral": ((("prompt_audio_seconds",), "input_audio_seconds"),),
    "moonshotai": ((("cached_tokens",), "cache_read_tokens"),),
}  # fmt: skip
_LOCAL_NAMES = {
    "prompt_eval_count": "prompt_tokens",  # Ollama
    "eval_count": "completion_tokens",
    "tokens_evaluated": "prompt_tokens",  # llama.cpp
    "tokens_predicted": "completion_tokens",
}


class _Shape(NamedTuple):
    """A shape told by any of its keys, read as `provider` reports it, with what may be missing."""

    keys: frozenset[str]
    provider: str
    totals: tuple[str, str]


_SHAPES = (
    _Shape(
        frozenset(("cache_creation_input_tokens", "cache_read_input_tokens")),
        "anthropic",
        ("input_tokens", "output_tokens"),
    ),
    _Shape(
        frozenset(("prompt_tokens", "completion_tokens")),
        "openai",
        ("prompt_tokens", "completion_tokens"),
    ),
    _Shape(
        frozenset(("input_tokens", "output_tokens")), "openai", ("input_tokens", "output_tokens")
    ),
    _Shape(
        frozenset(("promptTokenCount", "candidatesTokenCount")),
        "google",
        ("promptTokenCount", "candidatesTokenCount"),
    ),
    _Shape(frozenset(("inputTokens", "outputTokens")), "aws", ("inputTokens", "outputTokens")),
)


class Found(NamedTuple):
    """The counts of an object and the id of the provider in whose shape it was read."""

    counts: Counts
    style: str


def read_counts(provider: str, models: Iterable[str], usage: Mapping[str, Any]) -> Found | None:
    """What a `cleaned` object counts, as the named provider means it; None for no known shape.

    Without a name the provider is that of the first of `models` that is known. One that is
    unknown, or does not report usage in this shape itself, is taken to mean what the vendor means
    whose shape it is; counts of nothing may then be left out.
    """
    known = next((p for model in models if (p := find_provider(provider, model))), None)
    counts = _extract(known, usage) if known else None
    if known and counts is not None:
        return Found(counts, known.id)
    inner = levels(usage)[-1]
    local = {_LOCAL_NAMES.get(name, name): value for name, value in inner.items()}
    for shape in _SHAPES:
        vendor = find_provider(shape.provider, "")
        if vendor and not shape.keys.isdisjoint(local):
            counts = _extract(vendor, {**dict.fromkeys(shape.totals, 0), **local})
            return None if counts is None else Found(_with_reasoning(counts, local), vendor.id)
    return None


def stated_total(levels_of_usage: Iterable[Mapping[str, Any]]) -> Decimal | int | None:
    """The sum of tokens that the provider states, if it does."""
    stated = (level.get(name) for level in levels_of_usage for name in _TOTALS)
    return next((total for total in stated if is_number(total)), None)


def _with_reasoning(counts: Counts, usage: Mapping[str, Any]) -> Counts:
    # Some servers count reasoning beside the answer, as xAI does; their total gives it away.
    output, reasoning = counts.get("output_tokens", 0), counts.get("output_reasoning_tokens", 0)
    if reasoning and stated_total((usage,)) == counts.get("input_tokens", 0) + output + reasoning:
        return {**counts, "output_tokens": output + reasoning}
    return counts


def find_provider(name: str, model: str) -> Provider | None:
    """The genai-prices provider called `name`, or the one whose models look like `model`."""
    snapshot: DataSnapshot = get_snapshot()
    try:
        return snapshot.find_provider(model, name or None, None)
    except LookupError:
        return None


def cleaned(usage: Mapping[str, Any]) -> Mapping[str, Any]:
    """`usage` without nulls and out of the event a stream wraps a whole response in."""
    given = _without_nulls(usage, _NESTING)
    response = given.get("response")
    inner = response.get("usage") if isinstance(response, dict) else None
    if isinstance(response, dict) and isinstance(inner, dict) and _is_response(inner):
        return response
    return given


def says_nothing(usage: Mapping[str, Any], given: Mapping[str, Any]) -> bool:
    """Whether an object, `given` once `cleaned`, reports no usage at all; a response body may by
    a null for its usage."""
    return not given or any(name in usage and not given.get(name) for name in _INNER)


def _is_response(usage: Mapping[str, Any]) -> bool:
    # A realtime session wraps its usage the same way, but says input_token_details.
    return "input_tokens" in usage and "input_token_details" not in usage


def _without_nulls(usage: Mapping[str, Any], depth: int) -> Mapping[str, Any]:
    return {
        name: _without_nulls(value, depth - 1) if depth and isinstance(value, dict) else value
        for name, value in usage.items()
        if value is not None
    }


def levels(usage: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The object, and the usage object inside it when it is a whole response body."""
    inner = (usage.get(name) for name in _INNER)
    return [usage, *(level for level in inner if isinstance(level, dict))]


def dig(usage: Mapping[str, Any], *path: str) -> Any:
    """The value at `path`, None where there is nothing."""
    value: Any = usage
    for step in path:
        value = value.get(step) if isinstance(value, dict) else None
    return value


def is_number(value: object) -> bool:
    """Whether a JSON value is a number."""
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)


def iterations(usage: Mapping[str, Any], kind: str) -> Iterator[Mapping[str, Any]]:
    """The passes of one kind that Anthropic lists beside the sums of a call."""
    listed = levels(usage)[-1].get("iterations")
    for entry in listed if isinstance(listed, list) else ():
        if isinstance(entry, dict) and entry.get("type") == kind:
            yield {name: value for name, value in entry.items() if name != "iterations"}


def _extract(provider: Provider, usage: Mapping[str, Any]) -> Counts | None:
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
    inner = levels(usage)[-1]
    for path, name in _MORE_COUNTS.get(provider.id, ()):
        value = dig(inner, *path)
        if is_number(value) and value:
            counts.setdefault(name, value)
    for compaction in iterations(usage, "compaction"):
        for name, value in (_extract(provider, compaction) or {}).items():
            counts[name] = counts.get(name, 0) + value
    return counts


def _try(extractor: UsageExtractor, usage: Mapping[str, Any]) -> Iterator[tuple[int, Counts]]:
    root = [extractor.root] if isinstance(extractor.root, str) else list(extractor.root)
    missing = next((at for at, step in enumerate(root) if step in usage), len(root))
    inner = dig(usage, *root[missing:])
    if not isinstance(inner, dict) or _lacks_a_count(extractor, inner):
        return
    found = _whole_numbers(extractor, inner)
    if found is None:
        body: Any = usage
        for step in reversed(root[:missing]):
            body = {step: body}
        found = _by_extractor(extractor, inner, body)
    if found is not None:
        yield len(root) - missing, {name: value for name, value in found.items() if value}


def _lacks_a_count(extractor: UsageExtractor, usage: Mapping[str, Any]) -> bool:
    return any(
        mapping.required
        and isinstance(mapping.path, str)
        and mapping.path not in usage
        and mapping.dest in unit_data
        for mapping in extractor.mappings
    )


def _whole_numbers(extractor: UsageExtractor, usage: Mapping[str, Any]) -> Counts | None:
    """What `extractor` would find if it is all whole numbers under plain names, else None.

    genai-prices takes longer to read an object than all the rest of an event takes.
    """
    counts: Counts = {}
    for mapping in extractor.mappings:
        path, counted = mapping.path, mapping.dest
        value: Any = usage
        for step in (path,) if isinstance(path, str) else path:
            if not isinstance(step, str):
                return None
            value = value.get(step) if isinstance(value, dict) else None
        if value is None and not mapping.required:
            continue
        if type(value) is not int or value < 0 or counted not in unit_data:
            return None
        counts[counted] = counts.get(counted, 0) + value
    return counts or None


def _by_extractor(extractor: UsageExtractor, usage: Mapping[str, Any], body: Any) -> Counts | None:
    # A count that is no number would be left out without a word where it is optional.
    names = (mapping.path for mapping in extractor.mappings if isinstance(mapping.path, str))
    if not all(name not in usage or is_number(usage[name]) for name in names):
        return None
    try:
        _, found = extractor.extract(body)
    except (ValueError, TypeError, LookupError, AttributeError, ArithmeticError):
        # Extractors are written for answers of providers and trust the types within.
        return None
    return vars(found)
