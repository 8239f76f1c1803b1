from typing import Any

import pytest
from django.test import Client

from budgets.models import Budget
from tests.budgets.budget_values import budget
from tests.config.project_data import a_project_month, shown, stop_the_clock
from tests.config.site_data import staff
from usage.models import Membership

pytestmark = pytest.mark.django_db
COSTLY = "Implementation, which took 67 % of November\N{RIGHT SINGLE QUOTATION MARK}s spend"


@pytest.fixture(autouse=True)
def month(catalogue: None, monkeypatch: pytest.MonkeyPatch) -> None:
    stop_the_clock(monkeypatch)
    a_project_month()


@pytest.fixture
def member() -> Client:
    client = Client()
    client.force_login(staff("vera", "acme"))
    return client


@pytest.fixture
def administrator() -> Client:
    client = Client()
    client.force_login(staff("adam", "acme", role=Membership.Role.ADMIN))
    return client


def card(answer: Any) -> tuple[str, str, str]:
    found = answer.context["cards"][3]
    return found.label, found.value, found.context


def test_without_a_limit_there_is_no_bar_but_a_way_to_set_one(administrator: Client) -> None:
    answer = shown(administrator)

    assert card(answer) == ("Budget used", "no limit", "")
    assert "tm-meter" not in answer.text
    url = "/admin/budgets/budget/add/?organization=acme&amp;project=web"
    assert f'<a href="{url}">Set a budget</a>' in answer.text


def test_who_may_not_set_a_limit_is_told_who_can(member: Client) -> None:
    answer = shown(member)

    assert card(answer)[2] == "an administrator of acme can set one"
    assert "/admin/budgets/budget/add/" not in answer.text


@pytest.mark.parametrize(
    ("limit", "used", "level", "advice"),
    [
        ("3.3751", "79 %", "k", ""),
        ("3.375", "80 %", "w", f"Review the costly agents: {COSTLY}."),
        ("2.7001", "99 %", "w", f"Review the costly agents: {COSTLY}."),
        (
            "2.7", "100 %", "o",
            f"The limit is used up; calls still go through. Raise the limit, or pause {COSTLY}.",
        ),
        (
            "2", "135 %", "o",
            f"The limit is used up; calls still go through. Raise the limit, or pause {COSTLY}.",
        ),
    ],
)  # fmt: skip
def test_the_bar_is_amber_from_80_and_red_from_100_percent_exactly(
    administrator: Client, limit: str, used: str, level: str, advice: str
) -> None:
    set_limit = budget(project="web", limit=limit)
    answer = shown(administrator)

    assert card(answer)[:2] == ("Budget used, November", used)
    assert f'<span class="tm-badge {level}">' in answer.text
    assert [each.advice for each in answer.context["limits"]] == [advice]
    link = f'<a href="/admin/budgets/budget/{set_limit.pk}/change/">Change the budget</a>'
    assert (link in answer.text) == (level == "o")


def test_who_may_not_raise_a_limit_is_told_who_can(member: Client) -> None:
    budget(project="web", limit="2")
    (limit,) = shown(member).context["limits"]

    assert "Ask an administrator of acme to raise it, or pause Implementation" in limit.advice
    assert limit.url == ""


def test_the_card_holds_the_forecast_against_the_limit(admin_client: Client) -> None:
    budget(project="web", limit="100")
    answer = shown(admin_client)

    band = answer.context["cards"][0].context.removeprefix("forecast ").split(" by")[0]
    assert card(answer)[2] == f"forecast {band} of $100"


def test_budgets_of_others_and_disabled_ones_do_not_count(admin_client: Client) -> None:
    budget(limit="1")
    budget(project="api", limit="1")
    budget(project="web", limit="1", enabled=False)
    budget(organization="globex", project="web", limit="1")

    assert card(shown(admin_client))[1] == "no limit"


def test_the_monthly_limit_comes_before_others(admin_client: Client) -> None:
    budget(project="web", limit="1", period=Budget.Period.YEAR)
    budget(project="web", limit="10")
    answer = shown(admin_client)

    assert card(answer)[:2] == ("Budget used, November", "27 %")
    periods = [each.state.budget.period for each in answer.context["limits"]]
    assert periods == ["month", "year"]


def test_agents_are_not_blamed_under_filters_that_hide_the_rest(admin_client: Client) -> None:
    budget(project="web", limit="2")
    (limit,) = shown(admin_client, "agent_type=ui_ux").context["limits"]

    assert limit.advice.endswith("or pause the costly agents.")
    assert limit.state.percent_text == "135 %"


def test_a_past_month_is_not_blamed_for_the_present_budget(admin_client: Client) -> None:
    budget(project="web", limit="2")
    answer = shown(admin_client, "range=last-month")

    assert card(answer)[:2] == ("Budget used, November", "135 %")
    assert "Research" not in answer.context["limits"][0].advice
