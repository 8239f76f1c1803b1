from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from budgets.models import Budget, BudgetChange
from budgets.policies import Policy, PolicyEntry, ScopeType, limit_of, read_policies, set_policy
from budgets.quotas import sync_quotas
from pricing.exchange import DatedRate, set_rates
from pricing.publishing import Provenance
from tests.budgets.budget_values import ACTOR
from usage.models import Organization, Subject, Team
from usage.organizations import ensure_organization
from usage.selectors.access import EVERYTHING, NOTHING, Viewer


@pytest.fixture
def acme(catalogue: None) -> Organization:
    return ensure_organization("acme")


def dollars(daily: str | None, monthly: str | None, percent: int = 80) -> Policy:
    return Policy(amount(daily), amount(monthly), "USD", Decimal(percent))


def amount(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


def policies(viewer: Viewer = EVERYTHING) -> list[tuple[str, str, Decimal | None, Decimal | None]]:
    return [
        (e.scope_type.value, e.scope_name, e.policy.daily_limit, e.policy.monthly_limit)
        for e in read_policies(viewer)
    ]


def test_policies_are_put_listed_by_scope_and_audited(acme: Organization) -> None:
    ann = Subject.objects.create(organization=acme, key="ann", email="ann@example.org")
    team = Team.objects.create(organization=acme, slug="core", name="Core team")
    set_policy(ScopeType.USER, acme, dollars("1", None), ACTOR, scope="ann")
    set_policy(ScopeType.GROUP, acme, dollars(None, "50"), ACTOR, scope=team.pk)
    set_policy(ScopeType.ORGANIZATION, acme, dollars("10", "200", 70), ACTOR)
    entry = set_policy(ScopeType.USER, acme, dollars("2", "0"), ACTOR, scope=ann.pk)

    assert policies() == [
        ("org", "Organisation", Decimal(10), Decimal(200)),
        ("group", "Core team", None, Decimal(50)),
        ("user", "ann@example.org", Decimal(2), Decimal(0)),
    ]
    assert entry == read_policies(EVERYTHING, "acme")[-1]
    assert entry.scope_id == ann.pk
    assert read_policies(EVERYTHING)[0].policy.warn_percent == Decimal(70)
    assert policies(NOTHING) == []
    assert Budget.objects.count() == 6
    assert {b.enforcement for b in Budget.objects.all()} == {"soft"}
    actions = [change.action for change in BudgetChange.objects.order_by("pk")]
    assert actions == (
        ["set_user_ai_cost_policy"] * 2 + ["set_group_ai_cost_policy"] * 2
        + ["set_org_ai_cost_policy"] * 2 + ["set_user_ai_cost_policy"] * 2
    )  # fmt: skip
    last = BudgetChange.objects.first()
    assert last is not None
    assert last.after["scope"]["subject"][0] == ann.pk
    assert last.actor == "tests"


def test_a_policy_of_nobody_or_in_an_unknown_currency_is_refused(acme: Organization) -> None:
    with pytest.raises(ValidationError, match="acme has no user 'bob'"):
        set_policy(ScopeType.USER, acme, dollars("1", "2"), ACTOR, scope="bob")
    with pytest.raises(ValidationError, match="No exchange rate from XAU"):
        set_policy(ScopeType.ORGANIZATION, acme, Policy(Decimal(1), currency="XAU"), ACTOR)
    assert not Budget.objects.exists()


def test_millionths_win_over_an_amount_and_stay_exact() -> None:
    assert limit_of(8_030_000, Decimal(1)) == Decimal("8.03")
    assert limit_of(0, Decimal(1)) == 0
    assert limit_of(None, Decimal("8.03")) == Decimal("8.03")
    assert limit_of(None, None) is None


@pytest.mark.parametrize(
    ("quotas", "expected"),
    [
        ({}, None),
        ({"llm_daily_cost_limit_eur": 0, "llm_cost_warn_threshold_pct": 50}, None),
        ({"llm_daily_cost_limit_eur": True, "llm_monthly_cost_limit_eur": "NaN"}, None),
        ({"llm_daily_cost_limit_eur": 8.03}, ("8.03", None, 80)),
        ({"llm_monthly_cost_limit_eur": "200", "llm_daily_cost_limit_eur": -1}, (None, "200", 80)),
        (
            {
                "llm_daily_cost_limit_eur": 5, "llm_daily_cost_limit_micro_eur": 7_500_000,
                "llm_monthly_cost_limit_micro_eur": 0, "llm_monthly_cost_limit_eur": 100,
                "llm_cost_warn_threshold_pct": 65,
            },
            ("7.5", "100", 65),
        ),
    ],
)  # fmt: skip
def test_quotas_become_the_organizations_policy(
    acme: Organization, quotas: dict[str, Any], expected: tuple[str | None, str | None, int] | None
) -> None:
    set_rates([DatedRate("EUR", "USD", date(2026, 1, 1), Decimal("1.5"))], Provenance("test"))
    found = sync_quotas(acme, quotas, ACTOR)

    if expected is None:
        assert found is None
        assert not Budget.objects.exists()
        return
    assert isinstance(found, PolicyEntry)
    daily, monthly, percent = expected
    assert found.policy == Policy(amount(daily), amount(monthly), "EUR", Decimal(percent))
    assert read_policies(EVERYTHING) == [found]
