import json
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rest_framework.test import APIClient

from tests.usage.claude_code_logs import ORIGIN, row
from tests.usage.otlp import wire
from tests.usage.otlp.telling import SHIPPED_RULES
from usage.importers.claude_code_import import import_claude_code
from usage.ingest.pipeline import Caller
from usage.models import UsageEvent
from usage.otlp.logs import read_logs
from usage.otlp.metrics import read_points
from usage.otlp.values import LogRecord, Point, Resource
from usage.sightings import sessions
from usage.sightings.intake import take_in
from usage.verification import verify

pytestmark = pytest.mark.django_db
LOGS = wire.sample("claude_code_otlp_logs.json")["body"]
METRICS = wire.sample("claude_code_otlp_metrics.json")["body"]
MINUTE_NS = 60 * 10**9


def send(client: APIClient, body: dict[str, Any]) -> dict[str, Any]:
    path = "/otlp/v1/logs" if "resourceLogs" in body else "/otlp/v1/metrics"
    answer = client.post(path, wire.as_json(body), content_type=wire.JSON)
    assert answer.status_code == 200, answer.content
    told: dict[str, Any] = answer.json().get("partialSuccess", {})
    return told


def tokens(
    *each: tuple[str, float], minute: int = 1, delta: bool = True, session: str = "s-1", **more: Any
) -> Any:
    points = [
        {
            "attributes": wire.attributes(
                {"session.id": session, "model": "claude-opus-4-8", "type": kind, **more}
            ),
            "startTimeUnixNano": str(wire.NOW_NS),
            "timeUnixNano": str(wire.NOW_NS + minute * MINUTE_NS),
            "asDouble": value,
        }
        for kind, value in each
    ]
    return {
        "name": "claude_code.token.usage",
        "sum": {"aggregationTemporality": 1 if delta else 2, "dataPoints": points},
    }


def metrics(*each: dict[str, Any]) -> dict[str, Any]:
    return {"resourceMetrics": [{"scopeMetrics": [{"metrics": list(each)}]}]}


def told() -> list[tuple[str, int, int, Decimal | None]]:
    events = UsageEvent.objects.filter(state=UsageEvent.State.COUNTED).order_by("occurred_at")
    return [
        (e.event_id[:4], e.input_tokens, e.output_tokens, e.reported_cost)
        for e in events
        if e.input_tokens
    ]


ALONE = [("sum:", 2406, 393, Decimal("0.014825"))]
BY_LOGS = [("req_", 2406, 393, Decimal("0.014825"))]


def test_metrics_alone_give_the_same_tokens_and_cost_as_logs(client: APIClient) -> None:
    assert send(client, METRICS) == send(client, METRICS) == {}
    assert told() == ALONE
    [event] = UsageEvent.objects.select_related("kind", "team")
    assert (event.cache_read_tokens, event.cache_write_tokens) == (1800, 556)
    assert event.cost == Decimal("0.01445")
    assert (event.kind.agent_type, event.session_id) == (
        "Claude Code", "6dc3cecc-96c6-496a-a8d9-6295310d18e0",
    )  # fmt: skip
    assert event.team is not None
    assert event.team.slug == "search"


@pytest.mark.parametrize(
    "order",
    [(LOGS, METRICS), (METRICS, LOGS), (METRICS, LOGS, METRICS, LOGS), (METRICS, METRICS, LOGS)],
)
def test_a_session_that_logs_tell_is_counted_by_them_alone(
    client: APIClient, order: Sequence[dict[str, Any]]
) -> None:
    for body in order:
        assert send(client, body) == {}
    assert told() == BY_LOGS
    assert not verify().drifts


def test_a_session_whose_log_file_is_imported_is_counted_by_that_alone(
    client: APIClient, caller: Caller, tmp_path: Path
) -> None:
    file = tmp_path / "a.jsonl"
    said = row(id="m-1", sessionId="s-1", output=40)
    file.write_text(json.dumps(said))
    first, second = metrics(tokens(("input", 10))), metrics(tokens(("output", 5), minute=2))
    send(client, first)
    summary = import_claude_code([file], caller, ORIGIN, lambda _: None)
    send(client, second)
    assert told() == [("m-1:", 10, 40, None)]
    assert (summary.new, summary.input_tokens, summary.output_tokens) == (1, 0, 40)
    assert not verify().drifts


