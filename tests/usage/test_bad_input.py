import base64
import gzip
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from rest_framework.test import APIClient

from tests.usage.conftest import body
from usage.ingest.decode import MAX_BODY_BYTES
from usage.keys import create_key
from usage.models import APIKey, EventKey, UsageEvent

if TYPE_CHECKING:
    from rest_framework.response import _MonkeyPatchedResponse

pytestmark = pytest.mark.django_db

PATH = "/api/v1/events/"


def send(
    client: APIClient, data: bytes, media_type: str = "application/json", **headers: str
) -> "_MonkeyPatchedResponse":
    return client.post(PATH, data, content_type=media_type, headers=headers)


def in_hours(hours: float) -> str:
    return (datetime.now(UTC) + timedelta(hours=hours)).isoformat()


BAD_FIELDS: list[tuple[dict[str, Any], str, str]] = [
    ({"input_tokens": -1}, "input_tokens", "negative"),
    ({"output_tokens": 2_000_000_001}, "output_tokens", "too_large"),
    ({"output_tokens": 10**30}, "output_tokens", "too_large"),
    ({"input_tokens": 1.5}, "input_tokens", "wrong_type"),
    ({"input_tokens": "7"}, "input_tokens", "wrong_type"),
    ({"input_tokens": True}, "input_tokens", "wrong_type"),
    ({"input_tokens": None}, "input_tokens", "wrong_type"),
    ({"cache_read_tokens": 1001}, "cache_read_tokens", "part_larger_than_whole"),
    (
        {"cache_read_tokens": 600, "cache_write_tokens": 600},
        "cache_read_tokens",
        "part_larger_than_whole",
    ),
    (
        {"cache_write_tokens": 5, "cache_write_1h_tokens": 6},
        "cache_write_1h_tokens",
        "part_larger_than_whole",
    ),
    ({"reasoning_tokens": 101}, "reasoning_tokens", "part_larger_than_whole"),
    ({"total_tokens": 1101}, "total_tokens", "total_mismatch"),
    (
        {"meters": {"input_audio_tokens": 1001}},
        "meters.input_audio_tokens",
        "part_larger_than_whole",
    ),
    ({"meters": {"web_searches": -1}}, "meters.web_searches", "out_of_range"),
    ({"meters": {"web_searches": "NaN"}}, "meters.web_searches", "out_of_range"),
    ({"meters": {"Web Searches": 1}}, "meters", "pattern"),
    ({"occurred_at": "2026-11-20T12:00:00"}, "occurred_at", "naive"),
    ({"occurred_at": "yesterday"}, "occurred_at", "not_a_time"),
    ({"occurred_at": 1795300000}, "occurred_at", "wrong_type"),
    ({"occurred_at": in_hours(25)}, "occurred_at", "future"),
    ({"occurred_at": "2019-12-31T23:59:59Z"}, "occurred_at", "too_old"),
    ({"occurred_at": "0001-01-01T00:00:00+14:00"}, "occurred_at", "too_old"),
    ({"occurred_at": "9999-12-31T23:59:59-14:00"}, "occurred_at", "future"),
    ({"bogus": 1}, "bogus", "unknown_field"),
    ({"event_id": ""}, "event_id", "empty"),
    ({"event_id": "x" * 129}, "event_id", "too_long"),
    ({"event_id": "a\x00b"}, "event_id", "control_character"),
    ({"subject": "ann\nbob"}, "subject", "control_character"),
    ({"subject": {"key": "ann", "phone": "1"}}, "subject.phone", "unknown_field"),
    ({"tags": {"a": "x\ty"}}, "tags.a", "control_character"),
    ({"tags": {str(i): "x" for i in range(33)}}, "tags", "too_long"),
    ({"tags": {"a": 1}}, "tags[...]", "wrong_type"),
    ({"status": "meh"}, "status", "not_a_choice"),
    ({"duration_ms": -5}, "duration_ms", "negative"),
    ({"reported_cost": -1, "currency": "USD"}, "reported_cost", "out_of_range"),
    ({"reported_cost": "Infinity"}, "reported_cost", "out_of_range"),
    ({"reported_cost": "1", "currency": "euro"}, "currency", "pattern"),
    ({"currency": "EUR"}, "currency", "without_cost"),
    ({"reservation": "r-1"}, "reservation", "unknown_reservation"),
    ({"corrects": "e1"}, "corrects", "corrects_itself"),
    ({"corrects": "never-seen"}, "corrects", "unknown_event"),
    ({"organization": "globex"}, "organization", "foreign_organization"),
    ({"usage": {"input_tokens": 1, "output_tokens": 1}}, "usage", "ambiguous"),
]


