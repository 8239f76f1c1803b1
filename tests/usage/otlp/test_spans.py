import base64
import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.usage.otlp.telling import NOON_NS, SHIPPED_RULES, TRACE, span
from usage.ingest.pipeline import Caller
from usage.ingest.values import Rejection
from usage.models import UsageEvent
from usage.otlp import json as otlp_json
from usage.otlp import protobuf
from usage.otlp.spans import Reading, read_span, read_spans
from usage.otlp.values import Span
from usage.sightings.intake import take_in
from usage.sightings.values import Sighting

SAMPLES = Path(__file__).parents[2] / "samples"
OPENAI_ID = "chatcmpl-9zJx8QkLmN2"


def read(*spans: Span) -> list[Reading]:
    return read_spans(spans, SHIPPED_RULES, "acme")


def one(told: Span) -> Sighting:
    [found] = read(told)
    assert isinstance(found, Sighting), found
    return found


def kept(*spans: Span) -> list[int]:
    return [number for number, found in enumerate(read(*spans), start=1) if found is not None]


def name(number: int) -> str:
    return f"{TRACE}-{number:016x}"


def agent(number: int, inside: int = 0) -> Span:
    return span(number, inside, attributes={"gen_ai.operation.name": "invoke_agent"})


def http(number: int, inside: int = 0) -> Span:
    return span(number, inside, attributes={"http.request.method": "POST"}, name="POST")


def silent(number: int, inside: int = 0, **more: Any) -> Span:
    names = ("gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens")
    return span(number, inside, chat=dict.fromkeys(names), **more)


def embedding(number: int, inside: int = 0) -> Span:
    return span(number, inside, chat={"gen_ai.operation.name": "embeddings"})


def test_a_span_tells_when_how_long_and_for_whom() -> None:
    found = one(
        span(
            chat={
                "gen_ai.response.id": OPENAI_ID, "gen_ai.conversation.id": "s-1",
                "enduser.id": "ann@example.com", "gen_ai.usage.cost": 0.5,
            },
            resource={"service.name": "billing-bot", "team": "search", "cost_center": "eng-1"},
        )
    )  # fmt: skip
    event = found.event
    assert (event.event_id, found.names, found.span) == (OPENAI_ID, (), name(1))
    assert event.occurred_at == datetime(2026, 11, 20, 12, tzinfo=UTC)
    assert (event.duration_ms, event.operation, event.status) == (1500, "chat", "success")
    assert (event.project, event.team, event.session_id) == ("billing-bot", "search", "s-1")
    assert (event.reported_cost, event.currency) == (Decimal("0.5"), "USD")
    assert event.tags == {"cost_center": "eng-1"}
    assert event.subject is not None
    assert not isinstance(event.subject, str)
    assert event.subject.key == "ann@example.com"


def test_a_call_without_an_id_is_named_by_its_span_or_by_what_it_says() -> None:
    assert one(span(7)).event.event_id == name(7)
    nameless, same, other = (one(span(0, end_ns=NOON_NS + n)) for n in (1, 1, 2))
    assert nameless.event.event_id == same.event.event_id != other.event.event_id
    assert (nameless.span, nameless.inside) == (None, None)


def test_claude_codes_spans_are_told_as_its_logs_are() -> None:
    found = one(
        span(
            name="claude_code.llm_request",
            attributes={
                "gen_ai.system": "anthropic", "model": "claude-opus-5",
                "gen_ai.request.model": "claude-opus-5", "input_tokens": 2, "output_tokens": 12,
                "cache_read_tokens": 90, "speed": "fast", "request_id": "req_011CPxyz4fQaB",
                "query_source": "agent:builtin:Explore", "session.id": "s-2",
            },
        )
    )  # fmt: skip
    event = found.event
    assert (event.event_id, event.input_tokens, event.service_tier) == (
        "req_011CPxyz4fQaB", 92, "fast",
    )  # fmt: skip
    assert (event.agent_type, event.session_id) == ("Claude Code subagent", "s-2")
    assert event.tags is not None
    assert event.tags["client"] == "claude-code"


