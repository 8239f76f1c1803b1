from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.test import APIClient

from tests.usage.conftest import body
from usage.models import UsageEvent

pytestmark = pytest.mark.django_db

NOTHING = {"input_tokens": 0, "output_tokens": 0}
REPORTED = {"input_tokens": 7, "output_tokens": 3}


def stored(client: APIClient, **fields: Any) -> UsageEvent:
    answer = client.post("/api/v1/events/", body(**fields), format="json")
    assert answer.json().get("accepted") == 1, answer.json()
    return UsageEvent.objects.get()


@pytest.mark.parametrize(
    ("hints", "counts"),
    [
        ({"input_characters": 8, "output_characters": 4}, (2, 1)),
        ({"input_characters": 9, "output_characters": 5}, (3, 2)),
        ({"input_characters": 1}, (1, 0)),
        ({"input_characters": 0, "max_output_tokens": 500}, (0, 500)),
        ({"input_characters": 4000, "max_output_tokens": 500}, (1000, 500)),
        ({"input_characters": 4000, "output_characters": 40, "max_output_tokens": 500}, (1000, 10)),
        ({"max_output_tokens": 4096}, (0, 4096)),
    ],
)
@pytest.mark.parametrize(
    "usage", [None, {}, {"prompt_tokens": None}, {"model": "m", "usage": None}]
)
def test_hints_are_counted_at_four_characters_a_token_where_nothing_was_reported(
    client: APIClient, hints: dict[str, int], counts: tuple[int, int], usage: dict[str, Any] | None
) -> None:
    event = stored(client, **NOTHING, **hints, usage=usage)
    assert (event.input_tokens, event.output_tokens) == counts
    assert event.estimated


@pytest.mark.parametrize(
    "reported",
    [
        REPORTED,
        {**NOTHING, "usage": {**REPORTED}},
        {**NOTHING, "meters": {"web_searches": 2}},
        {**NOTHING, "output_tokens": 3},
    ],
)
def test_hints_beside_counts_leave_no_trace(
    client_for: Callable[..., APIClient], reported: dict[str, Any]
) -> None:
    hints = {"input_characters": 4000, "output_characters": 400, "max_output_tokens": 9}
    client = client_for()
    event = stored(client, **{**reported, **hints})
    assert not event.estimated
    assert event.input_tokens in (0, 7)
    again = client.post("/api/v1/events/", body(**reported), format="json")
    assert again.json()["duplicates"] == 1


def test_an_empty_usage_object_alone_marks_the_counts_given_as_estimated(client: APIClient) -> None:
    event = stored(client, **REPORTED, usage={}, max_output_tokens=9)
    assert (event.input_tokens, event.output_tokens, event.estimated) == (7, 3, True)


def test_characters_may_be_a_meter_too(client: APIClient) -> None:
    meters = {"input_characters": 1200}
    event = stored(client, **NOTHING, meters=meters, input_characters=4)
    assert (event.input_tokens, event.meters, event.estimated) == (0, meters, False)


@pytest.mark.parametrize(
    ("value", "code"), [(-1, "negative"), ("8", "wrong_type"), (1.5, "wrong_type")]
)
def test_a_hint_is_a_whole_number(client: APIClient, value: object, code: str) -> None:
    answer = client.post("/api/v1/events/", body(input_characters=value), format="json")
    assert answer.status_code == 422
    [error] = answer.json()["errors"]
    assert (error["field"], error["code"]) == ("input_characters", code)
