"""Vercel's AI SDK: what its spans leave to the provider's own words. Pure.

From version 6 on it states the parts of the input by name and totals include them. Before, the
input of Anthropic's models left the cached tokens out, and what was written to the cache is told
in the provider's metadata alone.
"""

from collections.abc import Mapping
from typing import Any

from usage.ingest.usage_shapes import dig, is_number
from usage.ingest.values import MAX_TOKENS
from usage.otlp.dialects.counts import Stated
from usage.otlp.dialects.langfuse import read_details

METADATA = "ai.response.providerMetadata"
_NAMED_PARTS = ("ai.usage.inputTokenDetails.noCacheTokens",
                "ai.usage.inputTokenDetails.cacheReadTokens")  # fmt: skip
_APART = frozenset({"anthropic", "aws"})


def complete(stated: Stated, attributes: Mapping[str, Any], provider: str) -> None:
    """Tell `stated` how this span means its counts, and what was written to the cache."""
    stated.own_total = True
    if provider not in _APART or any(name in attributes for name in _NAMED_PARTS):
        return
    metadata = read_details(attributes.get(METADATA)) or {}
    anthropic, bedrock = metadata.get("anthropic"), metadata.get("bedrock")
    usage = dig(metadata, "anthropic", "usage")
    if isinstance(anthropic, Mapping) and stated.cache_write is None:
        stated.cache_write = _count(anthropic.get("cacheCreationInputTokens"))
        one_hour = dig(
            metadata, "anthropic", "usage", "cache_creation", "ephemeral_1h_input_tokens"
        )
        stated.cache_write_1h = _count(one_hour) or 0
    if isinstance(bedrock, Mapping) and stated.cache_write is None:
        stated.cache_write = _count(dig(bedrock, "usage", "cacheWriteInputTokens"))
    raw = dig(metadata, "anthropic", "usage", "input_tokens")
    stated.apart_input = not isinstance(usage, Mapping) or raw == stated.input


def _count(value: Any) -> int | None:
    if not is_number(value) or not 0 <= value <= MAX_TOKENS or value != int(value):
        return None
    return int(value)
