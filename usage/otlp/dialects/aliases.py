"""Attribute names by what they tell; of several that a record holds the first one counts."""

from collections.abc import Mapping
from typing import Any

REQUEST_MODEL = (
    "gen_ai.request.model", "llm.request.model_name", "llm.request.model",
    "langfuse.observation.model.name", "llm.model_name", "embedding.model_name",
    "reranker.model_name", "ai.model.id",
)  # fmt: skip
RESPONSE_MODEL = (
    "gen_ai.response.model", "llm.response.model_name", "llm.response.model", "ai.response.model",
)  # fmt: skip
PROVIDER = (
    "gen_ai.provider.name", "gen_ai.system", "llm.provider", "llm.system", "llm.vendor",
    "ai.model.provider",
)  # fmt: skip
ADDRESS = ("server.address", "gen_ai.openai.api_base", "llm.openai.api_base")
AGENT = ("gen_ai.agent.name",)
RESPONSE_ID = ("gen_ai.response.id", "ai.response.id", "llm.response.id")
REQUEST_IDS = (
    "anthropic.request.id", "anthropic.request_id", "openai.request.id", "openai.request_id",
    "aws.request_id",
)  # fmt: skip
SERVED_TIER = (
    "openai.response.service_tier", "gen_ai.openai.response.service_tier",
    "anthropic.response.service_tier", "gen_ai.response.service_tier",
)  # fmt: skip
ASKED_TIER = (
    "openai.request.service_tier", "gen_ai.openai.request.service_tier",
    "anthropic.request.service_tier", "gen_ai.request.service_tier",
)  # fmt: skip
COST = (
    "gen_ai.usage.cost", "gen_ai.usage.total_cost", "llm.cost.total", "litellm.cost.total",
    "gen_ai.cost.total_cost", "operation.cost", "cost_usd",
)  # fmt: skip
"""Amounts in US dollars."""

INPUT = (
    "gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens", "llm.token_count.prompt",
    "llm.usage.prompt_tokens", "llm.usage.input_tokens", "ai.usage.inputTokens",
    "ai.usage.promptTokens", "ai.usage.tokens",
)  # fmt: skip
OUTPUT = (
    "gen_ai.usage.output_tokens", "gen_ai.usage.completion_tokens", "llm.token_count.completion",
    "llm.usage.completion_tokens", "llm.usage.output_tokens", "ai.usage.outputTokens",
    "ai.usage.completionTokens",
)  # fmt: skip
TOTAL = (
    "gen_ai.usage.total_tokens", "llm.token_count.total", "llm.usage.total_tokens",
    "ai.usage.totalTokens",
)  # fmt: skip
CACHE_READ = (
    "gen_ai.usage.cache_read.input_tokens", "gen_ai.usage.cache_read_input_tokens",
    "gen_ai.usage.cache_read_tokens", "gen_ai.usage.cached_tokens",
    "gen_ai.usage.cached_input_tokens", "gen_ai.usage.input_tokens.cached",
    "gen_ai.usage.prompt_tokens_details.cached_tokens",
    "gen_ai.usage.details.cache_read_tokens", "gen_ai.usage.details.cache_read_input_tokens",
    "gen_ai.usage.details.cached_tokens", "gen_ai.usage.details.cached_content_tokens",
    "llm.token_count.prompt_details.cache_read", "llm.token_count.prompt_details.cache_input",
    "llm.usage.cache_read_input_tokens", "ai.usage.inputTokenDetails.cacheReadTokens",
    "ai.usage.cachedInputTokens",
)  # fmt: skip
CACHE_WRITE = (
    "gen_ai.usage.cache_write.input_tokens", "gen_ai.usage.cache_creation.input_tokens",
    "gen_ai.usage.cache_creation_input_tokens", "gen_ai.usage.cache_write_input_tokens",
    "gen_ai.usage.cache_write_tokens", "gen_ai.usage.cache_creation_tokens",
    "gen_ai.usage.input_tokens.cache_write", "gen_ai.usage.details.cache_write_tokens",
    "gen_ai.usage.details.cache_creation_input_tokens",
    "llm.token_count.prompt_details.cache_write", "llm.usage.cache_creation_input_tokens",
    "ai.usage.inputTokenDetails.cacheWriteTokens",
)  # fmt: skip
CACHE_WRITE_5M = (
    "anthropic.usage.cache_creation.ephemeral_5m_input_tokens",
    "gen_ai.usage.cache_creation.ephemeral_5m_input_tokens",
    "gen_ai.usage.details.ephemeral_5m_input_tokens",
)
CACHE_WRITE_1H = (
    "anthropic.usage.cache_creation.ephemeral_1h_input_tokens",
    "gen_ai.usage.cache_creation.ephemeral_1h_input_tokens",
    "gen_ai.usage.details.ephemeral_1h_input_tokens",
)
REASONING = (
    "gen_ai.usage.reasoning.output_tokens", "gen_ai.usage.reasoning_tokens",
    "gen_ai.usage.output_tokens.reasoning", "gen_ai.usage.reasoning_output_tokens",
    "gen_ai.usage.completion_tokens_details.reasoning_tokens",
    "gen_ai.usage.details.reasoning_tokens", "gen_ai.usage.details.thoughts_tokens",
    "llm.usage.reasoning_tokens", "llm.token_count.completion_details.reasoning",
    "ai.usage.outputTokenDetails.reasoningTokens", "ai.usage.reasoningTokens",
)  # fmt: skip
COMPACTION_INPUT = ("anthropic.usage.compaction.input_tokens",)
COMPACTION_OUTPUT = ("anthropic.usage.compaction.output_tokens",)
"""Passes that Anthropic charges for and leaves out of the totals."""

