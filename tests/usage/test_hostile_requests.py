import base64
import gzip
import json
import re
from io import BytesIO
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from django.http import QueryDict
from rest_framework.test import APIClient

from tests.usage.conftest import body
from usage.ingest.decode import MAX_BODY_BYTES, MAX_GZIP_MEMBERS
from usage.models import UsageEvent

if TYPE_CHECKING:
    from rest_framework.response import _MonkeyPatchedResponse

pytestmark = pytest.mark.django_db

PATH = "/api/v1/events/"
CHUNKED = {"HTTP_TRANSFER_ENCODING": "chunked"}


def line(event_id: str, **fields: Any) -> bytes:
    return json.dumps(body(event_id, **fields)).encode() + b"\n"


def send(
    client: APIClient, data: bytes, media_type: str = "application/json", **headers: str
) -> "_MonkeyPatchedResponse":
    return client.post(PATH, data, content_type=media_type, headers=headers)


def only_error(response: "_MonkeyPatchedResponse") -> dict[str, Any]:
    assert response["Content-Type"] == "application/problem+json"
    (error,) = response.json()["errors"]
    return dict(error)


@pytest.mark.parametrize(
    "media_type", ["application/x-ndjson; charset=utf-8", "Application/X-NDJSON;charset=utf-8"]
)
def test_a_content_type_may_carry_parameters(client: APIClient, media_type: str) -> None:
    response = send(client, line("a") + line("b"), media_type)

    assert response.json()["accepted"] == 2


def test_a_cloudevent_may_carry_its_charset(client: APIClient) -> None:
    fields = body("x")
    time = fields.pop("occurred_at")
    del fields["event_id"]
    event = {"specversion": "1.0", "id": "a", "source": "s", "type": "t", "time": time}
    data = json.dumps({**event, "data": fields}).encode()

    response = send(client, data, "application/cloudevents+json; charset=utf-8")

    assert response.json()["accepted"] == 1


def test_every_member_of_a_gzip_body_is_read(client: APIClient) -> None:
    data = gzip.compress(line("a")) + gzip.compress(line("b"))

    response = send(client, data, "application/x-ndjson", **{"Content-Encoding": "gzip"})

    assert response.json()["accepted"] == 2


@pytest.mark.parametrize(
    "data", [gzip.compress(line("a")) + b"garbage", gzip.compress(b"") * (MAX_GZIP_MEMBERS + 1)]
)
def test_a_gzip_body_with_something_behind_it_is_refused(client: APIClient, data: bytes) -> None:
    response = send(client, data, **{"Content-Encoding": "gzip"})

    assert (response.status_code, only_error(response)["code"]) == (400, "not_gzip")


