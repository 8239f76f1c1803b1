import base64
import gzip
import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.db import OperationalError
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from rest_framework.test import APIClient

from tests.usage.otlp import wire
from usage.ingest.decode import MAX_BODY_BYTES
from usage.keys import create_key
from usage.models import UsageEvent

pytestmark = pytest.mark.django_db
TRACES, LOGS, METRICS = "/otlp/v1/traces", "/otlp/v1/logs", "/otlp/v1/metrics"
LANGFUSE = "/api/public/otel/v1/traces"


def post(client: APIClient, path: str, body: bytes, kind: str = wire.PROTOBUF, **head: str) -> Any:
    return client.post(path, body, content_type=kind, headers=head)


def counted() -> list[UsageEvent]:
    found = UsageEvent.objects.filter(state=UsageEvent.State.COUNTED)
    return list(found.select_related("kind", "team", "organization").order_by("event_id"))


def test_spans_count_once_in_either_encoding_and_the_rest_is_passed_over(client: APIClient) -> None:
    body = wire.spans(wire.chat(1), wire.span(9, {"http.method": "GET"}), wire.chat(2))
    first = post(client, TRACES, wire.as_protobuf(body))
    second = post(
        client, TRACES, gzip.compress(wire.as_json(body)), f"{wire.JSON}; charset=utf-8",
        **{"Content-Encoding": "gzip"},
    )  # fmt: skip
    assert (first.status_code, first["Content-Type"], first.content) == (200, wire.PROTOBUF, b"")
    assert (second.status_code, second["Content-Type"], second.json()) == (200, wire.JSON, {})
    [one, two] = counted()
    assert (one.event_id, two.event_id) == ("chatcmpl-9c4Bq001", "chatcmpl-9c4Bq002")
    assert (one.cost, one.cache_read_tokens) == (Decimal("0.0133475"), 1920)


def test_refused_records_are_told_and_the_others_stored(client: APIClient) -> None:
    bad = [
        wire.chat(n, **{"gen_ai.usage.input_tokens": count})
        for n, count in enumerate((-1, 2**40, "many"))
    ]
    late = wire.chat(8) | {"startTimeUnixNano": "2" + "0" * 18, "endTimeUnixNano": "0"}
    body = wire.spans(wire.span(9, {"x": 1}), wire.chat(5), *bad, late)
    answer = post(client, TRACES, wire.as_protobuf(body))
    told = ExportTraceServiceResponse.FromString(answer.content).partial_success
    assert (answer.status_code, told.rejected_spans) == (200, 4)
    assert "span 2: gen_ai.usage.input_tokens: A count is at least 0." in told.error_message
    assert "occurred_at" in told.error_message
    told = post(client, TRACES, wire.as_json(body), wire.JSON).json()["partialSuccess"]
    assert told["rejectedSpans"] == "4"
    assert [event.event_id for event in counted()] == ["chatcmpl-9c4Bq005"]


def test_a_long_list_of_faults_is_cut_and_no_text_reaches_the_ledger_unclean(
    client: APIClient,
) -> None:
    bad = [wire.chat(n, **{"gen_ai.usage.input_tokens": -1}) for n in range(9)]
    odd = wire.chat(10, **{"gen_ai.request.model": "gpt\x00-5" + "x" * 300, "user.id": "\x00"})
    body = wire.spans(*bad, odd, team="a\x00b")
    told = post(client, TRACES, wire.as_json(body), wire.JSON).json()["partialSuccess"]
    assert told["errorMessage"].endswith("; and 4 more")
    [event] = counted()
    assert event.kind.model.startswith("gpt-5xxx")
    assert event.team is not None
    assert event.team.slug == "ab"


FAULTS: list[tuple[int, int, str, bytes, dict[str, str]]] = [
    (400, 3, wire.PROTOBUF, b"\xff\xff", {}),
    (400, 3, wire.JSON, b"{", {}),
    (400, 3, wire.JSON, b"{}", {"Content-Encoding": "gzip"}),
    (413, 8, wire.PROTOBUF, b"\0" * (MAX_BODY_BYTES + 1), {}),
    (415, 3, "text/plain", b"{}", {}),
    (415, 3, wire.PROTOBUF, b"", {"Content-Encoding": "br"}),
    (401, 16, wire.PROTOBUF, b"", {"Authorization": "Bearer tm_no.no"}),
]


