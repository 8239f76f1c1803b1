"""What each client's calls come to: counts as its provider told them, costs by the shipped prices.

Costs worked out by hand, per 1,000,000 tokens: gpt-5 1.25 in, 0.125 cached, 10 out; claude-opus-4-8
5 in, 0.5 cached, 6.25 and 10 written, 25 out; gpt-6-sol 2 in, 0.2 cached, 8 out.
"""

from dataclasses import dataclass
from typing import Any

OF_SPAN = "trace-span"
OF_ATTEMPT = "litellm attempt"


@dataclass(frozen=True)
class Call:
    event_id: str
    provider: str
    model: str
    cost: str
    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    cache_write_1h_tokens: int = 0
    reasoning_tokens: int = 0
    operation: str | None = "chat"
    status: str = "success"


def gpt(event_id: str, **changes: Any) -> Call:
    counts: dict[str, Any] = {
        "input_tokens": 2006,
        "cache_read_tokens": 1920,
        "output_tokens": 1300,
        "reasoning_tokens": 1024,
        "cost": "0.0133475000",
    }
    return Call(event_id, "openai", "gpt-5", **{**counts, **changes})


def failed(event_id: str, provider: str = "openai", model: str = "gpt-5") -> Call:
    return Call(event_id, provider, model, cost="0.0000000000", status="error")


def embedded(event_id: str = OF_SPAN) -> Call:
    model, cost = "text-embedding-3-small", "0.0001600000"
    return Call(event_id, "openai", model, cost, input_tokens=8000, operation="embeddings")


def claude(event_id: str) -> Call:
    return Call(
        event_id,
        "anthropic",
        "claude-opus-4-8",
        input_tokens=2406,
        cache_read_tokens=1800,
        cache_write_tokens=556,
        cache_write_1h_tokens=100,
        output_tokens=393,
        cost="0.0148250000",
    )


SOL = Call(
    "resp_responses-0001",
    "openai",
    "gpt-6-sol",
    input_tokens=12000,
    cache_read_tokens=8000,
    output_tokens=2500,
    reasoning_tokens=700,
    cost="0.0346000000",
)
"""The instrumentation leaves out that 2,000 tokens were written to the cache."""

CALLS: dict[str, list[Call]] = {
    "opentelemetry-protobuf": [gpt("chatcmpl-protobuf-0001"), failed(OF_SPAN), embedded()],
    "opentelemetry-json": [gpt("chatcmpl-json-0001"), failed(OF_SPAN), embedded()],
    "openai-traceloop": [
        gpt("chatcmpl-chat-0001"),
        gpt("chatcmpl-stream-0001", reasoning_tokens=0),
        failed(OF_SPAN),
        embedded(),
        SOL,
    ],
    "anthropic-twice": [
        claude("msg_message-0001"),
        claude("msg_stream-0001"),
        failed("req_fail-0001", "anthropic", "claude-opus-4-8"),
    ],
    "langfuse": [gpt(OF_SPAN, reasoning_tokens=0), embedded(), failed(OF_SPAN)],
    "litellm": [gpt("chatcmpl-litellm-0001"), failed(OF_ATTEMPT)],
    "cloudevents": [
        *(
            gpt(event_id, reasoning_tokens=0, operation=None)
            for event_id in ("ce-structured-1", "ce-batch-1", "ce-batch-2")
        ),
        Call("billing-bot:om-input-1", "openai", "gpt-5", "0.0025075000", 2006, operation=None),
        Call("billing-bot:om-output-1", "openai", "gpt-5", "0.0130000000", 0, 1300, operation=None),
    ],
}
