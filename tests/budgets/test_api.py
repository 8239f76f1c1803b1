from datetime import UTC, datetime
from typing import Any

import pytest
from rest_framework.test import APIClient

from tests.budgets.budget_values import budget
from tests.config.site_data import event, send
from usage.keys import create_key


@pytest.fixture
def ask(usage: None) -> Any:
    # 100,000 tokens at 3 dollars a million.
    send([event("now", datetime.now(UTC), project="web", subject="ann", input_tokens=100_000)])
    _, secret = create_key("acme", ("read",), "reader")
    client = APIClient(headers={"Authorization": f"Bearer {secret}"})

    def get(path: str) -> Any:
        answer = client.get(f"/api/v1/{path}")
        assert answer.status_code == 200, answer.content
        return answer.json()

    return get


def test_a_projects_summary_tells_its_monthly_budget(ask: Any) -> None:
    assert ask("projects/web/summary/")["budget"] is None
    budget(project="web", limit="0.01", period="day")
    mine = budget(project="web", limit="4")
    budget(limit="1")

    found = ask("projects/web/summary/")["budget"]

    assert (found["id"], found["name"], found["currency"]) == (mine.pk, "acme / web", "USD")
    now = datetime.now(UTC)
    assert found["start"] == f"{now:%Y-%m}-01"
    assert {name: part for name, part in found["scope"].items() if part} == {
        "organization": "acme", "project": "web",
    }  # fmt: skip
    assert found["period"] == "month"


def test_a_past_month_is_held_against_the_same_limit(ask: Any) -> None:
    budget(project="web", limit="4")

    found = ask("projects/web/summary/?month=2026-10")["budget"]

    assert (found["start"], found["end"]) == ("2026-10-01", "2026-11-01")
    assert (found["spent"], found["percent"], found["state"]) == ("0.0000000000", 0, "ok")


def test_summaries_list_the_limits_of_what_they_are_about(ask: Any) -> None:
    budget(limit="0.25", period="day")
    budget(project="web", limit="0.375", period="day", name="Web")
    budget("globex", limit="9")
    expected = [
        ("acme", "0.2500000000", "0.3000000000", "-0.0500000000", 120, "over"),
        ("Web", "0.3750000000", "0.3000000000", "0.0750000000", 80, "warn"),
    ]
    names = ("name", "limit", "spent", "remaining", "percent", "state")

    for path in ("summary/", "organizations/acme/summary/", "summary/?organization=acme"):
        limits = ask(path)["effective_limits"]
        assert [tuple(limit[name] for name in names) for limit in limits] == expected
    (own,) = ask("subjects/ann/")["effective_limits"]
    assert own["name"] == "acme"


def test_a_site_key_sees_the_limits_of_every_organization(ask: Any) -> None:
    budget()
    budget("globex")
    _, secret = create_key(None, ("read",), "site")
    client = APIClient(headers={"Authorization": f"Bearer {secret}"})

    def names(query: str) -> set[str]:
        found = client.get(f"/api/v1/summary/{query}").json()["effective_limits"]
        return {limit["scope"]["organization"] for limit in found}

    assert names("") == {"acme", "globex"}
    assert names("?organization=globex") == {"globex"}