@pytest.mark.parametrize(
    ("times", "field"),
    [({"start_ns": 0, "end_ns": 0}, "start_time_unix_nano"), ({"start_ns": 2**63}, None)],
)
def test_a_time_that_is_none_is_refused(times: dict[str, Any], field: str | None) -> None:
    found = read_span(span(**times), SHIPPED_RULES, None)
    if field is None:
        assert isinstance(found, Sighting)  # the year 2262: ahead of any clock, refused later
    else:
        assert isinstance(found, Rejection)
        assert found.errors[0].field == field


def test_a_span_that_tells_only_its_end_is_dated_by_it() -> None:
    event = one(span(start_ns=0, end_ns=NOON_NS)).event
    assert (event.occurred_at.hour, event.duration_ms) == (12, None)


@pytest.mark.parametrize(
    ("spans", "counted"),
    [
        ([span(1), span(2, 1)], [2]),
        ([span(1, 2), span(2)], [1]),
        ([span(1), http(2, 1), span(3, 2)], [3]),
        ([span(1), span(2, 1), span(3, 2)], [3]),
        ([span(1), span(2, 1), span(3, 1)], [2, 3]),
        ([span(1), agent(2, 1), span(3, 2)], [1, 3]),
        ([agent(1), span(2, 1), span(3, 1)], [2, 3]),
        ([span(1), embedding(2, 1)], [1, 2]),
        ([embedding(1), embedding(2, 1)], [2]),
        ([span(1), silent(2, 1)], [1]),
        ([span(1), silent(2, 1, failed=True), span(3, 1)], [2, 3]),
        ([span(1), silent(2, 1, failed=True)], [1, 2]),
        ([silent(1), silent(2, 1)], [2]),
        ([silent(1), span(2, 1), silent(3, 2)], [2]),
        ([span(1, 2), span(2, 1)], [1]),
        ([span(1, 1)], [1]),
        ([span(1), span(2, 1, trace="f" * 32)], [1, 2]),
        ([span(1), span(2)], [1, 2]),
    ],
)
def test_the_innermost_span_that_knows_the_usage_counts(
    spans: list[Span], counted: list[int]
) -> None:
    assert kept(*spans) == counted


def test_spans_beside_each_other_that_say_the_same_are_one_call() -> None:
    slow = span(1, 9, scope="a", failed=True, end_ns=NOON_NS + 9)
    fast = span(2, 9, scope="b", failed=True, start_ns=NOON_NS + 1, end_ns=NOON_NS + 8)
    known = span(2, 9, scope="b", chat={"gen_ai.response.id": OPENAI_ID}, end_ns=NOON_NS + 99)
    found = read(slow, fast)[1]
    assert isinstance(found, Sighting)
    assert (kept(slow, fast), found.event.event_id, found.names) == ([2], name(2), (name(1),))
    assert kept(slow, known) == [2]
    assert kept(span(1, scope="a"), span(2, scope="b", trace="f" * 32, end_ns=NOON_NS)) == [2]
    for apart in (
        span(2, 9, scope="a", end_ns=NOON_NS + 8),
        span(2, 8, scope="b", end_ns=NOON_NS + 8),
        span(2, 9, scope="b", start_ns=NOON_NS + 1, end_ns=NOON_NS + 10),
        span(2, 9, scope="b", end_ns=NOON_NS + 8, chat={"gen_ai.usage.output_tokens": 11}),
    ):
        assert kept(slow, apart) == [1, 2]


def test_spans_that_share_an_id_stay_so_that_what_both_tell_is_joined() -> None:
    ids = {"gen_ai.response.id": OPENAI_ID}
    assert kept(span(1, chat=ids), span(2, 1, chat=ids)) == [1, 2]


