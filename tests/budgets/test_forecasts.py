from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from budgets.forecasts.storing import renew_forecasts
from budgets.forecasts.windows import forecast_windows, open_windows
from budgets.models import Alert, Forecast
from budgets.watching.overruns import watch_overruns
from tests.budgets.budget_clients import Caller
from tests.budgets.spending import caller, change, set_budget, spend, worth
from usage.ingest.pipeline import ingest
from usage.models import Organization, Project, Subject
from usage.rollups import roll_up

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
HOURS = (9, 18)


@pytest.fixture
def dollars(catalogue: None) -> None:
    """In web on each of 40 days a dollar by ann in the morning, two by bob in the evening."""
    days = [NOW - timedelta(days=ago) for ago in range(1, 41)]
    events = [
        worth(str(n + 1), f"{day:%m%d}-{n}", day.replace(hour=hour), project="web", subject=who)
        for day in days
        for n, (hour, who) in enumerate(zip(HOURS, ("ann", "bob"), strict=True))
    ]
    events.append(worth("1", "today", NOW.replace(hour=9), project="web", subject="ann"))
    assert ingest(events, caller(), now=NOW).accepted == len(events)
    roll_up(wait=True)


def soft(**fields: Any) -> Any:
    return set_budget(NOW, **{"period": "month", "enforcement": "soft", **fields})


def row_of(**fields: Any) -> Any:
    return Forecast.objects.get(**fields)


def told(**fields: Any) -> dict[str, Any]:
    row = row_of(**fields)
    names = ("spent", "expected", "low", "high", "run_rate", "crosses_on", "chance")
    return {name: getattr(row, name) for name in names}


def alerts() -> list[tuple[str, str]]:
    return list(Alert.objects.filter(kind="forecast").values_list("state", "resolution"))


def test_a_month_is_forecast_for_budgets_projects_and_organizations(dollars: None) -> None:
    budget = soft(limit=Decimal(70))
    each = soft(limit=Decimal(15), per="subject", name="each")
    calls = soft(limit=Decimal(100), measure="requests", name="calls")
    soft(limit=Decimal(9), period="total", name="for ever")
    # For one budget, two members, one budget of calls; two months of one organization and project.
    assert renew_forecasts(NOW) == 1 + 2 + 1 + 2 + 2

    # 19 days at $3, $1 today; 11 days from today on come to $33 more, less what today has.
    assert told(budget=budget) == {
        "spent": 58, "expected": 90, "low": 90, "high": 90, "run_rate": 87,
        "crosses_on": date(2026, 11, 24), "chance": 100,
    }  # fmt: skip
    names = dict(Subject.objects.values_list("pk", "key"))
    members: dict[str, Any] = {
        names[row.member]: row for row in Forecast.objects.filter(budget=each)
    }
    assert (members["ann"].expected, members["ann"].crosses_on) == (30, None)
    assert (members["bob"].spent, members["bob"].expected) == (38, 60)
    assert told(budget=calls)["expected"] == 60
    web, acme = Project.objects.get(slug="web"), Organization.objects.get(slug="acme")
    for owner in ({"project": web}, {"organization": acme}):
        rows: Any = Forecast.objects.filter(**owner).order_by("start")
        this, following = rows
        assert (this.spent, this.expected, this.run_rate) == (58, 90, 87)
        assert (following.spent, following.expected, following.run_rate) == (0, 93, 93)
        assert (following.start, following.end) == (
            datetime(2026, 12, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC),
        )  # fmt: skip
        assert (this.error, this.days_of_history, this.limit) == (0, 40, None)


def test_each_run_replaces_the_rows_of_the_one_before(dollars: None) -> None:
    budget = soft(limit=Decimal(70))
    renew_forecasts(NOW)
    rows = set(Forecast.objects.values_list("pk", flat=True))
    later = NOW + timedelta(hours=1)
    spend("5", "more", later)
    renew_forecasts(later)
    assert set(Forecast.objects.values_list("pk", flat=True)) == rows
    assert told(budget=budget)["spent"] == 63
    change(budget, later, enabled=False)
    renew_forecasts(later + timedelta(hours=1))
    assert not Forecast.objects.filter(budget=budget).exists()


def test_a_day_is_forecast_by_what_its_later_hours_usually_have(dollars: None) -> None:
    budget = soft(period="day", limit=Decimal("2.50"))
    renew_forecasts(NOW)
    assert told(budget=budget) == {
        "spent": 1, "expected": 3, "low": 3, "high": 3, "run_rate": Decimal(24) / 13,
        "crosses_on": NOW.date(), "chance": 100,
    } | {"run_rate": round(Decimal(24) / 13, 10)}  # fmt: skip
    renew_forecasts(NOW.replace(hour=20))
    assert told(budget=budget)["expected"] == 1


