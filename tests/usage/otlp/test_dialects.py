import json
import math
from typing import Any

import pytest

from tests.usage.otlp.telling import Counts, chat, counts_of, told, vercel_call
from usage.otlp.dialects import langfuse, vercel

CLAUDE = "claude-sonnet-4-5"


def langfuse_generation(model: str, **details: Any) -> dict[str, Any]:
    return {
        "langfuse.observation.type": "generation",
        "langfuse.observation.model.name": model,
        langfuse.USAGE: json.dumps(details),
    }


DIALECTS: list[tuple[str, str, str, dict[str, Any], str, str, Counts]] = [
    (
        "current names of OpenTelemetry", "", "chat gpt-5",
        chat(2006, 1300, **{"gen_ai.usage.cache_read.input_tokens": 1920,
                            "gen_ai.usage.reasoning.output_tokens": 1024}),
        "openai", "gpt-5", (2006, 1300, 1920, 0, 0, 1024),
    ),
    (
        "Anthropic's SDK", "com.anthropic.sdk.python", "anthropic.messages.create",
        {"gen_ai.operation.name": "chat", "gen_ai.provider.name": "anthropic",
         "gen_ai.request.model": "claude-opus-4-8", "gen_ai.usage.input_tokens": 2406,
         "gen_ai.usage.cache_read.input_tokens": 1800,
         "gen_ai.usage.cache_write.input_tokens": 556,
         "anthropic.usage.cache_creation.ephemeral_5m_input_tokens": 456,
         "anthropic.usage.cache_creation.ephemeral_1h_input_tokens": 100,
         "gen_ai.usage.output_tokens": 393},
        "anthropic", "claude-opus-4-8", (2406, 393, 1800, 556, 100, 0),
    ),
    (
        "a compaction that Anthropic's SDK tells apart", "com.anthropic.sdk.python", "",
        chat(1000, 100, **{"anthropic.usage.compaction.input_tokens": 5000,
                           "anthropic.usage.compaction.output_tokens": 700}),
        "openai", "gpt-5", (6000, 800, 0, 0, 0, 0),
    ),
    (
        "OpenLLMetry for Anthropic", "opentelemetry.instrumentation.anthropic", "anthropic.chat",
        {"gen_ai.operation.name": "chat", "gen_ai.provider.name": "anthropic",
         "gen_ai.request.model": CLAUDE, "gen_ai.usage.input_tokens": 2406,
         "gen_ai.usage.output_tokens": 393, "gen_ai.usage.total_tokens": 2799,
         "gen_ai.usage.cache_read.input_tokens": 1800,
         "gen_ai.usage.cache_creation.input_tokens": 556},
        "anthropic", CLAUDE, (2406, 393, 1800, 556, 0, 0),
    ),
    (
        "older names of OpenLLMetry", "opentelemetry.instrumentation.openai", "openai.chat",
        {"llm.request.type": "chat", "gen_ai.system": "OpenAI", "gen_ai.request.model": "gpt-5",
         "gen_ai.usage.prompt_tokens": 500, "gen_ai.usage.completion_tokens": 60,
         "llm.usage.total_tokens": 560, "gen_ai.usage.cache_read_input_tokens": 400,
         "gen_ai.usage.cache_creation_input_tokens": 50, "llm.usage.reasoning_tokens": 20},
        "openai", "gpt-5", (500, 60, 400, 50, 0, 20),
    ),
    (
        "the oldest names of OpenLLMetry", "", "openai.completion",
        {"llm.request.type": "completion", "llm.vendor": "OpenAI",
         "llm.request.model": "gpt-4o", "llm.usage.prompt_tokens": 12,
         "llm.usage.completion_tokens": 3},
        "openai", "gpt-4o", (12, 3, 0, 0, 0, 0),
    ),
    (
        "OpenInference", "openinference.instrumentation.anthropic", "Messages",
        {"openinference.span.kind": "LLM", "llm.provider": "anthropic",
         "llm.system": "anthropic", "llm.model_name": CLAUDE, "llm.token_count.prompt": 1000,
         "llm.token_count.completion": 90, "llm.token_count.total": 1090,
         "llm.token_count.prompt_details.cache_read": 900,
         "llm.token_count.prompt_details.cache_write": 50,
         "llm.token_count.completion_details.reasoning": 30},
        "anthropic", CLAUDE, (1000, 90, 900, 50, 0, 30),
    ),
    (
        "OpenInference where a total shows that the cache is apart", "", "",
        {"openinference.span.kind": "llm", "llm.provider": "aws", "llm.model_name": CLAUDE,
         "llm.token_count.prompt": 3000, "llm.token_count.completion": 628,
         "llm.token_count.total": 6628, "llm.token_count.prompt_details.cache_read": 2500,
         "llm.token_count.prompt_details.cache_write": 500},
        "aws", CLAUDE, (6000, 628, 2500, 500, 0, 0),
    ),
    (
        "embeddings of OpenInference", "", "CreateEmbeddings",
        {"openinference.span.kind": "EMBEDDING", "embedding.model_name": "text-embedding-3-small",
         "llm.token_count.prompt": 8000, "llm.token_count.total": 8000},
        "", "text-embedding-3-small", (8000, 0, 0, 0, 0, 0),
    ),
    (
        "Langfuse, which says nothing of whether the cache is in the input", "langfuse-sdk", "gen",
        langfuse_generation("gpt-5", input=2006, output=1300, cache_read_input_tokens=1920),
        "", "gpt-5", (2006, 1300, 1920, 0, 0, 0),
    ),
    (
        "Langfuse with a cache larger than the input", "langfuse-sdk", "gen",
        langfuse_generation(CLAUDE, input=50, output=393, cache_read_input_tokens=1800,
                            cache_creation_input_tokens=556),
        "", CLAUDE, (2406, 393, 1800, 556, 0, 0),
    ),
    (
        "Langfuse's LangChain handler, which takes parts out", "langfuse-sdk", "ChatAnthropic",
        langfuse_generation(CLAUDE, input=1200, output=60, total=2300, input_cache_read=1000,
                            output_reasoning=40),
        "", CLAUDE, (2200, 100, 1000, 0, 0, 40),
    ),
    (
        "Langfuse's OpenAI wrapper, which passes the provider's object on", "langfuse-sdk", "gen",
        langfuse_generation("gpt-5", prompt_tokens=2006, completion_tokens=1300, total_tokens=3306,
                            prompt_tokens_details={"cached_tokens": 1920},
                            completion_tokens_details={"reasoning_tokens": 1024}),
        "", "gpt-5", (2006, 1300, 1920, 0, 0, 1024),
    ),
    (
        "Vercel's SDK from version 6 on", "ai", "ai.generateText.doGenerate",
        vercel_call("anthropic.messages", CLAUDE, inputTokens=28466, outputTokens=120,
                    cachedInputTokens=22041,
                    **{"inputTokenDetails.cacheReadTokens": 22041,
                       "inputTokenDetails.cacheWriteTokens": 6422,
                       "inputTokenDetails.noCacheTokens": 3,
                       "outputTokenDetails.reasoningTokens": 64}),
        "anthropic", CLAUDE, (28466, 120, 22041, 6422, 0, 64),
    ),
    (
        "Vercel's SDK 5, where Anthropic's cache is apart", "ai", "ai.streamText.doStream",
        vercel_call("anthropic.messages", CLAUDE, inputTokens=5000, outputTokens=120,
                    totalTokens=5120, cachedInputTokens=3000) | {
            vercel.METADATA: json.dumps({"anthropic": {
                "cacheCreationInputTokens": 400, "usage": {
                    "input_tokens": 5000, "cache_read_input_tokens": 3000,
                    "cache_creation": {"ephemeral_1h_input_tokens": 100}}}}),
        },
        "anthropic", CLAUDE, (8400, 120, 3000, 400, 100, 0),
    ),
    (
        "Vercel's SDK 4 and counts it does not know", "ai", "ai.generateText.doGenerate",
        vercel_call("azure-openai.chat", "gpt-5", promptTokens=40, completionTokens=math.nan),
        "azure", "gpt-5", (40, 0, 0, 0, 0, 0),
    ),
    (
        "Pydantic AI", "pydantic-ai", "chat gemini-2.5-flash",
        {"gen_ai.operation.name": "chat", "gen_ai.system": "google-gla",
         "gen_ai.provider.name": "gcp.gemini", "gen_ai.request.model": "gemini-2.5-flash",
         "gen_ai.usage.input_tokens": 10000, "gen_ai.usage.output_tokens": 1000,
         "gen_ai.usage.details.cache_read_tokens": 6000,
         "gen_ai.usage.details.thoughts_tokens": 700},
        "google", "gemini-2.5-flash", (10000, 1000, 6000, 0, 0, 700),
    ),
    (
        "Strands on Bedrock", "strands.telemetry.tracer", "chat",
        {"gen_ai.operation.name": "chat", "gen_ai.system": "strands-agents",
         "gen_ai.request.model": "us.anthropic.claude-sonnet-4-5",
         "gen_ai.usage.prompt_tokens": 3000, "gen_ai.usage.input_tokens": 3000,
         "gen_ai.usage.output_tokens": 628, "gen_ai.usage.cache_read_input_tokens": 2500,
         "gen_ai.usage.cache_write_input_tokens": 500},
        "", "us.anthropic.claude-sonnet-4-5", (6000, 628, 2500, 500, 0, 0),
    ),
    (
        "LiteLLM", "litellm", "litellm_request",
        {"llm.request.type": "acompletion", "gen_ai.system": "openai",
         "gen_ai.request.model": "openai/gpt-5", "gen_ai.usage.input_tokens": 9,
         "gen_ai.usage.output_tokens": 4, "gen_ai.usage.total_tokens": 13},
        "openai", "gpt-5", (9, 4, 0, 0, 0, 0),
    ),
    (
        "Claude Code's spans, whose input has no cache in it", "com.anthropic.claude_code.tracing",
        "claude_code.llm_request",
        {"span.type": "llm_request", "model": "claude-opus-5", "gen_ai.system": "anthropic",
         "gen_ai.request.model": "claude-opus-5", "input_tokens": 2, "output_tokens": 1200,
         "cache_read_tokens": 84562, "cache_creation_tokens": 7096, "success": True},
        "anthropic", "claude-opus-5", (91660, 1200, 84562, 7096, 0, 0),
    ),
    (
        "reasoning that a total shows to be apart", "", "chat grok-4",
        chat(100, 140, **{"gen_ai.provider.name": "x_ai", "gen_ai.request.model": "grok-4",
                          "gen_ai.usage.reasoning_tokens": 60, "gen_ai.usage.total_tokens": 300}),
        "x-ai", "grok-4", (100, 200, 0, 0, 0, 60),
    ),
    (
        "counts as text, without an operation", "", "request",
        {"gen_ai.system": "mistral_ai", "gen_ai.response.model": "mistral-large-2512",
         "gen_ai.usage.input_tokens": "1600", "gen_ai.usage.output_tokens": 400.0},
        "mistral", "mistral-large-2512", (1600, 400, 0, 0, 0, 0),
    ),
]  # fmt: skip


@pytest.mark.parametrize(
    ("scope", "name", "attributes", "provider", "model", "expected"),
    [row[1:] for row in DIALECTS],
    ids=[row[0] for row in DIALECTS],
)
def test_every_dialect_gives_totals_that_include_their_parts(
    scope: str, name: str, attributes: dict[str, Any], provider: str, model: str, expected: Counts
) -> None:
    found = told(attributes, scope, name)
    assert (found.provider, found.model, counts_of(found)) == (provider, model, expected)
