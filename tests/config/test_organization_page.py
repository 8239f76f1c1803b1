import csv
import io
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from budgets.models import Budget
from tests.budgets.budget_values import budget
from tests.config.site_data import at, event, send, staff
from usage.keys import create_key, revoke_key
from usage.models import Organization
from usage.selectors.access import EVERYTHING
from usage.selectors.forecasts import forecast_spend, this_month
from usage.selectors.questions import UsageQuery
from usage.selectors.usage import query_usage

pytestmark = pytest.mark.django_db
DAYS = "range=custom&from=2026-11-09&through=2026-11-13"
ACME = "/admin/organizations/acme/"


def page(client: Client, query: str = DAYS, path: str = ACME) -> Any:
    answer = client.get(f"{path}?{query}")
    assert answer.status_code == 200
    return answer


def panel(answer: Any, title: str) -> Any:
    shown = answer.context
    panels = [*shown["parts"], shown["people"], shown["agents"]]
    return next(panel for panel in panels if panel.title == title)


def test_an_organizations_figures_are_its_own_and_the_selectors(
    admin_client: Client, usage: None
) -> None:
    start, end = date(2026, 11, 9), date(2026, 11, 14)
    own = {"organization": ["acme"]}
    totals = query_usage(UsageQuery(viewer=EVERYTHING, start=start, end=end, filters=own)).totals

    answer = page(admin_client)

    assert totals.cost == Decimal("4.43")
    assert [card.value for card in answer.context["cards"]] == ["$4.43", "900.5 k", "5", "1"]
    assert answer.context["totals"] == totals
    for title in ("Projects", "People", "Models", "Agent types"):
        assert panel(answer, title).totals == totals
    assert {row.name: row.cost for row in panel(answer, "Projects").rows} == {
        "web": Decimal("2.10"), "api": Decimal(2), "not given": Decimal("0.33"),
    }  # fmt: skip
    assert [row.name for row in panel(answer, "People").rows] == ["ann", "bob", "not given"]


def test_names_lead_to_pages_and_amounts_to_events_inside_the_organization(
    admin_client: Client, usage: None
) -> None:
    answer = page(admin_client)

    row = panel(answer, "Projects").rows[0]
    assert row.url.startswith("/admin/projects/acme/web/ai-cost/?range=custom&from=2026-11-09")
    listed = admin_client.get(row.events_url).context["cl"].result_list
    assert sorted(each.event_id for each in listed) == ["e1", "e2"]


def test_the_csv_is_the_table_under_the_chart_of_this_organization_alone(
    admin_client: Client, usage: None
) -> None:
    answer = page(admin_client, f"{DAYS}&group=project")

    lines = admin_client.get(answer.context["csv_url"]).text
    rows = list(csv.DictReader(io.StringIO(lines)))
    assert rows[-1]["total USD"] == "4.4300000000"
    assert Decimal(rows[-1]["web"]) == Decimal("2.10")
    assert "site" not in rows[0]


def test_limits_in_effect_say_what_is_spent_and_what_remains(
    admin_client: Client, usage: None
) -> None:
    year = Budget.Period.YEAR
    budget(period=year)
    budget(project="web", limit="2", period=year)
    budget("globex", limit="9", period=year, name="secret")
    budget(limit="1", period=year, name="off", enabled=False)
    budget(None, limit="3", period=year, per="organization", name="each")

    answer = page(admin_client)

    assert [
        (str(state.budget), state.used, state.remaining, state.level.value)
        for state in answer.context["limits"]
    ] == [
        ("each · yearly", Decimal("4.43"), Decimal("-1.43"), "over"),
        ("acme / web · yearly", Decimal("2.10"), Decimal("-0.10"), "over"),
        ("acme · yearly", Decimal("4.43"), Decimal("0.57"), "warn"),
    ]
    assert "$0.57" in answer.text
    assert "$0.10 over" in answer.text
    assert "secret" not in answer.text


def test_the_forecast_is_the_selectors_and_its_parts_are_labelled(
    admin_client: Client, catalogue: None
) -> None:
    now = datetime.now(UTC)
    send(event(n, now - timedelta(days=n), input_tokens=200_000) for n in range(40))
    today = now.date()
    start, end = this_month(today)
    own = {"organization": ["acme"]}
    expected = forecast_spend(
        EVERYTHING, start=start, end=end, today=today, time_zone="UTC", filters=own
    )

    answer = page(admin_client, "")

    shown = answer.context["ahead"].present
    assert (shown.expected, shown.low, shown.high, shown.run_rate) == (
        expected.expected, expected.low, expected.high, expected.run_rate,
    )  # fmt: skip
    assert expected.expected == (end - start).days * Decimal("0.60")
    for words in ("Spent so far", "Expected by the end", "four times of five", "run rate"):
        assert words in answer.text


