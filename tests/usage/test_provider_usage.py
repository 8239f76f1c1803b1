from decimal import Decimal
from typing import Any

import pytest

from tests.usage.conftest import NOON
from tests.usage.provider_bodies import counts, read, refusal
from usage.ingest.pipeline import Caller, ingest
from usage.ingest.values import EventValue


@pytest.mark.parametrize(
    ("provider", "model", "usage", "expected"),
    [
        (
            "openai",
            "gpt-audio",
            {
                "prompt_tokens": 500,
                "completion_tokens": 300,
                "prompt_tokens_details": {"audio_tokens": 400},
                "completion_tokens_details": {"audio_tokens": 200},
            },
            {
                "input_tokens": 500,
                "output_tokens": 300,
                "input_audio_tokens": 400,
                "output_audio_tokens": 200,
            },
        ),
        (
            "google",
            "gemini-2.5-flash",
            {
                "promptTokenCount": 1500,
                "toolUsePromptTokenCount": 400,
                "candidatesTokenCount": 200,
                "totalTokenCount": 1700,
                "promptTokensDetails": [
                    {"modality": "TEXT", "tokenCount": 500},
                    {"modality": "AUDIO", "tokenCount": 1000},
                ],
            },
            {
                "input_tokens": 1900,
                "output_tokens": 200,
                "input_audio_tokens": 1000,
                "input_tool_tokens": 400,
            },
        ),
        (
            "aws",
            "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
            {
                "inputTokens": 30,
                "outputTokens": 628,
                "totalTokens": 3658,
                "cacheReadInputTokens": 2500,
                "cacheWriteInputTokens": 500,
            },
            {
                "input_tokens": 3030,
                "output_tokens": 628,
                "cache_read_tokens": 2500,
                "cache_write_tokens": 500,
            },
        ),
        (
            "x-ai",
            "grok-4-0709",
            {
                "prompt_tokens": 1000,
                "completion_tokens": 200,
                "total_tokens": 1700,
                "prompt_tokens_details": {"cached_tokens": 600},
                "completion_tokens_details": {"reasoning_tokens": 500},
            },
            {
                "input_tokens": 1000,
                "output_tokens": 700,
                "cache_read_tokens": 600,
                "reasoning_tokens": 500,
            },
        ),
        (
            "cohere",
            "command-a-03-2025",
            {
                "billed_units": {"input_tokens": 500, "output_tokens": 120, "search_units": 2},
                "tokens": {"input_tokens": 1500, "output_tokens": 125},
                "cached_tokens": 100,
            },
            {
                "input_tokens": 500,
                "output_tokens": 120,
                "cache_read_tokens": 100,
                "rerank_searches": 2,
            },
        ),
        (
            "mistral",
            "voxtral-mini-2507",
            {"prompt_tokens": 40, "completion_tokens": 9, "prompt_audio_seconds": 12},
            {"input_tokens": 40, "output_tokens": 9, "input_audio_seconds": 12},
        ),
        (
            "perplexity",
            "sonar-deep-research",
            {
                "prompt_tokens": 33,
                "completion_tokens": 7163,
                "total_tokens": 7196,
                "citation_tokens": 20016,
                "num_search_queries": 18,
                "reasoning_tokens": 193704,
            },
            {
                "input_tokens": 33,
                "output_tokens": 7163 + 20016 + 193704,
                "reasoning_tokens": 193704,
                "output_citation_tokens": 20016,
                "web_searches": 18,
            },
        ),
        (
            "anthropic",
            "claude-sonnet-4-6",
            {
                "input_tokens": 10682,
                "output_tokens": 1510,
                "output_tokens_details": {"thinking_tokens": 700},
                "server_tool_use": {"web_search_requests": 2, "web_fetch_requests": 3},
            },
            {
                "input_tokens": 10682,
                "output_tokens": 1510,
                "reasoning_tokens": 700,
                "web_searches": 2,
            },
        ),
        (
            "anthropic",
            "claude-opus-4-8",
            {
                "input_tokens": 23000,
                "output_tokens": 1000,
                "iterations": [
                    {"type": "compaction", "input_tokens": 180000, "output_tokens": 3500},
                    {"type": "message", "input_tokens": 23000, "output_tokens": 1000},
                ],
            },
            {"input_tokens": 203000, "output_tokens": 4500},
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_provider_decides_which_counts_are_parts_and_which_are_added(
    provider: str, model: str, usage: dict[str, Any], expected: dict[str, int]
) -> None:
    assert counts(read(provider, model, usage)) == expected


@pytest.mark.parametrize(
    ("provider", "model", "usage", "expected"),
    [
        ("anthropic", "claude-opus-5-5", {"speed": "fast"}, "1.2"),
        ("openai", "gpt-5", {"service_tier": "flex"}, "0.1125"),
    ],
)
def test_speed_and_tier_choose_the_price(
    provider: str, model: str, usage: dict[str, Any], expected: str, caller: Caller
) -> None:
    body = {"input_tokens": 100_000, "output_tokens": 10_000, **usage}
    event = EventValue(event_id="e", occurred_at=NOON, provider=provider, model=model, usage=body)
    [receipt] = ingest([event], caller).results
    assert Decimal(str(receipt.cost)) == Decimal(expected)


@pytest.mark.parametrize(
    ("asked", "said", "served"),
    [
        ("standard", {"service_tier": "batch"}, "batch"),
        ("standard", {"speed": "fast", "service_tier": "standard"}, "fast"),
        ("priority", {"service_tier": "default"}, "standard"),
        ("flex", {"service_tier": "flex"}, "flex"),
        ("batch", {"service_tier": "default"}, "batch"),
        ("priority", {}, "priority"),
        ("standard", {"serviceTier": {"type": "priority"}}, "priority"),
        ("standard", {"service_tier": 7}, "standard"),
        ("standard", {"serviceTier": "flex"}, "flex"),
        ("standard", {"trafficType": "ON_DEMAND_PRIORITY"}, "priority"),
        ("standard", {"trafficType": "PROVISIONED_THROUGHPUT"}, "standard"),
    ],
)
def test_the_tier_served_wins_over_the_tier_asked_for(
    asked: str, said: dict[str, Any], served: str
) -> None:
    usage = {"input_tokens": 10, "output_tokens": 1, **said}
    assert read("anthropic", "claude-opus-4-8", usage, service_tier=asked).service_tier == served


def test_a_charge_stated_by_the_reseller_is_kept_beside_the_rated_cost() -> None:
    usage = {"prompt_tokens": 10, "completion_tokens": 1, "cost": 0.0135}
    event = read("openrouter", "anthropic/claude-sonnet-4.5", usage)
    assert (event.reported_cost, event.currency) == (Decimal("0.0135"), "USD")


@pytest.mark.parametrize("cost", [True, None, "0.01", [], {"total_cost": None}])
def test_a_charge_that_is_no_number_is_not_kept(cost: object) -> None:
    usage = {"prompt_tokens": 10, "completion_tokens": 1, "cost": cost}
    assert read("openrouter", "openai/gpt-4o", usage).reported_cost is None


def test_an_empty_object_leaves_the_estimated_counts_of_the_event() -> None:
    event = read("openai", "gpt-4o", {}, input_tokens=7)
    assert (event.input_tokens, event.estimated, event.usage) == (7, True, None)


@pytest.mark.parametrize(
    ("provider", "usage", "fields", "code"),
    [
        ("nobody", {"tokens": 1}, {}, "unreadable_usage"),
        ("nobody", {"prompt_tokens": -1}, {}, "unreadable_usage"),
        ("nobody", {"input_tokens": "7", "output_tokens": 1}, {}, "unreadable_usage"),
        ("together", {"prompt_tokens": 5, "total_tokens": 6}, {}, "total_mismatch"),
        ("openai", {"tokens": 1}, {}, "unreadable_usage"),
        ("openai", {"prompt_tokens": -1, "completion_tokens": 1}, {}, "unreadable_usage"),
        ("openai", {"prompt_tokens": 1, "completion_tokens": 1}, {"input_tokens": 1}, "ambiguous"),
        (
            "openai",
            {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 3},
            {},
            "total_mismatch",
        ),
        ("openai", {"prompt_tokens": 3_000_000_000, "completion_tokens": 1}, {}, "out_of_range"),
        ("openai", {"prompt_tokens": 1.5, "completion_tokens": 1}, {}, "out_of_range"),
    ],
)
def test_a_usage_object_that_cannot_be_right_is_refused(
    provider: str, usage: dict[str, Any], fields: dict[str, Any], code: str
) -> None:
    assert refusal(provider, "some-model", usage, **fields) == code
