from datetime import UTC, datetime, timedelta

import pytest

from budgets.models import BudgetChange
from tests.budgets.budget_clients import CALL, Caller

pytestmark = pytest.mark.usefixtures("catalogue")


@pytest.fixture
def acme() -> Caller:
    return Caller()


def test_a_limit_is_raised_for_a_while(acme: Caller) -> None:
    made = acme.budget(limit="0.10")
    path = f"budgets/{made['id']}/raises"
    until = (datetime.now(UTC) + timedelta(hours=2)).isoformat()
    question = {**CALL, "amount": "0.50"}
    assert acme.post("budgets/check/", question)["decision"] == "block"

    granted = acme.post(path, {"limit": "1.00", "until": until, "reason": "release week"}, 201)

    assert (granted["limit"], granted["member"]) == ("1.0000000000", None)
    assert acme.post("budgets/check/", question)["decision"] == "allow"
    assert acme.get(f"budgets/{made['id']}/")["window"]["limit"] == "1.0000000000"
    assert [row["id"] for row in acme.get(f"{path}/")["results"]] == [granted["id"]]
    for _ in range(2):
        acme.ask("delete", f"{path}/{granted['id']}/", status=204)
    assert acme.post("budgets/check/", question)["decision"] == "block"
    acme.ask("delete", f"{path}/{granted['id'] + 1}/", status=404)
    assert BudgetChange.objects.filter(action="raise_ai_budget").count() == 2
    assert acme.faults("post", path, {"until": "2026-01-01T00:00:00Z", "limit": 1}) == [
        ("until", "invalid")
    ]
    far = {"until": "9999-12-31T23:59:59-12:00", "limit": 1}
    assert acme.faults("post", path, far) == [("until", "invalid")]
    assert acme.faults("post", path, {"until": until, "limit": -1}) == [("limit", "min_value")]
    assert acme.faults("post", path, {"limit": 1}) == [("until", "required")]


def test_a_limit_for_each_is_raised_for_one_of_them(acme: Caller) -> None:
    made = acme.budget(limit="0.10", per="subject")
    path, until = f"budgets/{made['id']}/raises/", (datetime.now(UTC) + timedelta(days=1))
    body = {"limit": None, "until": until.isoformat(), "member": "ann"}
    assert acme.faults("post", path, body) == [("member", "unknown_member")]
    acme.sent("e1", input_tokens=100_000)

    assert acme.post(path, body, 201)["member"] == "ann"

    for subject, decision in (("ann", "allow"), ("bob", "block")):
        question = {**CALL, "subject": subject, "amount": "0.50"}
        assert acme.post("budgets/check/", question)["decision"] == decision