def test_the_members_of_a_gzip_body_share_one_limit(client: APIClient) -> None:
    half = gzip.compress(b" " * (MAX_BODY_BYTES // 2 + 1))

    response = send(client, half + half, **{"Content-Encoding": "gzip"})

    assert response.status_code == 413


def send_stream(client: APIClient, data: BytesIO, **environ: Any) -> "_MonkeyPatchedResponse":
    content_type = "application/json"
    stream: Any = {"wsgi.input": data, "CONTENT_LENGTH": "", **environ}
    return client.generic("POST", PATH, "", content_type, **stream)


def test_a_body_sent_in_chunks_is_read(client: APIClient) -> None:
    response = send_stream(client, BytesIO(line("a")), **CHUNKED, **{"wsgi.input_terminated": True})

    assert response.json()["accepted"] == 1


def test_a_body_whose_end_nobody_knows_is_refused(client: APIClient) -> None:
    response = send_stream(client, BytesIO(line("a")), **CHUNKED)

    assert (response.status_code, only_error(response)["code"]) == (411, "length_required")


def test_a_body_over_the_limit_is_read_to_its_end_before_the_answer(client: APIClient) -> None:
    data = BytesIO(b" " * (MAX_BODY_BYTES + 100))

    response = send_stream(client, data, CONTENT_LENGTH=str(MAX_BODY_BYTES + 100))

    assert response.status_code == 413
    assert data.read() == b""


def test_a_delete_character_is_refused_like_other_control_characters(client: APIClient) -> None:
    event = json.dumps(body("a", project="a\x7fb"), ensure_ascii=False)

    response = send(client, event.encode())

    assert only_error(response)["code"] == "control_character"


@pytest.mark.parametrize("modality", [True, 1])
def test_a_usage_object_with_foreign_types_is_no_server_error(
    client: APIClient, modality: object
) -> None:
    usage = {
        "promptTokenCount": 10,
        "candidatesTokenCount": 3,
        "promptTokensDetails": [{"modality": modality, "tokenCount": 10}],
    }
    event = body("a", provider="google", model="gemini-2.5-flash", usage=usage)
    del event["input_tokens"], event["output_tokens"]

    response = send(client, json.dumps(event).encode())

    assert (response.status_code, only_error(response)["code"]) == (422, "unreadable_usage")


@pytest.mark.parametrize("strict", [False, True])
def test_meters_that_would_cost_more_than_a_column_holds_are_refused(
    client: APIClient, strict: bool
) -> None:
    data = line("good") + line("bad", meters={"web_searches": 10**15})
    headers = {"Prefer": "handling=strict"} if strict else {}

    response = send(client, data, "application/x-ndjson", **headers)

    results = {result["event_id"]: result for result in response.json()["results"]}
    assert results["bad"]["status"] == "rejected"
    assert results["bad"]["errors"][0]["code"] == "out_of_range"
    assert results["good"]["status"] == ("rejected" if strict else "accepted")
    assert UsageEvent.objects.count() == (0 if strict else 1)


@pytest.mark.parametrize("secret", ["a\0b", "\0.", "tm_\0"])
def test_a_key_with_a_nul_character_is_not_known(client: APIClient, secret: str) -> None:
    credentials = base64.b64encode(f"user:{secret}".encode()).decode()
    stranger = APIClient(headers={"Authorization": f"Basic {credentials}"})

    response = stranger.get(PATH)

    assert (response.status_code, only_error(response)["code"]) == (401, "key_refused")


@pytest.mark.parametrize("path", [PATH, "/api/v1/usage/"])
@pytest.mark.parametrize("name", ["from", "to"])
@pytest.mark.parametrize(
    "value", ["0001-01-01", "0001-01-10", "9999-12-31", "0001-01-01T00:00:00+23:59"]
)
def test_a_year_out_of_range_is_told_by_the_parameter(
    client: APIClient, path: str, name: str, value: str
) -> None:
    response = client.get(path, {name: value})

    assert response.status_code == 400
    error = only_error(response)
    assert (error["field"], error["code"]) == (name, "out_of_range")


@pytest.mark.parametrize(("path", "more"), [(PATH, {}), ("/api/v1/usage/", {"granularity": "15m"})])
@pytest.mark.parametrize(
    "when", ["9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00+23:59", "2026-11-20T12:00:00"]
)
def test_a_cursor_with_an_impossible_time_is_refused(
    client: APIClient, path: str, more: dict[str, str], when: str
) -> None:
    send(client, line("a") + line("b"), "application/x-ndjson")
    question = {"limit": "1", "from": "2026-11-20", "to": "2026-11-21", **more}
    next_page = client.get(path, question).json()["next"]
    (cursor,) = QueryDict(urlsplit(next_page).query).getlist("cursor")
    token = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
    forged = re.sub(r"2026-11-2[^\"]*", when, token)
    assert forged != token

    response = client.get(
        path, {**question, "cursor": base64.urlsafe_b64encode(forged.encode()).decode().rstrip("=")}
    )

    assert response.status_code == 400
    assert only_error(response)["code"] == "invalid_cursor"
