from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from budgets.models import BudgetWindow, Reservation
from budgets.reservations.ending import expire_due
from tests.budgets.budget_clients import CALL, Caller
from tests.config.site_data import staff
from usage.models import UsageEvent

pytestmark = pytest.mark.usefixtures("catalogue")

TOKENS = {**CALL, "input_tokens": 100_000, "max_output_tokens": 10_000}
"""Up to 0.45 dollars."""


@pytest.fixture
def acme() -> Caller:
    return Caller()


@pytest.fixture
def budget(acme: Caller) -> Any:
    return acme.budget(limit="1.00")


def held(caller: Caller, **fields: Any) -> Any:
    return caller.post("reservations/", {**TOKENS, **fields}, 201)


def figures() -> tuple[str, str, str]:
    window = BudgetWindow.objects.get()
    return f"{window.spent:.2f}", f"{window.reserved:.2f}", f"{window.overage:.2f}"


def event(event_id: str = "e1", **fields: Any) -> dict[str, Any]:
    now = datetime.now(UTC).isoformat()
    return {"event_id": event_id, "occurred_at": now, **CALL, **fields}


def test_what_a_call_may_cost_is_held_until_its_event_settles_it(acme: Caller, budget: Any) -> None:
    made = held(acme, reservation_key="k1", action="review")

    expected = {
        "status": "held", "reservation_key": "k1", "amount": "0.4500000000", "tokens": 110_000,
        "currency": "USD", "cost": None, "event_id": None, "estimated": False, "project": "web",
        "action": "review", "decision": "allow", "binding": None, "on_expiry": "release",
    }  # fmt: skip
    assert {name: made[name] for name in expected} == expected
    assert made["budgets"][0]["id"] == budget["id"]
    ends = datetime.fromisoformat(made["expires_at"]) - datetime.fromisoformat(made["held_at"])
    assert ends == timedelta(seconds=300)
    assert figures() == ("0.00", "0.45", "0.00")
    sent = event(input_tokens=50_000, output_tokens=2_000)

    for status in ("accepted", "duplicate"):
        settled = acme.post(f"reservations/{made['id']}/settle", sent)
        assert (settled["status"], settled["cost"]) == ("settled", "0.1800000000")
        assert (settled["event"]["status"], settled["event_id"]) == (status, "e1")
        assert figures() == ("0.18", "0.00", "0.00")
    assert acme.get(f"reservations/{made['id']}/")["ended_at"]
    assert acme.get("events/e1/")["action"] == "review"
    assert acme.faults("post", f"reservations/{made['id']}/settle/", event("e2"), 409) == [
        ("reservation", "wrong_state")
    ]
    acme.post(f"reservations/{made['id']}/release/", {}, 409)
    acme.post(f"reservations/{made['id']}/extend/", {}, 409)


def test_the_same_key_finds_the_same_reservation_and_another_call_is_refused(
    acme: Caller, budget: Any
) -> None:
    made = held(acme, reservation_key="k1")
    again = acme.post("reservations", {**TOKENS, "reservation_key": "k1"})

    assert (again["id"], again["decision"], again["budgets"]) == (made["id"], "allow", [])
    taken = {**TOKENS, "reservation_key": "k1", "project": "api"}
    assert acme.faults("post", "reservations/", taken, 409) == [("reservation_key", "taken")]
    assert len({held(acme)["reservation_key"], made["reservation_key"]}) == 2
    assert Reservation.objects.count() == 2
    warned = acme.budget(name="soft", enforcement="soft", limit="0.01", scope={"team": "core"})
    for status in (201, 200):
        body = {**CALL, "team": "core", "amount": "0.05", "reservation_key": "k2"}
        answer = acme.post("reservations/", body, status)
        assert (answer["decision"], answer["binding"]) == ("warn", warned["id"])
        assert answer["budgets"][0]["id"] == warned["id"]


