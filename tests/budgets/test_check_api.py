from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from budgets.models import Budget, Decision, DecisionCount, Reservation
from budgets.recording import count_tallies
from tests.budgets.budget_clients import CALL, Caller
from tests.config.site_data import staff
from usage.models import Project, UsageEvent

pytestmark = pytest.mark.usefixtures("catalogue")


@pytest.fixture
def acme() -> Caller:
    return Caller()


def test_a_call_that_fits_is_allowed_and_told_what_it_may_cost(acme: Caller) -> None:
    made = acme.budget(limit="1", period="day")

    # 100,000 tokens in and 10,000 out at 3 and 15 dollars a million.
    answer = acme.post(
        "budgets/check", {**CALL, "input_tokens": 100_000, "max_output_tokens": 10_000}
    )

    expected = {
        "decision": "allow", "estimated_cost": "0.4500000000", "currency": "USD",
        "binding": None, "retry_at": None,
    }  # fmt: skip
    assert {name: answer[name] for name in expected} == expected
    (tested,) = answer["budgets"]
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    assert tested == {
        "id": made["id"], "name": "month", "scope": "acme", "member": None, "enforcement": "hard",
        "measure": "cost", "period": "day", "start": today.isoformat(),
        "end": (today + timedelta(days=1)).isoformat(), "time_zone": "UTC",
        "limit": "1.0000000000", "spent": "0.0000000000", "reserved": "0.0000000000",
        "overage": "0.0000000000", "remaining": "1.0000000000", "percent": 0.0,
        "unpriced_events": 0, "amount": "0.4500000000", "decision": "allow",
    }  # fmt: skip
    assert UsageEvent.objects.count() + Reservation.objects.count() == 0
    assert Project.objects.count() == 0


def test_the_most_restrictive_budget_decides_and_says_until_when(acme: Caller) -> None:
    month = acme.budget(name="month", limit="0.20", contact="ops@acme.example")
    day = acme.budget(name="day", period="day", limit="0.10", scope={"project": "web"})
    soft = acme.budget(name="soft", enforcement="soft", limit="0.01")

    answer = acme.post("budgets/check/", {**CALL, "amount": "0.25"})

    assert (answer["decision"], answer["binding"]) == ("block", month["id"])
    found = [(each["id"], each["decision"]) for each in answer["budgets"]]
    assert found == [(month["id"], "block"), (day["id"], "block"), (soft["id"], "warn")]
    assert answer["retry_at"] == answer["budgets"][0]["end"]
    for words in ("AI call blocked.", "month", "$0.20", "$0.25", "ops@acme.example"):
        assert words in answer["message"]
    assert "resets on" not in answer["message"]
    assert acme.post("budgets/check/", {**CALL, "amount": "0.15"})["binding"] == day["id"]
    warned = acme.post("budgets/check/", {**CALL, "project": "api", "amount": "0.15"})
    assert (warned["decision"], warned["binding"], warned["retry_at"]) == ("warn", soft["id"], None)


def test_a_total_budget_that_is_used_up_has_no_time_to_try_again(acme: Caller) -> None:
    acme.budget(period="total", limit=0)
    answer = acme.post("budgets/check/", {**CALL, "amount": "0.01"})

    assert (answer["decision"], answer["retry_at"]) == ("block", None)
    assert answer["budgets"][0]["end"] is None


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        ({"colour": 1}, ("colour", "unknown_field")),
        ({"input_tokens": -1, "model": "m"}, ("input_tokens", "negative")),
        ({"input_tokens": 5}, ("model", "required")),
        ({"amount": "-1"}, ("amount", "out_of_range")),
        ({"amount": "x"}, ("amount", "not_a_number")),
        ({"amount": "0.00000000001"}, ("amount", "too_precise")),
        ({"event_id": "e1"}, ("event_id", "unknown_field")),
        ({"organization": "globex"}, ("organization", "foreign_organization")),
        ({"ttl_seconds": 0}, ("ttl_seconds", "too_small")),
        ({"on_expiry": "explode"}, ("on_expiry", "not_a_choice")),
    ],
)
def test_a_question_that_cannot_be_answered_is_refused_by_field(
    acme: Caller, body: dict[str, Any], fault: tuple[str, str]
) -> None:
    for path in ("budgets/check/", "reservations/"):
        assert acme.faults("post", path, body) == [fault]


def test_a_question_that_nothing_could_keep_is_refused(acme: Caller) -> None:
    nul, deep = rb'{"reservation_key": "\u0000"}', rb'{"model": "m", "usage": {"a": ["\u0000"]}}'
    for body in (nul, deep, b'{"amount": 1e99999999999999999999}'):
        for path in ("budgets/check/", "reservations/"):
            answer = acme.client.post(f"/api/v1/{path}", body, content_type="application/json")
            assert answer.status_code == 400


