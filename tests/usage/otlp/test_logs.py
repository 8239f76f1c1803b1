from decimal import Decimal
from typing import Any

import pytest
from rest_framework.test import APIClient

from tests.usage.otlp import wire
from usage.importers.claude_code import LogReader, Origin
from usage.ingest.pipeline import Caller
from usage.models import UsageEvent
from usage.sightings.intake import take_in
from usage.verification import verify

pytestmark = pytest.mark.django_db
SESSION = "6dc3cecc-96c6-496a-a8d9-6295310d18e0"
CLAUDE = {
    "session.id": SESSION, "model": "claude-opus-4-8", "input_tokens": 50, "output_tokens": 393,
    "cache_read_tokens": 1800, "cache_creation_tokens": 556, "request_id": "req_1",
}  # fmt: skip
CODEX = {
    "event.kind": "response.completed", "conversation.id": "c-1", "model": "gpt-5",
    "event.timestamp": "2026-11-20T12:00:00.123Z", "input_token_count": "12000",
    "cached_token_count": "8000", "cache_write_token_count": "0", "output_token_count": "350",
    "reasoning_token_count": "200", "tool_token_count": "12350",
}  # fmt: skip
GEMINI = {
    "session.id": "g-1", "model": "gemini-2.5-flash", "duration_ms": 2311,
    "event.timestamp": "2026-11-20T12:00:00Z", "prompt_id": "g-1########1",
    "input_token_count": 12000, "output_token_count": 350, "cached_content_token_count": 8000,
    "thoughts_token_count": 420, "tool_token_count": 10, "total_token_count": 12780,
}  # fmt: skip


def send(client: APIClient, *records: dict[str, Any], **more: Any) -> dict[str, Any]:
    body = wire.as_json(wire.logs(*records, **more))
    answer = client.post("/otlp/v1/logs", body, content_type=wire.JSON)
    assert answer.status_code == 200, answer.content
    told: dict[str, Any] = answer.json().get("partialSuccess", {})
    return told


def counted() -> list[UsageEvent]:
    found = UsageEvent.objects.filter(state=UsageEvent.State.COUNTED)
    return list(found.select_related("kind", "team", "subject").order_by("id"))


def counts(event: UsageEvent) -> tuple[int, ...]:
    return (
        event.input_tokens, event.cache_read_tokens, event.cache_write_tokens,
        event.output_tokens, event.reasoning_tokens,
    )  # fmt: skip


def test_claude_codes_own_export_gives_its_tokens_cost_and_place_once(client: APIClient) -> None:
    body = wire.sample("claude_code_otlp_logs.json")["body"]
    for encoded, kind in (
        (wire.as_json(body), wire.JSON), (wire.as_protobuf(body), wire.PROTOBUF)
    ):  # fmt: skip
        answer = client.post("/otlp/v1/logs", encoded, content_type=kind)
        assert answer.status_code == 200
    [event] = counted()
    assert event.event_id == "req_fake001"
    assert counts(event) == (2406, 1800, 556, 393, 0)
    assert (event.reported_cost, event.reported_currency) == (Decimal("0.014825"), "USD")
    # The client knows that 100 of the written tokens are kept for an hour; the event does not.
    assert event.cost == Decimal("0.01445")
    assert (event.kind.provider, event.kind.model) == ("anthropic", "claude-opus-4-8")
    assert (event.kind.agent_type, event.kind.operation) == ("Claude Code", "chat")
    assert (event.session_id, event.duration_ms) == (SESSION, 16)
    assert event.team is not None
    assert event.team.slug == "search"
    assert event.tags == {
        "client": "claude-code", "version": "2.1.197", "cost_center": "eng-1",
    }  # fmt: skip


def test_claude_codes_records_are_known_by_prefix_or_by_their_scope(client: APIClient) -> None:
    told = {name: str(value) for name, value in CLAUDE.items()}
    fast = {"speed": "fast", "query_source": "agent:builtin:general-purpose"}
    scope = "com.anthropic.claude_code.events"
    send(client, wire.log("claude_code.api_request", told | {"user.email": "ann@x.org"}))
    send(client, wire.log("api_request", {**CLAUDE, **fast, "request_id": "req_2"}), scope=scope)
    send(client, wire.log("api_request", {**CLAUDE, "request_id": "req_3"}))
    first, second = counted()
    assert counts(first) == counts(second) == (2406, 1800, 556, 393, 0)
    assert first.subject is not None
    assert (first.subject.key, first.subject.email) == ("ann@x.org", "ann@x.org")
    assert (second.kind.service_tier, second.kind.agent_type) == ("fast", "Claude Code subagent")


def test_a_request_without_an_id_counts_once_and_a_failed_one_counts_nothing(
    client: APIClient,
) -> None:
    nameless = {**CLAUDE, "request_id": "", "event.sequence": 4}
    failed = {"model": "claude-opus-4-8", "session.id": SESSION, "error": "Overloaded"}
    records = [
        wire.log("claude_code.api_request", nameless),
        wire.log("claude_code.api_request", {**nameless, "event.sequence": 5}),
        wire.log("claude_code.api_error", {**failed, "request_id": "req_9", "status_code": "529"}),
        wire.log("claude_code.user_prompt", {"prompt": "secret"}),
    ]
    assert send(client, *records) == send(client, *records) == {}
    assert [(counts(e)[0], e.status, e.cost) for e in counted()] == [
        (2406, 0, Decimal("0.01445")), (2406, 0, Decimal("0.01445")), (0, 1, 0),
    ]  # fmt: skip