def test_what_does_not_fit_holds_nothing_and_says_why(acme: Caller, budget: Any) -> None:
    held(acme)
    held(acme)
    denied = acme.post("reservations/", {**TOKENS, "reservation_key": "k3"}, 402)

    assert denied["type"] == "urn:tallyman:problem:budget_exceeded"
    assert (denied["decision"], denied["binding"]) == ("block", budget["id"])
    assert denied["retry_at"] == denied["budgets"][0]["end"]
    assert denied["detail"] == denied["message"]
    assert denied["budgets"][0]["reserved"] == "0.9000000000"
    assert figures() == ("0.00", "0.90", "0.00")
    # The key is free: what was denied was never held.
    assert acme.post("reservations/", {**CALL, "amount": "0.1", "reservation_key": "k3"}, 201)


def test_releasing_and_extending(acme: Caller, budget: Any) -> None:
    made = held(acme)
    path = f"reservations/{made['id']}"
    longer = acme.post(f"{path}/extend/", {"ttl_seconds": 3600})
    assert longer["expires_at"] > made["expires_at"]
    assert acme.post(f"{path}/extend", {"ttl_seconds": 1})["expires_at"] == longer["expires_at"]
    assert acme.faults("post", f"{path}/extend/", {"ttl_seconds": 0})[0][0] == "ttl_seconds"
    assert acme.faults("post", f"{path}/release/", {"why": 1}) == [("why", "unknown_field")]

    for _ in range(2):
        assert acme.post(f"{path}/release/")["status"] == "released"

    assert figures() == ("0.00", "0.00", "0.00")
    for action in ("settle", "extend"):
        body = event() if action == "settle" else {}
        acme.post(f"{path}/{action}/", body, 409)
    assert UsageEvent.objects.count() == 0


def test_a_call_whose_usage_nobody_told_settles_at_its_estimate_until_somebody_does(
    acme: Caller, budget: Any
) -> None:
    path = f"reservations/{held(acme)['id']}/settle/"
    for body in ({"estimated": True, "status": "error"}, {"status": "error"}):
        settled = acme.post(path, body)
        assert (settled["cost"], settled["estimated"]) == ("0.4500000000", True)
        assert figures() == ("0.45", "0.00", "0.00")

    acme.sent("e1")
    another = {"corrects": "e1", "input_tokens": 10_000}
    assert acme.faults("post", path, another, 409) == [("reservation", "wrong_state")]

    told = acme.post(path, {"input_tokens": 10_000, "output_tokens": 0})

    assert (told["cost"], told["estimated"]) == ("0.0300000000", False)
    assert figures() == ("0.03", "0.00", "0.00")
    unknown = acme.post("reservations/", {**CALL, "amount": "0.20"}, 201)
    assert acme.faults("post", f"reservations/{unknown['id']}/settle/", {}) == [("", "required")]
    assert figures() == ("0.03", "0.20", "0.00")
    told = acme.post(f"reservations/{unknown['id']}/settle/", {"usage": {"input_tokens": 50_000}})
    assert told["cost"] == "0.1500000000"


def test_what_nobody_ends_expires_and_can_be_settled_yet(acme: Caller, budget: Any) -> None:
    first = held(acme, reservation_key="k1")
    kept = held(acme, reservation_key="k2", on_expiry="settle")
    assert acme.faults("post", "reservations/", {"amount": 1, "on_expiry": "settle"}) == [
        ("on_expiry", "without_estimate")
    ]

    assert expire_due(datetime.now(UTC) + timedelta(hours=1)) == 2

    states = {row["id"]: row["status"] for row in acme.get("reservations/")["results"]}
    assert states == {first["id"]: "expired", kept["id"]: "settled"}
    assert acme.post("reservations/", {**TOKENS, "reservation_key": "k1"})["status"] == "expired"
    acme.post(f"reservations/{first['id']}/extend/", {}, 409)
    late = acme.post(f"reservations/{first['id']}/settle/", event(input_tokens=190_000))
    assert (late["status"], late["cost"]) == ("settled", "0.5700000000")
    # 1.02 was used of 1.00.
    assert figures() == ("1.00", "0.00", "0.02")


