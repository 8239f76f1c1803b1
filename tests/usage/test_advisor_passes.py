from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from rest_framework.test import APIClient

from tests.usage.conftest import body
from usage.models import UsageEvent

pytestmark = pytest.mark.django_db

# claude-sonnet-4-6: 3 in, 15 out; claude-opus-4-8: 5 in, 0.5 read from the cache, 25 out.
ADVICE = {
    "type": "advisor_message",
    "model": "claude-opus-4-8",
    "input_tokens": 800,
    "cache_read_input_tokens": 1000,
    "output_tokens": 40,
}
USAGE = {
    "input_tokens": 1000,
    "output_tokens": 100,
    "iterations": [
        {"type": "message", "input_tokens": 600, "output_tokens": 60},
        ADVICE,
        {"type": "compaction", "input_tokens": 200, "output_tokens": 10},
        {"type": "message", "input_tokens": 400, "output_tokens": 40},
        {**ADVICE, "output_tokens": 80},
    ],
}
OWN_COST = Decimal("0.00525")  # 1200 in and 110 out: the sums and the compaction
FIRST_COST = Decimal("0.0055")
SECOND_COST = Decimal("0.0065")


def call(
    event_id: str = "e1", usage: dict[str, Any] | None = None, **fields: Any
) -> dict[str, Any]:
    given = body(event_id, model="claude-sonnet-4-6", usage=usage or USAGE, **fields)
    return {name: value for name, value in given.items() if not name.endswith("put_tokens")}


def post(client: APIClient, *events: dict[str, Any], strict: bool = False) -> Any:
    headers = {"Prefer": "handling=strict"} if strict else {}
    return client.post("/api/v1/events/", list(events), format="json", headers=headers).json()


def stored() -> dict[str, tuple[str, Decimal | None, int]]:
    rows = UsageEvent.objects.select_related("kind").order_by("event_id")
    return {row.event_id: (row.kind.model, row.cost, row.state) for row in rows}


def test_a_pass_is_an_event_of_its_own_under_its_own_model(client: APIClient) -> None:
    answer = post(client, call(tags={"team": "x"}))
    assert (answer["accepted"], answer["unpriced"], len(answer["results"])) == (1, 0, 1)
    assert Decimal(answer["results"][0]["cost"]) == OWN_COST
    assert stored() == {
        "e1": ("claude-sonnet-4-6", OWN_COST, 0),
        "e1#advisor-1": ("claude-opus-4-8", FIRST_COST, 0),
        "e1#advisor-2": ("claude-opus-4-8", SECOND_COST, 0),
    }
    advice = UsageEvent.objects.select_related("project", "subject").get(event_id="e1#advisor-1")
    assert (advice.input_tokens, advice.cache_read_tokens, advice.output_tokens) == (1800, 1000, 40)
    assert advice.project is not None
    assert advice.subject is not None
    assert (advice.project.slug, advice.subject.key, advice.tags) == ("web", "ann", {"team": "x"})


def test_passes_are_counted_once_however_often_the_call_is_sent(client: APIClient) -> None:
    assert post(client, call(), call())["duplicates"] == 1
    assert post(client, call())["duplicates"] == 1
    assert len(stored()) == 3


def test_other_advice_under_the_same_id_is_a_conflict_and_nothing_of_it_is_stored(
    client: APIClient,
) -> None:
    post(client, call())
    before = stored()
    other = {**USAGE, "iterations": [*USAGE["iterations"], ADVICE]}  # type: ignore[misc]
    answer = post(client, call(usage=other), body("e2"))
    assert (answer["conflicts"], answer["accepted"]) == (1, 1)
    assert stored() == {**before, "e2": ("claude-sonnet-4-5", Decimal("0.0045"), 0)}
    again = post(client, call("e3", usage=other))
    assert again["accepted"] == 1
    assert len(stored()) == 4 + 4


def test_within_a_batch_a_conflicting_call_leaves_no_advice_behind(client: APIClient) -> None:
    plain = {"input_tokens": 1000, "output_tokens": 100}
    answer = post(client, call(usage=plain), call(), body("e1#advisor-1"))
    assert (answer["accepted"], answer["conflicts"]) == (2, 1)
    assert list(stored()) == ["e1", "e1#advisor-1"]
    assert stored()["e1#advisor-1"][0] == "claude-sonnet-4-5"


def test_a_correction_replaces_the_call_with_its_passes(client: APIClient) -> None:
    post(client, call(), body("e10"))
    one = {**USAGE, "iterations": [ADVICE]}
    assert post(client, call("fixed", usage=one, corrects="e1"))["accepted"] == 1
    assert {name: state for name, (_, _, state) in stored().items()} == {
        "e1": 1,
        "e1#advisor-1": 1,
        "e1#advisor-2": 1,
        "e10": 0,
        "fixed": 0,
        "fixed#advisor-1": 0,
    }


def test_a_refused_correction_takes_its_passes_along(client: APIClient) -> None:
    answer = post(client, call(corrects="nobody"), body("e2"))
    assert (answer["rejected"], answer["accepted"]) == (1, 1)
    assert list(stored()) == ["e2"]
    assert post(client, call())["accepted"] == 1


@pytest.mark.parametrize(
    ("entry", "event_id", "code"),
    [
        ({**ADVICE, "output_tokens": "many"}, "e1", "unreadable_usage"),
        ({**ADVICE, "output_tokens": 3_000_000_000}, "e1", "out_of_range"),
        (ADVICE, "e" * 120, "too_long"),
    ],
)
def test_a_call_is_refused_with_its_passes(
    client: APIClient, entry: dict[str, Any], event_id: str, code: str
) -> None:
    answer = post(client, call(event_id, usage={**USAGE, "iterations": [entry]}), body("e2"))
    [receipt] = [r for r in answer["results"] if r["status"] == "rejected"]
    assert (receipt["event_id"], receipt["errors"][0]["code"]) == (event_id, code)
    assert list(stored()) == ["e2"]


def test_strict_handling_keeps_passes_out_with_their_call(client: APIClient) -> None:
    answer = post(client, call(), body("e2", input_tokens=-1), strict=True)
    assert (answer["accepted"], [r["event_id"] for r in answer["results"]]) == (0, ["e1", "e2"])
    assert stored() == {}


def test_advice_of_an_unknown_model_is_unpriced_without_harm_to_the_call(
    client_for: Callable[..., APIClient],
) -> None:
    client = client_for()
    unknown = {**ADVICE, "model": "nobody-knows"}
    answer = post(client, call(usage={**USAGE, "iterations": [unknown]}))
    assert (answer["accepted"], answer["unpriced"]) == (1, 0)
    assert stored()["e1#advisor-1"] == ("nobody-knows", None, 0)
