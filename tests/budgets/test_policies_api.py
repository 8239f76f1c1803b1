from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from budgets.models import Budget, BudgetChange
from pricing.exchange import DatedRate, set_rates
from pricing.publishing import Provenance
from tests.budgets.budget_clients import CALL, Caller
from usage.models import Team

pytestmark = pytest.mark.usefixtures("catalogue")

NONE = {"daily_limit_eur": None, "daily_limit_micro_eur": None}


@pytest.fixture
def acme() -> Caller:
    set_rates([DatedRate("EUR", "USD", date(2020, 1, 1), Decimal("1.10"))], Provenance("test"))
    caller = Caller()
    event = {"event_id": "e1", "occurred_at": datetime.now(UTC).isoformat(), **CALL, "team": "core"}
    caller.post("events/", event)
    Team.objects.update(name="The core team")
    return caller


def test_policies_are_set_for_organizations_groups_users_and_projects(acme: Caller) -> None:
    limits = {"monthly_limit_eur": "12.50", "warn_threshold_pct": 65}
    paths = {
        "organization": ("org", "Organisation", "set_org_ai_cost_policy"),
        "groups/core": ("group", "The core team", "set_group_ai_cost_policy"),
        "users/ann": ("user", "ann", "set_user_ai_cost_policy"),
        "projects/web": ("project", "web", "set_ai_budget"),
    }
    for path, (kind, name, action) in paths.items():
        for slash in ("", "/"):
            entry = acme.ask("put", f"policies/{path}{slash}", limits)
            expected = {
                "scope_type": kind, "scope_name": name, "organization": "acme", "currency": "EUR",
                "monthly_limit_eur": "12.5000000000", "monthly_limit_micro_eur": 12_500_000,
                "warn_threshold_pct": "65", **NONE,
            }  # fmt: skip
            assert {key: entry[key] for key in expected} == expected
        change = BudgetChange.objects.latest("pk")
        assert (change.action, change.actor[:17]) == (action, "API key acme key ")
    assert Budget.objects.count() == 8
    listed = acme.get("policies/")["results"]
    assert [entry["scope_type"] for entry in listed] == ["org", "group", "project", "user"]
    assert (listed[0]["scope_id"], listed[1]["scope_id"]) == (None, Team.objects.get().pk)
    assert Caller("globex").get("policies/")["results"] == []
    assert Caller(None).get("policies/?organization=acme")["results"] == listed


@pytest.mark.parametrize(
    ("body", "limit"),
    [
        ({}, None),
        ({"daily_limit_eur": None, "daily_limit_micro_eur": None}, None),
        ({"daily_limit_eur": 0}, "0"),
        ({"daily_limit_micro_eur": 0}, "0"),
        ({"daily_limit_eur": 3, "daily_limit_micro_eur": 0}, "0"),
        ({"daily_limit_eur": "0.10"}, "0.1"),
        ({"daily_limit_eur": 9, "daily_limit_micro_eur": 1_500_001}, "1.500001"),
        ({"daily_limit": "7", "currency": "USD"}, "7"),
    ],
)
def test_no_limit_and_a_limit_of_nothing_are_the_same_however_they_are_said(
    acme: Caller, body: dict[str, Any], limit: str | None
) -> None:
    entry = acme.ask("put", "policies/organization/", body)
    assert entry["daily_limit"] == (None if limit is None else f"{Decimal(limit):.10f}")
    assert entry["monthly_limit"] is None
    stored = Budget.objects.get(period="day").limit
    assert stored == (None if limit is None else Decimal(limit))


def test_faults_of_policies_are_told_by_field(acme: Caller) -> None:
    path = "policies/users/ann/"
    for body, fault in (
        ({"daily_limit_eur": -1}, ("daily_limit_eur", "min_value")),
        ({"daily_limit_micro_eur": -1}, ("daily_limit_micro_eur", "negative")),
        ({"monthly_limit": "NaN"}, ("monthly_limit", "invalid")),
        ({"warn_threshold_pct": 0}, ("warn_threshold_pct", "min_value")),
        ({"warn": 1}, ("warn", "unknown_field")),
        ({"daily_limit_eur": 1, "currency": "USD"}, ("currency", "contradiction")),
        ({"daily_limit": 1, "currency": "XYZ"}, ("currency", "invalid")),
    ):
        assert acme.faults("put", path, body) == [fault]
    for missing in ("groups/none", "users/eve", "projects/a%00b", "organization/?organization=x"):
        acme.ask("put", f"policies/{missing}", {}, 404)
    assert Caller(None).ask("put", f"{path}?organization=acme", {})["scope_name"] == "ann"
    Caller(None).ask("put", path, {}, 404)
    Caller("globex").ask("put", f"{path}?organization=acme", {}, 404)
    Caller("acme", "read", "check", "ingest").ask("put", path, {}, 403)
    assert Budget.objects.count() == 2


def test_quotas_of_another_system_become_the_policy(acme: Caller) -> None:
    path = "organizations/acme/quotas/"
    quotas = {
        "llm_daily_cost_limit_eur": 8.03, "llm_monthly_cost_limit_micro_eur": 40_000_000,
        "llm_cost_warn_threshold_pct": 70, "seats": 12,
    }  # fmt: skip

    entry = acme.ask("put", path, quotas)["policy"]

    assert (entry["daily_limit_eur"], entry["monthly_limit_eur"]) == (
        "8.0300000000", "40.0000000000"
    )  # fmt: skip
    assert entry["warn_threshold_pct"] == "70"
    assert acme.ask("put", path, {"llm_daily_cost_limit_eur": 0})["policy"] is None
    assert acme.get("policies/")["results"] == [entry]
    acme.ask("put", "organizations/globex/quotas/", quotas, 404)
    Caller("acme", "read").ask("put", path, quotas, 403)


def test_a_projects_monthly_budget_is_set_and_shown_in_its_summary(acme: Caller) -> None:
    made = acme.ask("put", "projects/web/budget", {"monthly_limit": "150.00"})
    again = acme.ask("put", "projects/web/budget/", {"monthly_limit": 0.25})

    assert (made["limit"], again["limit"]) == ("150.0000000000", "0.2500000000")
    assert (made["id"], made["period"], made["enforcement"]) == (again["id"], "month", "soft")
    shown = acme.get("projects/web/summary/")["budget"]
    assert (shown["id"], shown["limit"], shown["percent"]) == (made["id"], "0.2500000000", 0)
    cleared = acme.ask("put", "projects/web/budget/", {"monthly_limit": None})
    assert cleared["limit"] is None
    acme.ask("put", "projects/none/budget/", {"monthly_limit": 1}, 404)
    assert acme.faults("put", "projects/web/budget/", {}) == [("monthly_limit", "required")]
    assert acme.faults("put", "projects/web/budget/", {"monthly_limit": -1}) == [
        ("monthly_limit", "min_value")
    ]