def test_each_call_knows_the_call_around_it_even_one_that_comes_later() -> None:
    through = read(span(1), http(2, 1), span(3, 2))[2]
    later = read(http(2, 1), span(3, 2))[1]
    aside = read(agent(2, 1), span(3, 2))[1]
    unsure = read(http(2, 1), silent(3, 2))[1]
    found = [told.inside for told in (through, later, aside, unsure) if isinstance(told, Sighting)]
    assert found == [name(1), name(1), None, None]


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_whatever_lies_in_whatever_no_span_is_counted_with_one_within_it(
    data: st.DataObject,
) -> None:
    size = data.draw(st.integers(1, 7))
    kinds = data.draw(st.lists(st.sampled_from([span, http, agent]), min_size=size, max_size=size))
    parents = [data.draw(st.integers(0, number - 1)) for number in range(1, size + 1)]
    tree = [kind(n, parents[n - 1]) for n, kind in enumerate(kinds, start=1)]
    counted = set(kept(*tree))
    inner = set()
    for number in range(size, 0, -1):
        if kinds[number - 1] is span:
            around = parents[number - 1]
            while around and kinds[around - 1] is http:
                around = parents[around - 1]
            if around and kinds[around - 1] is span:
                inner.add(around)
    assert counted == {n for n in range(1, size + 1) if kinds[n - 1] is span} - inner


def of_openai_v2() -> list[Span]:
    sample = json.loads((SAMPLES / "otlp_traces_openai_v2.json").read_text())
    return otlp_json.read_traces(json.dumps(sample["body"]).encode())


def of_langfuse() -> list[Span]:
    sample = json.loads((SAMPLES / "otlp_traces_langfuse_sdk.json").read_text())
    [request] = sample["requests"]
    return protobuf.read_traces(base64.b64decode(request["body_protobuf_base64"]))


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("spans", "cost", "cached"),
    [(of_openai_v2, "0.0155075", 0), (of_langfuse, "0.0133475", 1920)],
)
def test_the_samples_cost_what_they_cost_and_once(
    spans: Any, cost: str, cached: int, caller: Caller
) -> None:
    told = [reading for reading in read(*spans()) if reading is not None]
    assert take_in(told, caller).new == 1
    assert take_in(told, caller).repeats == 1
    [event] = UsageEvent.objects.all()
    assert event.cost == Decimal(cost)
    assert (event.input_tokens, event.output_tokens, event.cache_read_tokens) == (
        2006, 1300, cached,
    )  # fmt: skip


@pytest.mark.django_db
def test_two_instrumentations_of_one_call_count_once_with_the_exact_counts(caller: Caller) -> None:
    native = {
        "gen_ai.operation.name": "chat", "gen_ai.provider.name": "anthropic",
        "gen_ai.request.model": "claude-opus-4-8", "gen_ai.response.id": "msg_01XFDUDYJgAACz",
        "anthropic.request.id": "req_011CPxyz4fQaB", "gen_ai.usage.input_tokens": 2406,
        "gen_ai.usage.cache_read.input_tokens": 1800,
        "gen_ai.usage.cache_write.input_tokens": 556, "gen_ai.usage.output_tokens": 393,
        "anthropic.usage.cache_creation.ephemeral_1h_input_tokens": 100,
    }  # fmt: skip
    added = {
        **native, "gen_ai.usage.output_tokens": 394, "gen_ai.is_streaming": True,
        "session.id": "s-1",
    }  # fmt: skip
    del added["anthropic.usage.cache_creation.ephemeral_1h_input_tokens"]
    outer = span(1, attributes=added, scope="opentelemetry.instrumentation.anthropic")
    inner = span(2, 1, attributes=native, scope="com.anthropic.sdk.python")
    for batch in ([inner, outer], [outer], [inner]):
        take_in([reading for reading in read(*batch) if reading], caller)
    [event] = UsageEvent.objects.filter(state=UsageEvent.State.COUNTED)
    assert (event.event_id, event.session_id, event.estimated) == (
        "msg_01XFDUDYJgAACz", "s-1", False,
    )  # fmt: skip
    assert (event.output_tokens, event.cost) == (393, Decimal("0.014825"))