METERS = {
    "input_audio_tokens": (
        "gen_ai.usage.audio.input_tokens", "gen_ai.usage.input_audio_tokens",
        "gen_ai.usage.details.input_audio_tokens", "llm.token_count.prompt_details.audio",
    ),
    "output_audio_tokens": (
        "gen_ai.usage.audio.output_tokens", "gen_ai.usage.output_audio_tokens",
        "gen_ai.usage.details.output_audio_tokens", "llm.token_count.completion_details.audio",
    ),
    "input_image_tokens": ("gen_ai.usage.image.input_tokens",),
    "output_image_tokens": ("gen_ai.usage.image.output_tokens",),
    "cache_audio_read_tokens": ("gen_ai.usage.details.cache_audio_read_tokens",),
}  # fmt: skip
"""Counts of more than text, by the meter they fill; each is part of a total."""

_SAYING: dict[str, tuple[str, ...]] = {
    "model": REQUEST_MODEL, "response_model": RESPONSE_MODEL, "provider": PROVIDER,
    "address": ADDRESS, "agent": AGENT, "response_id": RESPONSE_ID,
    "served_tier": SERVED_TIER, "asked_tier": ASKED_TIER, "cost": COST,
    "input": INPUT, "output": OUTPUT, "total": TOTAL, "cache_read": CACHE_READ,
    "cache_write": CACHE_WRITE, "cache_write_5m": CACHE_WRITE_5M,
    "cache_write_1h": CACHE_WRITE_1H, "reasoning": REASONING,
    "compaction_input": COMPACTION_INPUT, "compaction_output": COMPACTION_OUTPUT,
    **METERS,
}  # fmt: skip
_MEANING = {
    name: (what, place) for what, names in _SAYING.items() for place, name in enumerate(names)
}
_NOT_FOUND = ("", len(_MEANING))


def find(attributes: Mapping[str, Any]) -> dict[str, str]:
    """Which attribute tells what (`model`, `input`…), of those that tell anything at all."""
    found: dict[str, tuple[str, int]] = {}
    for name, value in attributes.items():
        meaning = _MEANING.get(name)
        if meaning is None or not _is_told(value):
            continue
        what, place = meaning
        if place < found.get(what, _NOT_FOUND)[1]:
            found[what] = (name, place)
    return {what: name for what, (name, _) in found.items()}


def _is_told(value: Any) -> bool:
    # Vercel's SDK writes NaN for counts it does not know.
    return value is not None and value != "" and value == value
