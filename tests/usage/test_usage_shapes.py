from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.test import APIClient

from tests.usage.conftest import body
from tests.usage.provider_bodies import counts, read
from tests.usage.test_provider_usage_samples import SAMPLES
from usage.ingest import usage_shapes
from usage.ingest.usage_shapes import cleaned, read_counts
from usage.models import UsageEvent

CHAT = {
    "prompt_tokens": 900,
    "completion_tokens": 350,
    "total_tokens": 1250,
    "prompt_tokens_details": {"cached_tokens": 256},
}
CHAT_COUNTS = {"input_tokens": 900, "output_tokens": 350, "cache_read_tokens": 256}
RESPONSES = {
    "input_tokens": 12000,
    "input_tokens_details": {
        "cached_tokens": 8000,
        "cache_write_tokens": 2000,
        "cache_write_tokens_details": {"ttl_30m_tokens": 1500, "ttl_12h_tokens": 500},
    },
    "output_tokens": 2500,
    "output_tokens_details": {"reasoning_tokens": 1800},
    "total_tokens": 14500,
}
RESPONSES_COUNTS = {
    "input_tokens": 12000,
    "output_tokens": 2500,
    "cache_read_tokens": 8000,
    "cache_write_tokens": 2000,
    "reasoning_tokens": 1800,
}
OLLAMA = {
    "model": "llama3.2:3b",
    "created_at": "2026-11-20T12:00:00Z",
    "done": True,
    "total_duration": 4_883_583_458,
    "load_duration": 1_334_875,
    "prompt_eval_count": 26,
    "prompt_eval_duration": 342_546_000,
    "eval_count": 282,
    "eval_duration": 4_535_599_000,
}


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        (CHAT, CHAT_COUNTS),
        (RESPONSES, RESPONSES_COUNTS),
        ({"prompt_tokens": 8000, "total_tokens": 8000}, {"input_tokens": 8000}),
        (
            {"prompt_tokens": 5, "completion_tokens": 2, "prompt_tokens_details": None},
            {"input_tokens": 5, "output_tokens": 2},
        ),
        (OLLAMA, {"input_tokens": 26, "output_tokens": 282}),
        ({"eval_count": 12}, {"output_tokens": 12}),
        (
            {"tokens_evaluated": 18, "tokens_predicted": 41, "timings": {"prompt_n": 18}},
            {"input_tokens": 18, "output_tokens": 41},
        ),
        (
            {"input_tokens": 50, "cache_read_input_tokens": 1800, "output_tokens": 393},
            {"input_tokens": 1850, "output_tokens": 393, "cache_read_tokens": 1800},
        ),
        (
            {"promptTokenCount": 100, "candidatesTokenCount": 7, "thoughtsTokenCount": 3},
            {"input_tokens": 100, "output_tokens": 10, "reasoning_tokens": 3},
        ),
        (
            {"inputTokens": 30, "outputTokens": 6, "cacheReadInputTokens": 20},
            {"input_tokens": 50, "output_tokens": 6, "cache_read_tokens": 20},
        ),
        # A total that holds the reasoning besides the answer says that the answer does not.
        (
            {
                "prompt_tokens": 10,
                "completion_tokens": 4,
                "total_tokens": 20,
                "completion_tokens_details": {"reasoning_tokens": 6},
            },
            {"input_tokens": 10, "output_tokens": 10, "reasoning_tokens": 6},
        ),
    ],
)
@pytest.mark.parametrize("provider", ["vllm", "lmstudio", "", "together"])
def test_a_server_nobody_knows_is_read_by_the_shape_of_what_it_says(
    provider: str, usage: dict[str, Any], expected: dict[str, int]
) -> None:
    assert counts(read(provider, "my-own-model", usage)) == expected


@pytest.mark.parametrize("wrapped", [False, True])
def test_ollamas_own_answer_tells_model_and_duration(wrapped: bool) -> None:
    event = read("ollama", "llama3.2", {"usage": OLLAMA, "model": "a"} if wrapped else OLLAMA)
    assert event.response_model == ("a" if wrapped else "llama3.2:3b")
    assert event.duration_ms == (None if wrapped else 4883)
    assert read("ollama", "llama3.2:3b", OLLAMA, duration_ms=5).duration_ms == 5
    assert read("ollama", "llama3.2:3b", OLLAMA).response_model == ""


@pytest.mark.parametrize(
    ("usage", "answered"),
    [
        ({"model": "gpt-4o-2024-08-06", "usage": CHAT}, "gpt-4o-2024-08-06"),
        ({"model": "gpt-4o", "usage": CHAT}, ""),
        ({**CHAT, "model": "gpt-4o-2024-08-06"}, ""),
        ({"model": 7, "usage": CHAT}, ""),
        ({"model": "x" * 200, "usage": CHAT}, ""),
    ],
)
def test_a_whole_response_body_tells_which_model_answered(
    usage: dict[str, Any], answered: str
) -> None:
    assert read("openai", "gpt-4o", usage).response_model == answered
    assert read("openai", "gpt-4o", usage, response_model="mine").response_model == "mine"


