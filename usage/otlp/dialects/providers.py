"""What instrumentations call a provider → its id in the catalogue (genai-prices)."""

import re
from functools import lru_cache

from genai_prices.data_snapshot import get_snapshot

_IDS = {
    "openai": "openai", "azure_openai": "azure", "az_ai_openai": "azure",
    "azure_ai_openai": "azure", "az_ai_inference": "azure", "azure_ai_inference": "azure",
    "azure": "azure", "azure_ai": "azure", "azureopenai": "azure", "anthropic": "anthropic",
    "claude": "anthropic", "aws_bedrock": "aws", "aws": "aws", "bedrock": "aws",
    "bedrock_converse": "aws", "amazon_bedrock": "aws", "amazon": "aws", "gcp_gemini": "google",
    "gcp_vertex_ai": "google", "gcp_vertex_agent": "google", "gcp_gen_ai": "google",
    "gemini": "google", "google": "google", "google_genai": "google",
    "google_generative_ai": "google", "google_generativeai": "google", "google_vertex": "google",
    "vertex": "google", "vertex_ai": "google", "vertexai": "google", "vertex_ai_beta": "google",
    "cohere": "cohere", "cohere_chat": "cohere", "deepseek": "deepseek", "groq": "groq",
    "mistral": "mistral", "mistral_ai": "mistral", "mistralai": "mistral",
    "moonshot": "moonshotai", "moonshot_ai": "moonshotai", "moonshotai": "moonshotai",
    "perplexity": "perplexity", "x_ai": "x-ai", "xai": "x-ai", "openrouter": "openrouter",
    "together": "together", "together_ai": "together", "togetherai": "together",
    "fireworks": "fireworks", "fireworks_ai": "fireworks", "cerebras": "cerebras",
    "voyage": "voyageai", "voyageai": "voyageai", "text_completion_openai": "openai",
}  # fmt: skip
_NO_VENDORS = frozenset({
    "langchain", "langgraph", "llamaindex", "crewai", "strands_agents", "litellm",
    "litellm_proxy", "pydantic_ai", "haystack", "dspy", "custom", "unknown", "none", "gateway",
    "openai_compatible", "other", "_other",
})  # fmt: skip
_DIVIDERS = re.compile(r"[ .\-/]+")


def provider_id(told: str, address: str = "") -> str:
    """The catalogue's id of the provider called `told`, "" for names of mere frameworks.

    Clients of OpenAI's API say `openai` whoever they talk to; the address of the server knows
    better. A name that nobody knows stays as it is, in lower case.
    """
    known = _known(told)
    if known in ("openai", "") and address:
        return _at(address) or known
    return known


@lru_cache(maxsize=1024)
def _known(told: str) -> str:
    words = _DIVIDERS.split(told.strip().lower())
    # Vercel's names go on with the API that is used: `azure-openai.chat`.
    for length in range(len(words), 0, -1):
        name = "_".join(words[:length])
        if name in _IDS:
            return _IDS[name]
        if name in _NO_VENDORS:
            return ""
    return told.strip().lower()


@lru_cache(maxsize=1024)
def _at(address: str) -> str:
    url = address if "//" in address else f"https://{address}"
    try:
        return str(get_snapshot().find_provider("", None, url).id)
    except LookupError:
        return ""