def test_a_short_history_is_told_instead_of_a_forecast(admin_client: Client, usage: None) -> None:
    send([event(50, datetime.now(UTC) - timedelta(minutes=1), input_tokens=1000)])
    today = datetime.now(UTC).date()

    answer = page(admin_client)

    enough = (today - date(2026, 11, 10)).days >= 14
    assert ("A forecast needs 14 days of history" in answer.text) is not enough
    assert "run rate" in answer.text


def test_keys_are_listed_with_what_they_may_and_whether_they_still_open(
    admin_client: Client, usage: None
) -> None:
    _, secret = create_key("acme", ["ingest", "read"], "robot")
    gone, _ = create_key("acme", ["ingest"], "old one")
    create_key("globex", ["ingest"], "foreign")
    revoke_key(gone.prefix)

    answer = page(admin_client)

    shown = [(key.name, key.scopes, state) for key, state in answer.context["keys"]]
    assert shown == [("old one", ["ingest"], "revoked"), ("robot", ["ingest", "read"], "valid")]
    assert secret not in answer.text
    assert "foreign" not in answer.text
    assert "never" in answer.text
    found = admin_client.get(f"/admin/usage/apikey/?q={gone.prefix}").context["cl"].result_list
    assert [key.pk for key in found] == [gone.pk]


def test_members_are_listed_with_their_roles(administrator: Client) -> None:
    gone = staff("gina", "acme")
    User.objects.filter(pk=gone.pk).update(is_active=False, first_name="Gina", last_name="Gone")
    staff("zora", "globex")

    answer = page(administrator)

    members = [(each.username, each.role, each.active) for each in answer.context["members"]]
    assert members == [("adam", "admin", True), ("gina", "viewer", False)]
    assert "Gina Gone" in answer.text
    assert "zora" not in answer.text


@pytest.mark.parametrize("path", ["/admin/organizations/globex/", "/admin/organizations/none/"])
def test_another_organization_is_not_found_whether_there_is_one_or_not(
    administrator: Client, viewer: Client, path: str
) -> None:
    for client in (administrator, viewer):
        answer = client.get(path)
        assert answer.status_code == 404
        assert "globex" not in answer.text.replace("/organizations/globex/", "")


def test_only_who_may_change_something_is_offered_to(
    admin_client: Client, administrator: Client, viewer: Client
) -> None:
    organization = Organization.objects.get(slug="acme")
    change = f'href="/admin/usage/organization/{organization.pk}/change/"'
    add = "/admin/budgets/budget/add/?organization=acme"

    offered = [
        (change in text, add in text)
        for text in (page(client).text for client in (admin_client, administrator, viewer))
    ]

    assert offered == [(True, True), (False, True), (False, False)]


def test_a_filter_cannot_lead_out_of_the_organization(administrator: Client) -> None:
    for query in ("organization=globex", "project=site", "subject=zoe", "group=organization"):
        answer = page(administrator, f"{DAYS}&{query}")
        assert all(row.name != "zoe" for row in panel(answer, "People").rows)
        assert answer.context["totals"].cost in (Decimal("4.43"), 0)


def test_days_are_those_of_the_organizations_zone(admin_client: Client, usage: None) -> None:
    Organization.objects.filter(slug="acme").update(time_zone="Asia/Tokyo")

    answer = page(admin_client)

    assert answer.context["question"].zone.key == "Asia/Tokyo"
    assert "days begin at midnight in Asia/Tokyo" in answer.text


def test_an_organization_without_usage_shows_its_zeros_or_how_to_begin(
    admin_client: Client, usage: None
) -> None:
    Organization.objects.create(slug="idle", name="Idle & Co")

    answer = page(admin_client, path="/admin/organizations/idle/")

    assert [card.value for card in answer.context["cards"]] == ["$0.00", "0", "0", "0"]
    assert "No usage in this range" in answer.text
    assert "Idle &amp; Co" in answer.text
    assert "None: nothing limits" in answer.text


def test_the_number_of_statements_does_not_grow_with_names(
    admin_client: Client,
    usage: None,
    django_assert_max_num_queries: DjangoAssertNumQueries,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    with django_assert_max_num_queries(85) as before:
        page(admin_client)
    send(event(f"x{n}", at(9 + n % 5), project=f"p{n}", subject=f"s{n}") for n in range(50))
    for n in range(20):
        create_key("acme", ["ingest"], f"key {n}")
        staff(f"user{n}", "acme")

    with django_assert_num_queries(len(before)):
        page(admin_client)