@pytest.mark.parametrize(("status", "code", "kind", "body", "head"), FAULTS)
def test_a_request_that_fails_is_told_so_in_its_own_encoding(
    client: APIClient, status: int, code: int, kind: str, body: bytes, head: dict[str, str]
) -> None:
    client.credentials(**{f"HTTP_{name.upper().replace('-', '_')}": v for name, v in head.items()})
    answer = post(client, LOGS, body, kind, **head)
    assert answer.status_code == status
    assert answer["Content-Type"] == (wire.PROTOBUF if kind == wire.PROTOBUF else wire.JSON)
    told = (
        Status.FromString(answer.content)
        if kind == wire.PROTOBUF
        else Status(**json.loads(answer.content))
    )
    assert told.code == code
    assert told.message


def test_nobody_without_the_scope_and_nobody_unknown_is_served(
    client_for: Callable[..., APIClient],
) -> None:
    reader = post(client_for("acme", "read"), METRICS, b"")
    nobody = post(APIClient(), METRICS, b"{}", wire.JSON)
    assert (reader.status_code, Status.FromString(reader.content).code) == (403, 7)
    assert (nobody.status_code, nobody.json()["code"]) == (401, 16)
    assert nobody["WWW-Authenticate"]


def test_a_database_that_is_away_asks_for_another_try(
    client: APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> None:
        raise OperationalError("gone")

    monkeypatch.setattr("usage.otlp.intake.take_calls", away)
    answer = post(client, TRACES, wire.as_protobuf(wire.spans(wire.chat(1))))
    assert (answer.status_code, answer["Retry-After"]) == (503, "1")
    assert Status.FromString(answer.content).code == 14


def test_no_path_redirects_and_only_posts_are_answered(client: APIClient) -> None:
    for path in (TRACES, LOGS, METRICS, LANGFUSE):
        assert post(client, f"{path}/", b"").status_code == 404
        assert post(client, path, b"").status_code == 200
        refused = client.get(path)
        assert (refused.status_code, refused.json()["code"]) == (405, 12)


def test_cookies_do_not_call_for_a_csrf_token(client_for: Callable[..., APIClient]) -> None:
    _, secret = create_key("acme", ("ingest",), "strict")
    strict = APIClient(enforce_csrf_checks=True, headers={"X-API-Key": secret})
    strict.cookies["csrftoken"] = "x" * 32
    assert post(strict, TRACES, b"").status_code == 200


def test_langfuse_sends_its_key_as_the_password_of_a_pair(client: APIClient) -> None:
    _, secret = create_key("acme", ("ingest",), "langfuse")
    basic = base64.b64encode(f"pk-lf-x:{secret}".encode()).decode()
    sender = APIClient(headers={"Authorization": f"Basic {basic}"})
    answer = post(sender, LANGFUSE, wire.as_protobuf(wire.spans(wire.chat(1))))
    assert answer.status_code == 200
    assert len(counted()) == 1


def test_a_site_key_writes_to_the_organization_that_attributes_name(
    client_for: Callable[..., APIClient],
) -> None:
    client_for("globex")
    site = client_for(None, "ingest")
    named = wire.spans(wire.chat(1), **{"tallyman.organization": "globex"})
    assert post(site, TRACES, wire.as_protobuf(named)).content == b""
    for body in (
        wire.spans(wire.chat(2)),
        wire.spans(wire.chat(3), **{"tallyman.organization": "x"}),
    ):
        told = post(site, TRACES, wire.as_json(body), wire.JSON).json()["partialSuccess"]
        assert told["errorMessage"].startswith("span 0: organization: ")
    own = wire.spans(wire.chat(4), **{"tallyman.organization": "globex"})
    post(client_for("acme"), TRACES, wire.as_protobuf(own))
    assert [(e.event_id[-1], e.organization.slug) for e in counted()] == [
        ("1", "globex"), ("4", "acme"),
    ]  # fmt: skip


def test_more_calls_than_a_request_may_hold_are_refused_but_not_other_records(
    client: APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("usage.ingest.decode.MAX_EVENTS", 2)
    others = [wire.span(n, {"http.method": "GET"}) for n in range(20, 40)]
    fits = wire.spans(wire.chat(1), wire.chat(2), *others)
    assert post(client, TRACES, wire.as_protobuf(fits)).status_code == 200
    much = wire.spans(*(wire.chat(n) for n in range(3)))
    assert post(client, TRACES, wire.as_protobuf(much)).status_code == 413
