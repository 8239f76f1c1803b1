from decimal import Decimal
from typing import Any

import pytest
from rest_framework.test import APIClient

from tests.usage.conftest import event
from usage.ingest.pipeline import Caller
from usage.ingest.values import FieldError, Rejection
from usage.models import UsageEvent
from usage.sightings import intake
from usage.sightings.naming import Name, find_names, forget_names, register_names
from usage.sightings.values import Sighting, Taken
from usage.verification import verify

pytestmark = pytest.mark.django_db


def seen(event_id: str, *names: str, **fields: Any) -> Sighting:
    around = {name: fields.pop(name) for name in ("span", "inside") if name in fields}
    return Sighting(event(event_id, **fields), names, **around)


def take(caller: Caller, *sightings: Sighting | Rejection) -> Taken:
    return intake.take_in(sightings, caller)


def counted() -> list[tuple[str, int, int]]:
    events = UsageEvent.objects.filter(state=UsageEvent.State.COUNTED).order_by("id")
    return [
        (e.event_id.partition("+")[0], e.input_tokens, e.cache_read_tokens)
        for e in events
        if e.input_tokens
    ]


def test_a_call_told_twice_by_the_same_source_counts_once(caller: Caller) -> None:
    first = take(caller, seen("resp_1"), seen("resp_1"), seen("resp_2"))
    again = take(caller, seen("resp_1"), seen("resp_2"))
    assert (first.new, first.repeats) == (2, 1)
    assert (again.new, again.repeats, again.corrected) == (0, 2, 0)
    assert counted() == [("resp_1", 1000, 0), ("resp_2", 1000, 0)]


def test_sources_that_share_any_name_tell_of_one_call(caller: Caller) -> None:
    take(caller, seen("req_1"))
    second = take(caller, seen("msg_1", "req_1"))
    third = take(caller, seen("msg_1"))
    assert (second.new, second.repeats, third.repeats) == (0, 1, 1)
    assert counted() == [("req_1", 1000, 0)]


def test_one_that_tells_more_corrects_what_is_stored_and_no_more_the_second_time(
    caller: Caller,
) -> None:
    take(caller, seen("r", subject=None))
    fuller = take(caller, seen("r", cache_read_tokens=800))
    again = take(caller, seen("r", cache_read_tokens=800), seen("r", subject=None))
    [now] = UsageEvent.objects.filter(state=UsageEvent.State.COUNTED)
    assert (fuller.new, fuller.corrected, again.corrected, again.repeats) == (0, 1, 0, 2)
    assert (now.cache_read_tokens, now.subject and now.subject.key) == (800, "ann")
    assert fuller.cost == Decimal("-0.00216")  # 800 tokens at 0.30, not at 3


def test_calls_counted_apart_become_one_when_a_source_knows_both_names(caller: Caller) -> None:
    take(caller, seen("req_1"), seen("msg_1", cache_read_tokens=500))
    joined = take(caller, seen("msg_1", "req_1"))
    assert counted() == [("msg_1", 1000, 500)]
    assert (joined.new, joined.input_tokens) == (0, -1000)
    assert take(caller, seen("req_1"), seen("msg_1", "req_1")).input_tokens == 0
    assert not verify().drifts


def test_a_name_that_another_process_registers_meanwhile_is_seen_after_storing(
    caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    register = register_names

    def interrupted(organization_id: int, leading: dict[Name, str], *until: Any) -> None:
        register(organization_id, leading, *until)
        monkeypatch.setattr(intake, "register_names", register)
        take(caller, seen("msg_1", "req_1"))

    monkeypatch.setattr(intake, "register_names", interrupted)
    take(caller, seen("req_1"))
    assert [tokens for _, tokens, _ in counted()] == [1000]


def test_a_span_around_a_counted_call_repeats_it_in_whatever_order_they_come(
    caller: Caller,
) -> None:
    take(caller, seen("a-inner", span="a-inner", inside="a-outer"))
    late = take(caller, seen("a-outer", span="a-outer"))
    take(caller, seen("b-outer", span="b-outer"))
    take(caller, seen("b-inner", span="b-inner", inside="b-outer"))
    assert (late.new, late.repeats) == (0, 1)
    assert [name for name, _, _ in counted()] == ["a-inner", "b-inner"]


def test_embeddings_inside_a_chat_are_calls_of_their_own(caller: Caller) -> None:
    take(caller, seen("inner", span="inner", inside="outer", operation="embeddings"))
    take(caller, seen("outer", span="outer", operation="chat"))
    assert len(counted()) == 2


def test_what_is_refused_is_told_by_its_place_and_harms_no_other(caller: Caller) -> None:
    taken = take(
        caller,
        Rejection([FieldError("usage", "unreadable_usage", "?")]),
        seen("good"),
        seen("bad", cache_read_tokens=2000),
        seen("foreign", organization="other"),
    )
    assert {index: errors[0].code for index, errors in taken.refused.items()} == {
        0: "unreadable_usage", 2: "part_larger_than_whole", 3: "foreign_organization",
    }  # fmt: skip
    assert counted() == [("good", 1000, 0)]


def test_an_event_is_found_by_every_name_of_its_call(caller: Caller, client: APIClient) -> None:
    take(caller, seen("msg_1", "req_1"))
    assert client.get("/api/v1/events/req_1/").json()["event_id"] == "msg_1"
    assert client.get("/api/v1/events/req_2/").status_code == 404


def test_names_of_spans_are_forgotten_and_those_of_calls_are_not(caller: Caller) -> None:
    tenant = caller.tenancy.own
    assert tenant is not None
    now = event().occurred_at
    register_names(tenant.id, {Name("span", "around chat"): "e"}, now)
    register_names(tenant.id, {Name("call"): "e"})
    assert forget_names(now.replace(hour=13)) == 1
    assert find_names(tenant.id, [Name("call"), Name("span", "around chat")]) == {Name("call"): "e"}