def test_a_key_of_the_site_names_the_organization(acme: Caller) -> None:
    site = Caller(None)
    acme.budget(limit="0.10")
    Caller("globex").budget(limit="9", scope={})
    question = {**CALL, "amount": "0.5"}

    for path in ("budgets/check/", "reservations/"):
        assert site.faults("post", path, question) == [("organization", "required")]
        assert site.faults("post", path, {**question, "organization": "nowhere"}) == [
            ("organization", "unknown_organization")
        ]
    found = {
        slug: site.post("budgets/check/", {**question, "organization": slug})["decision"]
        for slug in ("acme", "globex")
    }
    assert found == {"acme": "block", "globex": "allow"}


def test_a_budget_of_the_site_decides_without_showing_its_figures(acme: Caller) -> None:
    site = Caller(None)
    whole = site.budget(name="secret plan", scope={"organization": None}, limit="0.7391")
    question = {**CALL, "amount": "1.00"}

    answer = acme.post("budgets/check/", question)
    denied = acme.post("reservations/", question, 402)
    (kept, _) = acme.get("decisions/")["results"]

    for told in (answer, denied, kept, acme.get(f"decisions/{kept['id']}/")):
        assert (told["decision"], told["binding"]) == ("block", None)
        assert "secret" not in str(told)
        assert "7391" not in str(told)
        assert told["message"] == "AI call blocked. A budget of the whole site is used up."
        assert told["budgets"][0]["name"] == "a budget of the whole site"
        assert told["retry_at"] == told["budgets"][0]["end"]
    seen = site.post("budgets/check/", {**question, "organization": "acme"})
    assert (seen["binding"], seen["budgets"][0]["name"]) == (whole["id"], "secret plan")
    assert "$0.7391" in seen["message"]


def test_what_was_blocked_or_warned_about_is_explained_and_the_rest_counted(
    acme: Caller,
) -> None:
    made = acme.budget(limit="1.00")
    other = Caller("globex")
    other.budget(scope={}, limit=0)
    other.post("budgets/check/", CALL)
    for amount in ("0.10", "0.10", "0.85", "1.20"):
        acme.post("budgets/check/", {**CALL, "amount": amount})
    acme.post("reservations/", {**CALL, "amount": "2.00"}, 402)
    count_tallies()

    (day,) = acme.get("decisions/counts/")["results"]
    assert day == {"date": f"{datetime.now(UTC):%Y-%m-%d}", "allow": 2, "warn": 1, "block": 2}
    assert acme.get("decisions/counts/?from=2026-01-01&to=2026-02-01")["results"] == []
    listed = acme.get("decisions/")["results"]
    assert [row["decision"] for row in listed] == ["block", "block", "warn"]
    assert [row["source"] for row in listed] == ["reservation", "check", "check"]
    assert listed[0] == acme.get(f"decisions/{listed[0]['id']}/")
    assert (listed[0]["call"]["amount"], listed[0]["binding"]) == ("2.00", made["id"])
    assert (listed[0]["project"], listed[0]["subject"]) == ("web", "ann")
    assert acme.get(f"budgets/{made['id']}/decisions/")["results"] == listed
    assert acme.get(f"decisions/?budget={made['id']}&decision=warn")["results"] == listed[2:]
    assert acme.get("decisions/?project=api")["results"] == []
    page = acme.get("decisions/?limit=2")
    rest = acme.get(page["next"].removeprefix("http://testserver/api/v1/"))
    assert rest["results"] == listed[2:]
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).date()
    assert acme.get(f"decisions/?from={tomorrow}")["results"] == []
    other.get(f"decisions/{listed[0]['id']}/", 404)
    for bad in ("decisions/x/", f"decisions/{10**30}/"):
        acme.get(bad, 404)
    acme.get("decisions/?budget=x", 400)
    assert (Decision.objects.count(), DecisionCount.objects.count()) == (4, 4)


def test_asking_needs_the_scope_check(acme: Caller) -> None:
    question = {**CALL, "amount": "1"}
    checker, reader = Caller("acme", "check"), Caller("acme", "read", "manage", "ingest")
    checker.post("budgets/check/", question)
    reader.post("budgets/check/", question, 403)
    reader.post("reservations/", question, 403)
    checker.get("decisions/", 403)
    session = Client()
    session.force_login(staff("vera", "acme", role="admin"))
    for path in ("budgets/check/", "reservations/"):
        assert session.post(f"/api/v1/{path}", question, "application/json").status_code == 403
        assert session.get("/api/v1/decisions/").status_code == 200
        assert Client().post(f"/api/v1/{path}", question, "application/json").status_code == 401


def test_an_estimate_of_an_unpriced_model_follows_the_budgets_rule(acme: Caller) -> None:
    question = {**CALL, "model": "nobody-knows-9", "input_tokens": 1_000_000}
    made = acme.budget(limit="1000")

    def answer(unpriced: str) -> Any:
        acme.ask("patch", f"budgets/{made['id']}/", {"unpriced": unpriced})
        return acme.post("budgets/check/", question)

    assert (answer("allow")["decision"], answer("allow")["estimated_cost"]) == ("allow", None)
    assert answer("block")["decision"] == "block"
    assert answer("block")["budgets"][0]["amount"] is None
    assert Decimal(answer("estimate")["estimated_cost"]) > 3
    assert Budget.objects.get().unpriced == "estimate"