def test_many_budgets_take_no_more_statements_than_one(dollars: None) -> None:
    def statements() -> int:
        with CaptureQueriesContext(connection) as captured:
            forecast_windows(open_windows(NOW), NOW)
        return len(captured)

    soft(limit=Decimal(70), subject=Subject.objects.get(key="ann"))
    one = statements()
    for number in range(6):
        soft(limit=Decimal(number), subject=Subject.objects.get(key="bob"), name=f"{number}")
    assert statements() == one
    assert len(forecast_windows(open_windows(NOW), NOW)) == 7


def test_an_overrun_is_told_while_it_is_expected_and_not_after_the_limit_is_reached(
    dollars: None,
) -> None:
    budget = soft(limit=Decimal(70))

    def watch(hours: int, **fields: Any) -> list[tuple[str, str]]:
        at = NOW + timedelta(hours=hours)
        if fields:
            change(budget, at, **fields)
        renew_forecasts(at)
        watch_overruns(at)
        return alerts()

    assert watch(0) == [("open", "")]
    alert = Alert.objects.get(kind="forecast")
    start = int(datetime(2026, 11, 1, tzinfo=UTC).timestamp())
    assert (alert.key, alert.severity) == (f"{budget.pk}:0:{start}", "warning")
    assert (alert.organization, alert.budget) == (budget.organization, budget)
    facts = {name: alert.facts[name] for name in ("crosses_on", "chance")}
    assert facts == {"crosses_on": "2026-11-24", "chance": "100.00"}
    assert [Decimal(alert.facts[name]) for name in ("expected", "limit", "used", "run_rate")] == [
        90, 70, 58, 87,
    ]  # fmt: skip
    # 90 are expected: 98 % of 91 is below that, of 92 above.
    assert watch(1, limit=Decimal(91)) == [("open", "")]
    # A higher limit ends it at once, before anything is forecast again.
    change(budget, NOW + timedelta(hours=2), limit=Decimal(92))
    assert alerts() == [("resolved", "limit")]
    assert watch(2) == [("resolved", "limit")]
    assert watch(3, limit=Decimal(91)) == [("resolved", "limit")]
    assert watch(4, limit=Decimal(60)) == [("open", "")]
    assert watch(5, limit=Decimal(58)) == [("resolved", "over")]


def test_too_short_a_history_warns_of_nothing(catalogue: None) -> None:
    for ago in range(13, 0, -1):
        spend("3", f"e{ago}", NOW - timedelta(days=ago))
    roll_up(wait=True)
    budget = soft(limit=Decimal(50))
    renew_forecasts(NOW)
    watch_overruns(NOW)
    row = Forecast.objects.get(budget=budget)
    assert (row.days_of_history, row.expected, row.chance) == (13, None, None)
    assert row.run_rate == round(Decimal(39) * 30 / 20, 10)
    assert alerts() == []


def test_windows_and_pages_show_what_is_expected(
    dollars: None,
    admin_client: Client,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("django.utils.timezone.now", lambda: NOW)
    budget = soft(limit=Decimal(70))
    acme = Caller()
    before = acme.ask("get", f"budgets/{budget.pk}/")["window"]
    assert (before["forecast"], before["outlook"]) == ("87.0000000000", None)
    renew_forecasts(NOW)
    for path in (f"budgets/{budget.pk}/", f"budgets/{budget.pk}/windows/", "budgets/"):
        found = acme.ask("get", path)
        window = found.get("window") or found["results"][0].get("window") or found["results"][0]
        assert window["forecast"] == window["outlook"]["high"] == "90.0000000000"
        assert (window["outlook"]["crosses_on"], window["outlook"]["chance"]) == ("2026-11-24", 100)
    text = admin_client.get(f"/admin/budgets/budget/{budget.pk}/").content.decode()
    for words in ("By the end of the period", "$90.00", "24 Nov 2026", "&gt;99 %", "$87.00"):
        assert words in text
    expected = acme.ask("get", "forecast/?organization=acme")["budget"]
    assert (expected["id"], expected["crosses_on"]) == (budget.pk, "2026-11-24")
    for query in ("?project=web", "?period=next-month", "?model=gpt-6"):
        assert acme.ask("get", f"forecast/{query}")["budget"] is None
    for path in ("organizations/acme/", "projects/acme/web/ai-cost/"):
        ahead = admin_client.get(f"/admin/{path}").context["ahead"]
        assert (ahead.present.expected, ahead.following.expected) == (90, 93)