def test_logs_that_come_while_metrics_are_stored_are_seen_after(
    client: APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = take_in

    def interrupted(*args: Any) -> Any:
        monkeypatch.undo()
        send(client, LOGS)
        return store(*args)

    monkeypatch.setattr(sessions, "take_in", interrupted)
    send(client, METRICS)
    assert told() == BY_LOGS


def test_every_interval_and_part_of_the_client_is_counted_apart(client: APIClient) -> None:
    first, second = tokens(("input", 10), ("output", 4)), tokens(("input", 5), minute=2)
    side = tokens(("input", 7), minute=2, query_source="subagent")
    send(client, metrics(first))
    send(client, metrics(second, side))
    send(client, metrics(second, side))
    assert sorted(found[1:3] for found in told()) == [(5, 0), (7, 0), (10, 4)]
    assert {e.kind.agent_type for e in UsageEvent.objects.select_related("kind")} == {
        "Claude Code", "Claude Code subagent",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("metric", "reason"),
    [
        (tokens(("input", 1), ("output", 1), delta=False), "TEMPORALITY_PREFERENCE=delta"),
        (tokens(("input", 1), ("output", 1), session=""), "INCLUDE_SESSION_ID"),
        (tokens(("input", -1), ("output", 1)), "at least 0"),
        (tokens(("input", 1.5), ("output", 1)), "whole number"),
        (tokens(("input", 1), ("output", 1), model=""), "model"),
    ],
)  # fmt: skip
def test_points_that_cannot_be_counted_once_are_refused_with_the_reason(
    client: APIClient, metric: dict[str, Any], reason: str
) -> None:
    refused = send(client, metrics(metric, tokens(("input", 3), session="s-2")))
    assert refused["rejectedDataPoints"] == "2"
    assert reason in refused["errorMessage"]
    assert [found[1] for found in told()] == [3]


NAMES = st.sampled_from(
    ("session.id", "model", "type", "query_source", "event.name", "event.kind", "input_tokens",
     "output_tokens", "cost_usd", "cost_usd_micros", "input_token_count", "output_token_count",
     "duration_ms", "request_id", "gen_ai.usage.input_tokens", "user.email", "speed")
)  # fmt: skip
PLAIN = (
    st.text(max_size=5) | st.integers() | st.floats() | st.booleans() | st.binary(max_size=3)
    | st.none() | st.sampled_from(("input", "m", "3", "response.completed", "NaN", "1e999"))
)  # fmt: skip
JUNK = st.dictionaries(NAMES, PLAIN | st.lists(PLAIN, max_size=2), max_size=12)


@settings(max_examples=60, deadline=None)
@given(JUNK, JUNK, st.decimals() | st.integers(), st.integers(0, 2**64 - 1))
def test_junk_of_any_kind_is_read_or_refused(
    told: dict[str, Any], resource: dict[str, Any], value: Any, at: int
) -> None:
    sender = Resource(resource)
    for metric in ("claude_code.token.usage", "claude_code.cost.usage"):
        point = Point(sender, "", metric, "", told, 0, at, value, True)
        read = read_points([point, point], SHIPPED_RULES, None)
        assert [each.indexes for each in read] == [[0, 1]]
    names = ("claude_code.api_request", "codex.sse_event", "gemini_cli.api_response", "gen_ai.x")
    records = [LogRecord(sender, "", name, value, at, "", "", told) for name in names]
    assert len(read_logs(records, SHIPPED_RULES, "acme")) == 4


def test_other_metrics_are_passed_over(client: APIClient) -> None:
    other = {"name": "codex.turn.token_usage", "histogram": {"dataPoints": [{"count": "4"}]}}
    gauge = {"name": "claude_code.session.count", "gauge": {"dataPoints": [{"asInt": "4"}]}}
    assert send(client, metrics(other, gauge)) == {}
    assert told() == []