def test_the_event_a_stream_ends_with_is_read_as_the_response_in_it() -> None:
    event = {"type": "response.completed", "response": {"model": "gpt-6-sol", "usage": RESPONSES}}
    assert counts(read("openai", "gpt-6-sol", event)) == RESPONSES_COUNTS
    realtime = {
        "response": {
            "usage": {
                "input_tokens": 10,
                "output_tokens": 4,
                "input_token_details": {"audio_tokens": 6, "cached_tokens": 2},
                "output_token_details": {"audio_tokens": 3},
            }
        }
    }
    assert counts(read("openai", "gpt-realtime", realtime)) == {
        "input_tokens": 10,
        "output_tokens": 4,
        "cache_read_tokens": 2,
        "input_audio_tokens": 6,
        "output_audio_tokens": 3,
    }


def test_deepseeks_own_count_of_cache_hits_is_enough() -> None:
    usage = {
        "prompt_tokens": 5000,
        "completion_tokens": 800,
        "prompt_cache_hit_tokens": 4096,
        "prompt_cache_miss_tokens": 904,
    }
    both = {**usage, "prompt_tokens_details": {"cached_tokens": 4096}}
    expected = {"input_tokens": 5000, "output_tokens": 800, "cache_read_tokens": 4096}
    assert counts(read("deepseek", "deepseek-chat", usage)) == expected
    assert counts(read("deepseek", "deepseek-chat", both)) == expected


@pytest.mark.parametrize(
    ("body_of", "written"),
    [({"ttl": "5m"}, 0), ({"ttl": "1h"}, 500)],
)
def test_bedrock_says_how_long_it_keeps_what_it_wrote(
    body_of: dict[str, str], written: int
) -> None:
    usage = {
        "inputTokens": 30,
        "outputTokens": 628,
        "cacheReadInputTokens": 2500,
        "cacheWriteInputTokens": 500,
        "cacheDetails": [{**body_of, "inputTokens": 500}],
    }
    event = read("aws", "us.anthropic.claude-sonnet-4-5-20250929-v1:0", usage)
    assert (event.input_tokens, event.cache_write_tokens) == (3030, 500)
    assert event.cache_write_1h_tokens == written


def test_xai_adds_reasoning_in_chat_and_includes_it_in_responses() -> None:
    chat = {
        "prompt_tokens": 10,
        "completion_tokens": 4,
        "total_tokens": 20,
        "completion_tokens_details": {"reasoning_tokens": 6},
    }
    responses = {
        "input_tokens": 10,
        "output_tokens": 10,
        "total_tokens": 20,
        "output_tokens_details": {"reasoning_tokens": 6},
    }
    expected = {"input_tokens": 10, "output_tokens": 10, "reasoning_tokens": 6}
    assert counts(read("x-ai", "grok-4-0709", chat)) == expected
    assert counts(read("x-ai", "grok-4-0709", responses)) == expected


@pytest.mark.parametrize("provider", ["azure", "Azure_OpenAI", "github-copilot", "openrouter"])
def test_resellers_of_openai_report_as_openai_does(provider: str) -> None:
    assert counts(read(provider, "gpt-4o", CHAT)) == CHAT_COUNTS
    assert counts(read(provider, "gpt-6-sol", RESPONSES)) == RESPONSES_COUNTS


_BODIES = [
    {"usage": {"input_tokens": 0, "output_tokens": 0}},
    {"usage": {"input_tokens": 5, "output_tokens": 2, "cache_read_input_tokens": 1.5}},
    {"usage": {"input_tokens": 5, "output_tokens": -2}},
    {"usage": {"input_tokens": True, "output_tokens": 2}},
    {"usage": {"input_tokens": 5, "output_tokens": 2, "server_tool_use": 3}},
    {"usage": {"prompt_tokens": 5, "completion_tokens": None}},
    {"usage": {}},
    *(sample["response_body"] for sample in SAMPLES),
]


@pytest.mark.parametrize("provider", ["anthropic", "openai", "google", "aws", "mistral", "cohere"])
def test_whole_numbers_are_read_as_genai_prices_reads_them(
    provider: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    quick = [read_counts(provider, (), cleaned(given)) for given in _BODIES]
    monkeypatch.setattr(usage_shapes, "_whole_numbers", lambda *_: None)
    assert quick == [read_counts(provider, (), cleaned(given)) for given in _BODIES]


@pytest.mark.django_db
def test_a_call_of_a_local_server_is_stored_unpriced_not_refused(
    client_for: Callable[..., APIClient],
) -> None:
    call = body(provider="ollama", model="llama3.2:3b", usage=OLLAMA)
    call = {name: value for name, value in call.items() if not name.endswith("put_tokens")}
    answer = client_for().post("/api/v1/events/", call, format="json").json()
    assert (answer["accepted"], answer["unpriced"]) == (1, 1)
    event = UsageEvent.objects.select_related("kind").get()
    assert (event.kind.provider, event.input_tokens, event.cost) == ("ollama", 26, None)
