import json
import math
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.usage.otlp.telling import chat, counts_of, told, vercel_call
from usage.otlp.dialects import aliases, langfuse, vercel
from usage.otlp.dialects.ids import is_unique
from usage.otlp.dialects.providers import provider_id
from usage.otlp.genai import Told, read_genai


@pytest.mark.parametrize(
    ("name", "attributes"),
    [
        ("POST", {"http.request.method": "POST", "gen_ai.request.model": "gpt-5"}),
        ("invoke_agent x", chat(**{"gen_ai.operation.name": "invoke_agent"})),
        ("execute_tool x", chat(**{"gen_ai.operation.name": "execute_tool"})),
        ("agent run", chat(**{"gen_ai.operation.name": None, "agent_name": "x"})),
        ("LangGraph", chat(**{"gen_ai.operation.name": None})),
        ("x.workflow", chat(**{"gen_ai.operation.name": None, "traceloop.span.kind": "workflow"})),
        ("chain", {**chat(), "openinference.span.kind": "CHAIN"}),
        ("agent", {**chat(), "langfuse.observation.type": "agent"}),
        ("ai.generateText", vercel_call("openai.chat", "gpt-5", inputTokens=203, outputTokens=178)
         | {"ai.operationId": "ai.generateText"}),
        ("claude_code.interaction", chat()),
        ("handle_responses", {"gen_ai.usage.input_tokens": 5, "gen_ai.usage.output_tokens": 5}),
        ("generation", {"langfuse.observation.type": "generation"}),
    ],
)  # fmt: skip
def test_what_only_stands_around_calls_is_none(name: str, attributes: dict[str, Any]) -> None:
    assert read_genai(attributes, "", name) is None


def test_a_span_that_says_it_is_a_call_may_have_any_name() -> None:
    assert told(chat(), name="ai.request").operation == "chat"
    assert told(chat(**{"gen_ai.operation.name": "Embeddings"})).operation == "embeddings"


def test_gemini_cli_is_told_by_its_logs_alone() -> None:
    assert read_genai(chat(), "gemini-cli", "llm_call") is None


@pytest.mark.parametrize(
    ("attribute", "value", "code"),
    [
        ("gen_ai.usage.input_tokens", -5, "negative"),
        ("gen_ai.usage.input_tokens", 2**40, "too_large"),
        ("gen_ai.usage.output_tokens", 1.5, "wrong_type"),
        ("gen_ai.usage.cache_read.input_tokens", "many", "not_a_number"),
        ("gen_ai.usage.total_tokens", math.inf, "not_a_number"),
        ("gen_ai.usage.audio.input_tokens", True, "not_a_number"),
        (langfuse.USAGE, '{"input": -1}', "out_of_range"),
        (langfuse.USAGE, '{"prompt_tokens": "x", "completion_tokens": 1}', "unreadable_usage"),
        (langfuse.USAGE, '{"input": ', "unreadable_usage"),
    ],
)
def test_a_count_that_cannot_be_is_told_by_the_name_of_its_attribute(
    attribute: str, value: Any, code: str
) -> None:
    found = read_genai({**chat(), attribute: value}, "", "chat")
    assert isinstance(found, list)
    assert [(fault.field, fault.code) for fault in found] == [(attribute, code)]


def test_a_call_that_names_no_model_is_refused() -> None:
    found = read_genai(chat(**{"gen_ai.request.model": None}), "", "chat")
    assert isinstance(found, list)
    assert (found[0].field, found[0].code) == ("gen_ai.request.model", "required")


def test_a_call_without_usage_counts_nothing_and_says_whether_that_is_a_guess() -> None:
    unknown = told(chat(None, None))
    failed = told(chat(None, None, **{"error.type": "429"}))
    assert (counts_of(unknown), unknown.estimated, unknown.status) == ((0,) * 6, True, "success")
    assert (counts_of(failed), failed.estimated, failed.status) == ((0,) * 6, False, "error")
    assert told(chat(), failed=True).status == "error"
    assert told(chat(**{"error.type": "asyncio.CancelledError"})).status == "cancelled"
    assert told(chat(**{langfuse.LEVEL: "ERROR"})).status == "error"


def test_a_stream_of_which_openllmetry_adds_up_the_counts_is_an_estimate() -> None:
    streamed = chat(**{"gen_ai.is_streaming": True})
    helped = {**chat(), "gen_ai.response.model": "gpt-5"}
    whole = {"gen_ai.response.model": "gpt-5", **chat()}
    assert told(streamed, "opentelemetry.instrumentation.anthropic").estimated
    assert told(helped, "opentelemetry.instrumentation.anthropic").estimated
    assert not told(whole, "opentelemetry.instrumentation.anthropic").estimated
    assert not told(streamed, "opentelemetry.instrumentation.openai").estimated