@pytest.mark.parametrize(
    ("change", "field", "code"),
    BAD_FIELDS,
    ids=[f"{f}-{c}-{i}" for i, (_, f, c) in enumerate(BAD_FIELDS)],
)
def test_a_bad_field_is_named_and_harms_no_other_event(
    client: APIClient, change: dict[str, Any], field: str, code: str
) -> None:
    batch = [body("good1"), body("e1") | change, body("good2")]

    answer = client.post(PATH, batch, format="json")

    assert answer.status_code == 200
    result = answer.json()
    assert (result["accepted"], result["rejected"]) == (2, 1)
    fault = result["results"][1]
    assert (fault["index"], fault["status"]) == (1, "rejected")
    assert (field, code) in [(e["field"], e["code"]) for e in fault["errors"]]
    assert all(e["message"] for e in fault["errors"])
    assert set(UsageEvent.objects.values_list("event_id", flat=True)) == {"good1", "good2"}
    assert EventKey.objects.count() == 2


def test_every_fault_of_an_event_is_told_at_once(client: APIClient) -> None:
    answer = client.post(PATH, {"model": 5, "bogus": 1, "input_tokens": -1}, format="json")

    assert answer.status_code == 422
    assert answer["Content-Type"] == "application/problem+json"
    assert [(e["field"], e["code"], e["index"]) for e in answer.json()["errors"]] == [
        ("bogus", "unknown_field", 0),
        ("event_id", "required", 0),
        ("occurred_at", "required", 0),
        ("model", "wrong_type", 0),
        ("input_tokens", "negative", 0),
    ]


@pytest.mark.parametrize(
    ("data", "status", "code"),
    [
        (b"", 400, "malformed_json"),
        (b"{", 400, "malformed_json"),
        (b"[1,2", 400, "malformed_json"),
        (b"\xff\xfe", 400, "malformed_json"),
        (b'{"event_id": "\xff"}', 400, "invalid_utf8"),
        (b"null", 400, "wrong_shape"),
        (b'"x"', 400, "wrong_shape"),
        (b"12", 400, "wrong_shape"),
        (b'{"events": 5}', 400, "wrong_shape"),
        (b'{"events": [], "more": 1}', 400, "wrong_shape"),
        (b"[" * 200_000, 400, "too_deep"),
        (b'{"a":' * 200_000, 400, "too_deep"),
    ],
)
def test_a_body_that_is_no_batch_is_refused_whole(
    client: APIClient, data: bytes, status: int, code: str
) -> None:
    answer = send(client, data)

    assert answer.status_code == status
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["errors"][0]["code"] == code
    assert not UsageEvent.objects.exists()


@pytest.mark.parametrize("item", [b"1", b"null", b'"e"', b"[]", b"[[{}]]", b"true"])
def test_an_item_that_is_no_event_is_rejected_beside_good_ones(
    client: APIClient, item: bytes
) -> None:
    answer = send(client, b"[" + json.dumps(body()).encode() + b"," + item + b"]")

    assert answer.json()["accepted"] == 1
    assert answer.json()["results"][1]["errors"][0]["code"] == "not_an_object"


def test_invalid_utf8_inside_one_event_harms_only_that_event(client: APIClient) -> None:
    bad = json.dumps(body("bad", subject="@")).encode().replace(b"@", b"\xff")

    answer = send(client, b"[" + json.dumps(body()).encode() + b"," + bad + b"]").json()

    assert (answer["accepted"], answer["rejected"]) == (1, 1)


def test_an_empty_batch_is_accepted_and_does_nothing(client: APIClient) -> None:
    assert send(client, b"[]").json()["accepted"] == 0
    assert send(client, b'{"events": []}').status_code == 200


def test_more_events_than_a_request_may_hold_are_refused_whole(client: APIClient) -> None:
    lean = {k: v for k, v in body().items() if k in ("event_id", "occurred_at", "model")}
    batch = [lean | {"event_id": str(i)} for i in range(10_001)]
    for data, media_type in (
        (json.dumps(batch).encode(), "application/json"),
        (json.dumps({"events": batch}).encode(), "application/json"),
        ("\n".join(map(json.dumps, batch)).encode(), "application/x-ndjson"),
    ):
        answer = send(client, data, media_type)
        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (413, "too_many_events")


def test_an_oversized_body_is_refused_plain_and_compressed(client: APIClient) -> None:
    large = b"[" + b" " * MAX_BODY_BYTES + b"]"

    plain = send(client, large)
    packed = send(client, gzip.compress(large, 1), **{"Content-Encoding": "gzip"})

    assert (plain.status_code, packed.status_code) == (413, 413)
    assert (
        plain.json()["errors"][0]["code"]
        == packed.json()["errors"][0]["code"]
        == ("body_too_large")
    )


