import json
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from rest_framework.test import APIClient

from usage.ingest import validate

CASES = json.loads((Path(__file__).parent.parent / "samples" / "price_cases.json").read_text())[
    "cases"
]
NOON = "2026-11-20T12:00:00Z"

pytestmark = pytest.mark.django_db


def body_of(provider: str, counts: dict[str, int], context: dict[str, str]) -> dict[str, Any]:
    total, output = counts["input_tokens"], counts["output_tokens"]
    cached = counts.get("cache_read_tokens", 0)
    if provider == "anthropic":
        tier = context.get("processing", "standard")
        return {
            "usage": {
                "input_tokens": total - cached,
                "cache_read_input_tokens": cached,
                "output_tokens": output,
                "service_tier": tier,
            }
        }
    if provider == "google":
        return {"usageMetadata": {"promptTokenCount": total, "candidatesTokenCount": output}}
    return {
        "service_tier": context.get("service_tier", "default"),
        "usage": {"prompt_tokens": total, "completion_tokens": output},
    }


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['model']} {case['request_at']}")
def test_a_dated_case_posted_as_a_usage_object_costs_what_was_recorded(
    case: dict[str, Any], client_for: Callable[..., APIClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(validate, "LATEST_AHEAD", timedelta(days=36_500))
    context = case["price_context"]
    event = {
        "event_id": "posted",
        "occurred_at": case["request_at"],
        "provider": case["provider"],
        "model": case["model"],
        "service_tier": "batch" if context.get("processing") == "batch" else "standard",
        "usage": body_of(case["provider"], case["usage"], context),
    }
    client = client_for()
    [receipt] = client.post("/api/v1/events/", event, format="json").json()["results"]
    assert Decimal(receipt["cost"]) == Decimal(case["expected_total_usd"])
    stored = client.get("/api/v1/events/posted/").json()
    assert Decimal(stored["input_cost"]) == Decimal(case["expected_input_usd"])
    assert Decimal(stored["output_cost"]) == Decimal(case["expected_output_usd"])


MORE = (
    (
        "anthropic",
        "claude-sonnet-4-6",
        {
            "input_tokens": 10682,
            "output_tokens": 1510,
            "server_tool_use": {"web_search_requests": 2, "web_fetch_requests": 5},
        },
        "0.074696",
    ),
    (
        "anthropic",
        "claude-opus-5-5",
        {"input_tokens": 100_000, "output_tokens": 10_000, "speed": "fast"},
        "1.2",
    ),
    (
        "openai",
        "gpt-audio",
        {
            "prompt_tokens": 500,
            "completion_tokens": 300,
            "prompt_tokens_details": {"audio_tokens": 400},
            "completion_tokens_details": {"audio_tokens": 200},
        },
        "0.02685",
    ),
    (
        "openai",
        "gpt-5",
        {"prompt_tokens": 100_000, "completion_tokens": 10_000, "service_tier": "flex"},
        "0.1125",
    ),
    (
        "google",
        "gemini-2.5-flash",
        {
            "promptTokenCount": 1500,
            "toolUsePromptTokenCount": 400,
            "candidatesTokenCount": 200,
            "promptTokensDetails": [
                {"modality": "TEXT", "tokenCount": 500},
                {"modality": "AUDIO", "tokenCount": 1000},
            ],
        },
        "0.00177",
    ),
    (
        "google",
        "gemini-2.5-pro",
        {"promptTokenCount": 250_000, "candidatesTokenCount": 2000},
        "0.655",
    ),
    (
        "aws",
        "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
        {
            "inputTokens": 30,
            "outputTokens": 628,
            "cacheReadInputTokens": 2500,
            "cacheWriteInputTokens": 500,
        },
        "0.0133485",
    ),
    (
        "x-ai",
        "grok-4-0709",
        {
            "prompt_tokens": 1000,
            "completion_tokens": 200,
            "prompt_tokens_details": {"cached_tokens": 600},
            "completion_tokens_details": {"reasoning_tokens": 500},
        },
        "0.01215",
    ),
    (
        "cohere",
        "command-a-03-2025",
        {
            "billed_units": {"input_tokens": 500, "output_tokens": 120},
            "tokens": {"input_tokens": 1500, "output_tokens": 125},
        },
        "0.00245",
    ),
)


@pytest.mark.parametrize(
    ("provider", "model", "usage", "cost"), MORE, ids=[f"{p} {m}" for p, m, _, _ in MORE]
)
def test_a_worked_example_posted_as_a_usage_object_costs_what_was_recorded(
    provider: str,
    model: str,
    usage: dict[str, Any],
    cost: str,
    client_for: Callable[..., APIClient],
) -> None:
    event = {
        "event_id": "posted",
        "occurred_at": NOON,
        "provider": provider,
        "model": model,
        "usage": usage,
    }
    [receipt] = client_for().post("/api/v1/events/", event, format="json").json()["results"]
    assert Decimal(receipt["cost"]) == Decimal(cost)