def test_a_call_has_what_else_its_record_tells() -> None:
    found = told(
        chat(**{
            "gen_ai.response.model": "gpt-5-2025-08-07", "gen_ai.agent.name": "Planner",
            "openai.request.service_tier": "priority", "openai.response.service_tier": "flex",
            "gen_ai.usage.cost": 0.25, "gen_ai.usage.audio.input_tokens": 40,
            "llm.token_count.completion_details.audio": 5,
        })
    )  # fmt: skip
    assert (found.response_model, found.agent_type, found.service_tier) == (
        "gpt-5-2025-08-07", "Planner", "flex",
    )  # fmt: skip
    assert found.cost == Decimal("0.25")
    assert found.counts["meters"] == {"input_audio_tokens": 40, "output_audio_tokens": 5}
    assert told(chat(**{"gen_ai.usage.cost": 0})).cost is None
    parts = {langfuse.COST: {"input": "0.1", "output": 0.2, "cache": Decimal("0.3")}}
    assert told({**chat(), **parts}).cost == Decimal("0.5")


def test_ids_that_may_repeat_name_no_call() -> None:
    drawn = [
        "msg_01XFDUDYJgAACzvnptvVoYEL", "req_011CPxyz4fQaB", "chatcmpl-9zJx8QkLmN2",
        "b1946ac9-2d5c-4e2a-8f0e-3a1c5d7e9f00", "resp_68a1c0ffee", "gen-1763640000-AbCdEf",
        "hTaGaMvZLpOUdkPYwQxR",
    ]  # fmt: skip
    repeating = [
        "", "None", "unknown", "chatcmpl-mock", "chatcmpl-512", "chatcmpl-abc123", "msg_1",
        "00000000-0000-0000-0000-000000000000", "chatcmpl-00000001", "response-identifier",
    ]  # fmt: skip
    assert [text for text in drawn if not is_unique(text)] == []
    assert [text for text in repeating if is_unique(text)] == []
    both = {"gen_ai.response.id": "msg_01XFDUDYJg", "anthropic.request.id": "req_011CPxyz4f"}
    assert told(chat(**both)).names == ("msg_01XFDUDYJg", "req_011CPxyz4f")
    assert told(chat(**{"gen_ai.response.id": "chatcmpl-512"})).names == ()


@pytest.mark.parametrize(
    ("name", "address", "expected"),
    [
        ("OpenAI", "", "openai"),
        ("az.ai.openai", "", "azure"),
        ("azure.ai.inference", "", "azure"),
        ("aws.bedrock", "", "aws"),
        ("gcp.vertex_ai", "", "google"),
        ("google.generative-ai", "", "google"),
        ("x_ai", "", "x-ai"),
        ("moonshot_ai", "", "moonshotai"),
        ("ibm.watsonx.ai", "", "ibm.watsonx.ai"),
        ("strands-agents", "", ""),
        ("openai", "openrouter.ai", "openrouter"),
        ("openai", "https://team.openai.azure.com/", "azure"),
        ("openai", "localhost", "openai"),
        ("", "api.groq.com", "groq"),
    ],
)
def test_providers_have_the_names_of_the_catalogue(name: str, address: str, expected: str) -> None:
    assert provider_id(name, address) == expected


_NAMES = st.sampled_from([
    *aliases.INPUT, *aliases.OUTPUT, *aliases.TOTAL, *aliases.CACHE_READ, *aliases.CACHE_WRITE,
    *aliases.REASONING, *aliases.COST, *aliases.PROVIDER, *aliases.REQUEST_MODEL,
    *aliases.RESPONSE_ID, *aliases.ADDRESS, "gen_ai.operation.name", "openinference.span.kind",
    "langfuse.observation.type", "ai.operationId", vercel.METADATA, langfuse.USAGE, langfuse.COST,
    "error.type", "success", "llm.request.type", "traceloop.span.kind",
])  # fmt: skip
_PLAIN = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.binary()
    | st.sampled_from(["chat", "LLM", "generation", "gpt-5", "openai", "//[", "1e999", "\ud800"])
)  # fmt: skip
_JUNK = st.recursive(
    _PLAIN,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["input", "output", "usage", "anthropic", "x"]), inner, max_size=3
        )
    ),
    max_leaves=6,
)


@settings(max_examples=60, deadline=None)
@given(
    st.dictionaries(_NAMES, _JUNK | _JUNK.map(lambda v: json.dumps(v, default=repr)), max_size=8),
    st.sampled_from(["", "ai", "strands", "langfuse-sdk"]),
    st.sampled_from(["", "chat", "claude_code.llm_request", "claude_code.", "ai.toolCall"]),
)
def test_junk_is_refused_or_passed_over_and_never_breaks_anything(
    attributes: dict[str, Any], scope: str, name: str
) -> None:
    found = read_genai({**chat(), **attributes}, scope, name)
    if isinstance(found, Told):
        whole_input, output, read, written, _, reasoning = counts_of(found)
        assert min(counts_of(found)) >= 0
        assert read + written <= whole_input
        assert reasoning <= output