def test_an_event_that_names_a_reservation_settles_it(acme: Caller, budget: Any) -> None:
    first, second, third = (held(acme, input_tokens=1_000)["id"] for _ in range(3))
    acme.post(f"reservations/{third}/release/")

    single = acme.post("events/", event("e1", input_tokens=10, reservation=first))
    batch = acme.post(
        "events/",
        [
            event("e2", input_tokens=10, reservation=second.upper()),
            event("e3", reservation="not-there"),
            event("e4", reservation=third),
            event("e5", reservation=first),
            event("e6"),
        ],
    )  # fmt: skip

    assert single["accepted"] == 1
    found = [(r["status"], [e["code"] for e in r.get("errors", ())]) for r in batch["results"]]
    assert found == [
        ("accepted", []), ("rejected", ["unknown_reservation"]), ("conflict", ["wrong_state"]),
        ("conflict", ["wrong_state"]), ("accepted", []),
    ]  # fmt: skip
    assert acme.get(f"reservations/{second}/")["event_id"] == "e2"
    assert acme.faults("post", "events/", event("e7", reservation=third), 409)[0] == (
        "reservation", "wrong_state"
    )  # fmt: skip
    assert acme.faults("post", "events/", event("e7", reservation="x"))[0] == (
        "reservation", "unknown_reservation"
    )  # fmt: skip
    foreign = Caller("globex").faults("post", "events/", event("e8", reservation=first))
    assert foreign == [("reservation", "unknown_reservation")]


def test_an_event_that_cannot_be_stored_leaves_the_reservation_held(
    acme: Caller, budget: Any
) -> None:
    path = f"reservations/{held(acme)['id']}/settle/"
    refused = acme.faults("post", path, event(input_tokens=-5))
    assert refused == [("input_tokens", "negative")]
    assert acme.faults("post", path, {"colour": 1, "input_tokens": 1}) == [
        ("colour", "unknown_field")
    ]
    acme.post("events/", event("taken", input_tokens=1))
    assert acme.faults("post", path, event("taken", input_tokens=2), 409) == [
        ("event_id", "conflict")
    ]
    assert figures() == ("0.00", "0.45", "0.00")
    for body in (b"[]", b"{"):
        answer = acme.client.post(f"/api/v1/{path}", body, content_type="application/json")
        assert answer.status_code == 400
    assert acme.post(path, {"input_tokens": 100})["event_id"].startswith("reservation-")


def test_others_reservations_are_not_there(acme: Caller, budget: Any) -> None:
    made, site, other = held(acme)["id"], Caller(None), Caller("globex")
    unknown = "00000000-0000-4000-8000-000000000000"
    for caller, reservation in ((other, made), (acme, unknown), (acme, "x")):
        caller.get(f"reservations/{reservation}/", 404)
        for action in ("settle", "release", "extend"):
            caller.post(f"reservations/{reservation}/{action}/", {}, 404)
    assert other.get("reservations/")["results"] == []
    (seen,) = site.get("reservations/?organization=acme&status=held&project=web")["results"]
    assert seen["id"] == made
    assert site.get("reservations/?status=settled")["results"] == []
    site.get("reservations/?status=lost", 400)
    assert site.post(f"reservations/{made}/settle/", event(input_tokens=5))["status"] == "settled"


def test_the_scope_check_reserves_and_ingest_may_settle(acme: Caller, budget: Any) -> None:
    made = held(Caller("acme", "check"))["id"]
    reader, ingester = Caller("acme", "read", "manage"), Caller("acme", "ingest")
    session = Client()
    session.force_login(staff("vera", "acme", role="admin"))
    for action in ("settle", "release", "extend"):
        path = f"reservations/{made}/{action}/"
        reader.post(path, {}, 403)
        assert session.post(f"/api/v1/{path}", {}, "application/json").status_code == 403
    assert session.get(f"/api/v1/reservations/{made}/").json()["id"] == made
    for caller in (reader, Caller("acme", "check")):
        caller.get(f"reservations/{made}/")
        caller.get("reservations/")
    ingester.get("reservations/", 403)
    ingester.post(f"reservations/{made}/settle/", event(input_tokens=5))