def test_gzip_is_read_and_broken_gzip_is_refused(client: APIClient) -> None:
    packed = gzip.compress(json.dumps(body()).encode())

    assert send(client, packed, **{"Content-Encoding": "gzip"}).json()["accepted"] == 1
    for broken in (packed[:-9], b"nonsense"):
        answer = send(client, broken, **{"Content-Encoding": "gzip"})
        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, "not_gzip")
    assert send(client, packed, **{"Content-Encoding": "br"}).status_code == 415


def test_ndjson_names_the_line_and_keeps_the_others(client: APIClient) -> None:
    lines = [json.dumps(body("a")), "", "{broken", json.dumps(body("b"))]

    answer = send(client, "\n".join(lines).encode(), "application/x-ndjson").json()

    assert (answer["accepted"], answer["rejected"]) == (2, 1)
    assert answer["results"][1]["errors"][0]["code"] == "malformed"


def test_cloudevents_are_read_single_and_batched(client: APIClient) -> None:
    data = {k: v for k, v in body().items() if k not in ("event_id", "occurred_at", "subject")}
    envelope = {
        "specversion": "1.0", "id": "ce1", "source": "svc", "type": "llm",
        "time": "2026-11-20T12:00:00Z", "subject": "ann", "data": data,
    }  # fmt: skip

    one = send(client, json.dumps(envelope).encode(), "application/cloudevents+json")
    batch = [envelope | {"id": "ce2"}, envelope | {"id": "ce3", "data": 5}, 7]
    many = send(client, json.dumps(batch).encode(), "application/cloudevents-batch+json").json()

    assert one.json()["results"][0]["event_id"] == "ce1"
    assert (many["accepted"], many["rejected"]) == (1, 2)
    assert many["results"][1]["errors"][0]["code"] == "not_a_cloudevent"
    assert UsageEvent.objects.filter(subject__key="ann").count() == 2


def test_no_key_a_wrong_key_and_a_key_without_the_scope_are_told_apart(
    client_for: Callable[..., APIClient],
) -> None:
    assert APIClient().post(PATH, body(), format="json").status_code == 401
    for header in ("Bearer tm_nonsense", "Bearer ", "Basic !!", "Bearer tm_aaaaaaaa.bbbb"):
        answer = APIClient(headers={"Authorization": header}).post(PATH, body(), format="json")
        assert answer.status_code == 401
        assert answer["WWW-Authenticate"].startswith("Bearer")
        assert answer["Content-Type"] == "application/problem+json"
    answer = client_for("acme", "read").post(PATH, body(), format="json")
    assert answer.status_code == 403
    assert "ingest" in answer.json()["detail"]


def test_revoked_and_expired_keys_stop_at_once(client: APIClient) -> None:
    key = APIKey.objects.get()
    APIKey.objects.filter(pk=key.pk).update(expiry_date=datetime.now(UTC) - timedelta(seconds=1))
    expired = client.post(PATH, body(), format="json")
    APIKey.objects.filter(pk=key.pk).update(expiry_date=None, revoked=True)
    revoked = client.post(PATH, body(), format="json")

    assert (expired.status_code, revoked.status_code) == (401, 401)
    assert "expired" in expired.json()["detail"]
    assert "revoked" in revoked.json()["detail"]


def test_a_key_is_read_from_bearer_basic_and_its_own_header(catalogue: None) -> None:
    _, secret = create_key("acme", ["ingest"], "test")
    basic = base64.b64encode(f"any:{secret}".encode()).decode()

    for headers in (
        {"Authorization": f"bearer {secret}"},
        {"Authorization": f"Basic {basic}"},
        {"X-API-Key": secret},
    ):
        answer = APIClient(headers=headers).post(PATH, body(), format="json")
        assert answer.status_code == 200


def test_a_site_key_must_name_an_organization_that_exists(
    client_for: Callable[..., APIClient],
) -> None:
    client_for("acme")
    site = client_for(None)
    batch = [body("a"), body("b", organization="acme"), body("c", organization="nobody")]

    answer = site.post(PATH, batch, format="json").json()

    assert [r["status"] for r in answer["results"]] == ["rejected", "accepted", "rejected"]
    assert answer["results"][0]["errors"][0]["code"] == "required"
    assert answer["results"][2]["errors"][0]["code"] == "unknown_organization"


def test_the_wrong_method_is_a_problem_too(client: APIClient) -> None:
    answer = client.delete(PATH)

    assert answer.status_code == 405
    assert answer["Content-Type"] == "application/problem+json"
