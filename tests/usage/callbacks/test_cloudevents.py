import json
from decimal import Decimal
from typing import Any

import pytest
from rest_framework.test import APIClient

from usage.models import UsageEvent

pytestmark = pytest.mark.django_db
ONE, BATCH = "application/cloudevents+json", "application/cloudevents-batch+json"


def openmeter(event_id: str = "00001", source: str = "chat-app", **data: Any) -> dict[str, Any]:
    return {
        "specversion": "1.0", "type": "prompt", "id": event_id, "source": source,
        "time": "2026-11-20T12:00:00.001Z", "subject": "customer-1",
        "data": {"tokens": "1000", "model": "gpt-5", "type": "output", "route": {"a": [1]}, **data},
    }  # fmt: skip


def native(**data: Any) -> dict[str, Any]:
    return {**openmeter(), "data": {"model": "gpt-5", "input_tokens": 5, **data}}


def post(client: APIClient, body: Any, kind: str = ONE, **headers: str) -> Any:
    return client.post("/api/v1/events", json.dumps(body), content_type=kind, headers=headers)


def counts() -> list[tuple[str, int, int, bool]]:
    rows = UsageEvent.objects.order_by("id")
    return [(e.event_id, e.input_tokens, e.output_tokens, e.estimated) for e in rows]


def test_openmeters_events_are_stored_and_answered_as_openmeter_does(client: APIClient) -> None:
    first = post(client, openmeter(provider="openai", project="web"))
    assert (first.status_code, first.content) == (204, b"")
    assert post(client, openmeter(provider="openai", project="web")).status_code == 204
    event = UsageEvent.objects.select_related("subject", "project", "kind").get()
    assert counts() == [("chat-app:00001", 0, 1000, False)]
    assert event.cost == Decimal("0.01")  # 1,000 of output at 10 per million
    assert (str(event.subject), str(event.project)) == ("customer-1", "web")
    assert event.tags == {"source": "chat-app"}


def test_each_kind_of_token_is_counted_and_unknown_kinds_are_estimates(client: APIClient) -> None:
    sent = [
        openmeter("1", type="input"),
        openmeter("2", type="system", tokens=7),
        openmeter("3", type="other"),
        openmeter("4", prompt_tokens=30, completion_tokens=5, cached_tokens=20),
        openmeter("1", source="batch-app", type="completion"),
    ]
    assert post(client, sent, BATCH).status_code == 204
    assert counts() == [
        ("chat-app:1", 1000, 0, False),
        ("chat-app:2", 7, 0, False),
        ("chat-app:3", 1000, 0, True),
        ("chat-app:4", 30, 5, False),
        ("batch-app:1", 0, 1000, False),
    ]


def test_mere_json_and_binary_mode_hold_cloudevents_too(client: APIClient) -> None:
    plain = "application/json"
    assert post(client, openmeter("1"), plain).status_code == 204
    assert post(client, [openmeter("2")], plain).status_code == 204
    answer = post(
        client, native()["data"], plain,
        **{"ce-specversion": "1.0", "ce-id": "n%201", "ce-source": "ci", "ce-type": "call",
           "ce-time": "2026-11-20T12:00:00Z", "ce-subject": "ann"},
    )  # fmt: skip
    assert answer.json()["results"][0]["event_id"] == "n 1"
    assert len(counts()) == 3


@pytest.mark.parametrize(
    "data",
    [{"tokens": "many"}, {"tokens": -5}, {"model": ""}, {"tokens": 1.5}, {"prompt_tokens": [1]}],
)
def test_what_cannot_be_counted_is_refused_by_the_member_at_fault(
    client: APIClient, data: dict[str, Any]
) -> None:
    answer = post(client, openmeter(**data))
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] in data
    both = post(client, [openmeter(**data), openmeter("2")], BATCH)
    assert (both.status_code, both.json()["accepted"]) == (200, 1)


@pytest.mark.parametrize("number", ["1e400", "1" * 5000])
def test_a_number_that_none_could_hold_is_refused_and_harms_no_other(
    client: APIClient, number: str
) -> None:
    body = json.dumps([openmeter("1", tokens="HUGE"), openmeter("2")]).replace('"HUGE"', number)
    answer = client.post("/api/v1/events", body, content_type=BATCH)
    assert (answer.status_code, answer.json()["rejected"]) == (200, 1)
    assert counts() == [("chat-app:2", 0, 1000, False)]


def test_events_of_our_own_stay_strict_and_keep_their_id(client: APIClient) -> None:
    assert post(client, native()).json()["results"][0]["event_id"] == "00001"
    answer = post(client, native(route="/x"))
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "route"
    mixed = post(client, [native(), openmeter("2")], BATCH)
    assert (mixed.json()["duplicates"], mixed.json()["accepted"]) == (1, 1)
    assert post(client, [], BATCH).json()["accepted"] == 0


def test_an_event_whose_text_speaks_of_cloudevents_is_an_event(client: APIClient) -> None:
    event = {
        "event_id": "e", "occurred_at": "2026-11-20T12:00:00Z", "model": "gpt-5",
        "tags": {"specversion": "1.0"},
    }  # fmt: skip
    assert post(client, event, "application/json").json()["accepted"] == 1
    assert post(client, [event], "application/json").json()["duplicates"] == 1
