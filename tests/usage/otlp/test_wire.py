from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.usage.otlp import wire
from usage.ingest.decode import BodyError
from usage.otlp import json, protobuf
from usage.otlp.values import MAX_TEXT

READERS = (
    protobuf.read_traces, protobuf.read_logs, protobuf.read_metrics,
    json.read_traces, json.read_logs, json.read_metrics,
)  # fmt: skip
PLAIN: dict[str, Any] = {
    "text": "t", "yes": True, "no": False, "int": -(2**63), "half": 0.5, "nothing": "",
    "list": ["a", 1], "inner": {"b": {"c": 2}},
}  # fmt: skip


def test_both_encodings_give_the_same_spans() -> None:
    failed = {"code": 2}
    event = {"name": "e", "attributes": wire.attributes({"x": 1})}
    body = wire.spans(
        wire.span(1, PLAIN, parentSpanId="00000000000000aa", status=failed, events=[event]),
        wire.span(2, {}),
        team="search",
    )
    read = json.read_traces(wire.as_json(body))
    assert read == protobuf.read_traces(wire.as_protobuf(body))
    first, second = read
    assert first.attributes == PLAIN
    assert (first.failed, second.failed) == (True, False)
    assert (first.parent_id, second.parent_id) == ("00000000000000aa", "")
    assert first.events == [{"x": 1}]
    assert first.resource is second.resource
    assert first.resource.attributes == {"team": "search"}
    assert first.end_ns - first.start_ns == 10**9


def test_both_encodings_give_the_same_logs_and_points() -> None:
    body = wire.sample("claude_code_otlp_logs.json")["body"]
    records = json.read_logs(wire.as_json(body))
    assert records == protobuf.read_logs(wire.as_protobuf(body))
    assert [r.name for r in records] == ["user_prompt", "api_request", "assistant_response"]
    body = wire.sample("claude_code_otlp_metrics.json")["body"]
    points = json.read_metrics(wire.as_json(body))
    assert points == protobuf.read_metrics(wire.as_protobuf(body))
    tokens = [p.value for p in points if p.metric == "claude_code.token.usage"]
    assert (tokens, {p.delta for p in points}) == ([50, 393, 1800, 556], {True})


def test_json_takes_numbers_as_text_or_number_and_enumerated_values_by_name_or_number() -> None:
    body = b"""{"resourceSpans": [{"scopeSpans": [{"spans": [
        {"traceId": "ABCDEF00000000000000000000000001", "spanId": "AB00000000000001",
         "parentSpanId": "", "startTimeUnixNano": 5, "endTimeUnixNano": "6", "new": [1],
         "status": {"code": "STATUS_CODE_ERROR"}, "events": null, "attributes": [
            {"key": "a", "value": {"intValue": 7}}, {"key": "b", "value": {"intValue": "8"}},
            {"key": "c", "value": {"doubleValue": "NaN"}}, {"key": "d", "value": {}},
            {"key": "e", "value": null}, {"key": "f", "value": {"bytesValue": "AAE="}},
            {"key": "g", "value": {"intValue": "many"}}]},
        {"traceId": "nothex", "spanId": "0000000000000000", "status": {"code": 2}}]}]},
        {"resource": null, "scopeSpans": null}], "more": {}}"""
    first, second = json.read_traces(body)
    assert (first.trace_id, first.span_id) == (
        "abcdef00000000000000000000000001",
        "ab00000000000001",
    )
    assert (first.start_ns, first.end_ns, first.failed) == (5, 6, True)
    assert str(first.attributes.pop("c")) == "nan"
    assert first.attributes == {"a": 7, "b": 8, "f": b"\0\1", "g": "many"}
    assert (second.trace_id, second.span_id, second.failed) == ("", "", True)


def test_long_texts_are_dropped_on_reading() -> None:
    body = wire.spans(wire.span(1, {"prompt": "x" * (MAX_TEXT + 1), "kept": "x" * MAX_TEXT}))
    for [read] in (
        json.read_traces(wire.as_json(body)),
        protobuf.read_traces(wire.as_protobuf(body)),
    ):
        assert list(read.attributes) == ["kept"]


def test_a_log_without_a_time_has_the_one_at_which_it_was_observed() -> None:
    told = wire.log("x", {}, timeUnixNano="0", observedTimeUnixNano="9")
    [record] = json.read_logs(wire.as_json(wire.logs(told)))
    assert (record.time_ns, record.name) == (9, "x")


@pytest.mark.parametrize(
    ("read", "body"),
    [
        (protobuf.read_traces, b"\xff\xff"),
        (protobuf.read_traces, wire.as_protobuf(wire.spans(wire.chat(1)))[:-3]),
        (protobuf.read_traces, b"\x0a\x0c\x12\x0a\x12\x08\x2a\x06\xff\xfe\xff\xfe\xff\xfe"),
        (json.read_logs, b""),
        (json.read_logs, b"[]"),
        (json.read_logs, b'{"resourceLogs": [{"scopeLogs": "x"}]}'),
        (json.read_logs, b'{"resourceLogs": ' + b"[" * 100_000),
        (json.read_logs, wire.as_json(wire.logs(wire.log("x", {}, timeUnixNano="soon")))),
        (json.read_logs, wire.as_json(wire.logs(wire.log("x", {}, timeUnixNano=-1)))),
    ],
)  # fmt: skip
def test_a_body_that_cannot_be_read_as_a_whole_is_400(read: Any, body: bytes) -> None:
    with pytest.raises(BodyError) as caught:
        read(body)
    assert caught.value.status == 400


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(
            ("resourceLogs", "scopeLogs", "logRecords", "attributes", "key", "value", "intValue",
             "resourceSpans", "scopeSpans", "spans", "timeUnixNano", "sum", "dataPoints", "asInt")
        ),
        inner,
        max_size=3,
    ),
    max_leaves=15,
)  # fmt: skip


@settings(max_examples=80, deadline=None)
@given(st.binary(max_size=60) | _JSON.map(msgspec.json.encode))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    for read in READERS:
        try:
            read(body)
        except BodyError as error:
            assert error.status == 400  # noqa: PT017