def test_a_call_that_log_files_tell_too_counts_once(client: APIClient, caller: Caller) -> None:
    row = (
        b'{"type": "assistant", "timestamp": "2026-11-22T00:57:28Z", "requestId": "req_1",'
        b' "sessionId": "%s", "cwd": "/src/web", "message": {"id": "msg_1", "model":'
        b' "claude-opus-4-8", "usage": {"input_tokens": 50, "output_tokens": 393,'
        b' "cache_read_input_tokens": 1800, "cache_creation_input_tokens": 556,'
        b' "cache_creation": {"ephemeral_1h_input_tokens": 100}}}}' % SESSION.encode()
    )
    send(client, wire.log("claude_code.api_request", CLAUDE))
    take_in(LogReader(Origin()).read_line(row), caller)
    send(client, wire.log("claude_code.api_request", CLAUDE))
    [event] = counted()
    assert (event.input_tokens, event.cache_write_1h_tokens) == (2406, 100)
    assert not verify().drifts


def test_codex_counts_each_answer_once_and_its_twin_without_counts_not_at_all(
    client: APIClient,
) -> None:
    bare = {name: value for name, value in CODEX.items() if not name.endswith("_count")}
    failed = {**bare, "event.kind": "response.failed", "error.message": "gone"}
    other = {"event.kind": "response.output_item.done"}
    records = [wire.log("codex.sse_event", told) for told in (CODEX, bare, failed, other)]
    service = {"service.name": "codex_exec"}
    assert send(client, *records, **service) == send(client, *records, **service) == {}
    answered, broken = counted()
    assert counts(answered) == (12000, 8000, 0, 350, 200)
    # 4,000 at 1.25, 8,000 at 0.125 and 350 at 10 a million.
    assert answered.cost == Decimal("0.0095")
    assert (answered.session_id, answered.kind.agent_type) == ("c-1", "Codex")
    assert (answered.project, answered.tags) == (None, {"client": "codex"})
    assert (broken.status, broken.cost) == (1, Decimal(0))


def test_gemini_cli_counts_by_its_own_records_and_not_by_the_genai_events_beside(
    client: APIClient,
) -> None:
    genai = {
        "gen_ai.operation.name": "generate_content", "gen_ai.provider.name": "gcp.vertex_ai",
        "gen_ai.request.model": "gemini-2.5-flash", "gen_ai.usage.input_tokens": 12000,
        "gen_ai.usage.output_tokens": 350,
    }  # fmt: skip
    details = wire.log("gen_ai.client.inference.operation.details", genai)
    send(client, wire.log("gemini_cli.api_response", GEMINI), details,
         **{"service.name": "gemini-cli", "service.version": "0.9.0"})  # fmt: skip
    [event] = counted()
    assert counts(event) == (12010, 8000, 0, 770, 420)
    assert (event.duration_ms, event.kind.provider) == (2311, "google")


def test_a_genai_event_counts_once_with_the_span_it_came_from(client: APIClient) -> None:
    told = {
        "gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-5", "gen_ai.usage.input_tokens": 2006,
        "gen_ai.usage.output_tokens": 1300, "gen_ai.usage.cache_read.input_tokens": 1920,
    }  # fmt: skip
    span = wire.span(1, told)
    within = {"traceId": span["traceId"], "spanId": span["spanId"]}
    event = "gen_ai.client.inference.operation.details"
    messages = {"gen_ai.input.messages": "secret"}
    for _ in range(2):
        send(client, wire.log(event, {**told, **messages}, **within), wire.log(event, messages))
        body = wire.as_protobuf(wire.spans(span))
        assert client.post("/otlp/v1/traces", body, content_type=wire.PROTOBUF).status_code == 200
    assert [(e.input_tokens, e.cost) for e in counted() if e.input_tokens] == [
        (2006, Decimal("0.0133475"))
    ]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"input_tokens": -1}, "input_tokens"),
        ({"output_tokens": "lots"}, "output_tokens"),
        ({"output_tokens": float("nan")}, "output_tokens"),
        ({"cache_read_tokens": 1.5}, "cache_read_tokens"),
        ({"input_tokens": 10**15}, "input_tokens"),
        ({"input_tokens": True}, "input_tokens"),
        ({"output_tokens": None}, "output_tokens"),
        ({"cost_usd": -3}, "cost_usd"),
        ({"model": ""}, "model"),
    ],
)  # fmt: skip
def test_what_a_record_says_wrong_is_told_by_the_name_of_its_attribute(
    client: APIClient, change: dict[str, Any], field: str
) -> None:
    told = {name: value for name, value in (CLAUDE | change).items() if value is not None}
    refused = send(client, wire.log("claude_code.api_request", told))
    assert refused["rejectedLogRecords"] == "1"
    assert refused["errorMessage"].startswith(f"log record 0: {field}: ")
    assert counted() == []


def test_a_record_without_any_time_is_refused(client: APIClient) -> None:
    refused = send(client, wire.log("claude_code.api_request", CLAUDE, timeUnixNano="0"))
    assert refused["errorMessage"].startswith("log record 0: timeUnixNano: ")
