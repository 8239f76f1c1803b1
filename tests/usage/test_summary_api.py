from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import OperationalError
from rest_framework.test import APIClient

from tests.usage.conftest import event
from tests.usage.summaries import read, refused, store
from usage.ingest.identities import tenant_of
from usage.ingest.pipeline import Caller
from usage.ingest.prepare import Tenancy
from usage.models import Membership, Organization, Subject
from usage.organizations import ensure_organization
from usage.selectors.questions import SUM_NAMES, UsageQuery

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("on_the_twentieth")]


@pytest.fixture
def month(caller: Caller) -> Caller:
    store(
        caller,
        event("a"),
        event("b", subject="bob", model="claude-opus-4-1", output_tokens=200),
        event("own", subject="eve", billing_scope="user", output_tokens=1000),
        event("c", model="nobody-knows-9", provider="acme-ai", subject=None, project=None),
        event("old", occurred_at=event().occurred_at.replace(month=10)),
    )
    return caller


@pytest.fixture
def elsewhere(catalogue: None) -> None:
    other = Caller(Tenancy(tenant_of(ensure_organization("globex")), {}))
    store(other, event("x", subject="ann", project="secret", output_tokens=600))


def names(rows: list[dict[str, Any]], name: str) -> list[Any]:
    return [row[name] for row in rows]


def test_cards_stand_beside_the_whole_period_before(month: Caller, client: APIClient) -> None:
    answer = read(client, "summary/")
    assert (answer["currency"], answer["timezone"], answer["unpriced_events"]) == ("USD", "UTC", 1)
    assert answer["billing_scope"] is None
    card = answer["month"]
    assert (card["from"], card["to"]) == ("2026-11-01", "2026-12-01")
    # The priced calls cost 0.0045, 0.03 and, on a user's own key, 0.018.
    assert (card["cost"], card["org_cost"], card["user_cost"]) == (
        "0.0525000000", "0.0345000000", "0.0180000000",
    )  # fmt: skip
    assert (card["events"], card["unpriced_events"], card["input_tokens"]) == (4, 1, 4000)
    assert (card["output_tokens"], card["total_tokens"]) == (1400, 5400)
    assert card["previous"]["from"] == "2026-10-01"
    assert (card["previous"]["cost"], card["previous"]["events"]) == ("0.0045000000", 1)
    assert answer["today"]["cost"] == answer["week"]["cost"] == card["cost"]
    assert (answer["week"]["from"], answer["week"]["to"]) == ("2026-11-16", "2026-11-23")
    assert set(SUM_NAMES) < set(card)


def test_series_end_today_and_name_every_day(month: Caller, client: APIClient) -> None:
    answer = read(client, "summary/")
    days = answer["daily_series"]
    assert (len(days), days[0]["date"], days[-1]["date"]) == (30, "2026-10-22", "2026-11-20")
    assert days[-1] | {"cost": "0.0525000000", "events": 4} == days[-1]
    assert days[0]["cost"] == days[0]["org_cost"] == "0.0000000000"
    assert len(answer["weekly_series"]) == len(answer["monthly_series"]) == 12
    assert (
        answer["monthly_series"][-2] | {"date": "2026-10-01", "events": 1}
        == (answer["monthly_series"][-2])
    )


def test_leaders_are_of_calls_the_organization_pays_for(month: Caller, client: APIClient) -> None:
    Subject.objects.filter(key="ann").update(email="ann@acme.test", display_name="Ann")
    answer = read(client, "summary/")
    bob, ann = answer["top_users"]
    assert (bob["organization"], bob["key"], bob["email"], bob["display_name"]) == (
        "acme", "bob", "", "",
    )  # fmt: skip
    assert (ann["email"], ann["display_name"], ann["cost"]) == (
        "ann@acme.test", "Ann", "0.0045000000",
    )  # fmt: skip
    # 0.03 and 0.0045 of 0.0345
    assert (bob["percent_of_total"], ann["percent_of_total"]) == (86.96, 13.04)
    models = answer["top_models"]
    assert names(models, "model") == ["claude-opus-4-1", "claude-sonnet-4-5", "nobody-knows-9"]
    assert names(models, "events") == [1, 1, 1]
    assert names(answer["providers"], "provider") == ["anthropic", "acme-ai"]
    assert names(answer["providers"], "cost") == ["0.0525000000", "0.0000000000"]
    assert answer["effective_limits"] == []


def test_a_billing_scope_holds_for_cards_and_leaders(month: Caller, client: APIClient) -> None:
    answer = read(client, "summary/", billing_scope="user")
    assert answer["billing_scope"] == "user"
    assert names(answer["top_users"], "key") == ["eve"]
    for card in (answer["today"], answer["week"], answer["month"]):
        assert (card["cost"], card["org_cost"]) == ("0.0180000000", "0.0000000000")
    assert read(client, "summary/", billing_scope="org")["month"]["cost"] == "0.0345000000"
    assert refused(client, "summary/", billing_scope="them") == ("billing_scope", "unknown")


def test_models_most_used_come_by_calls_and_by_tokens(caller: Caller, client: APIClient) -> None:
    store(
        caller,
        event("1", model="claude-haiku-4-5"),
        event("2", model="claude-haiku-4-5"),
        event("3", input_tokens=9000),
    )
    used = read(client, "summary/")["most_used_models"]
    assert names(used["by_events"], "model") == ["claude-haiku-4-5", "claude-sonnet-4-5"]
    assert names(used["by_tokens"], "model") == ["claude-sonnet-4-5", "claude-haiku-4-5"]


def test_ten_leaders_are_shown_though_calls_of_nobody_cost_most(
    caller: Caller, client: APIClient
) -> None:
    people = [event(f"e{i}", subject=f"s{i:02}", output_tokens=100 + i) for i in range(12)]
    store(caller, event("none", subject=None, output_tokens=9999), *people)
    users = read(client, "summary/")["top_users"]
    assert names(users, "key") == [f"s{i:02}" for i in range(11, 1, -1)]


def test_a_site_key_sees_every_organization_and_can_choose(
    month: Caller, elsewhere: None, client_for: Callable[..., APIClient]
) -> None:
    site = client_for(None)
    answer = read(site, "summary/")
    assert names(answer["organizations"], "organization") == ["acme", "globex"]
    assert names(answer["organizations"], "cost") == ["0.0525000000", "0.0120000000"]
    assert [(row["organization"], row["key"]) for row in answer["top_users"]] == [
        ("acme", "bob"), ("globex", "ann"), ("acme", "ann"),
    ]  # fmt: skip
    both = read(site, "summary/", organization=["acme", "globex"])
    assert both["month"]["cost"] == "0.0645000000"
    assert read(site, "summary/", organization="globex")["month"]["cost"] == "0.0120000000"


def test_another_organization_is_out_of_sight(
    month: Caller, elsewhere: None, client: APIClient, client_for: Callable[..., APIClient]
) -> None:
    assert read(client, "summary/", organization="globex")["month"]["events"] == 0
    assert names(read(client, "summary/")["organizations"], "organization") == ["acme"]
    for slug in ("globex", "nowhere"):
        assert client.get(f"/api/v1/organizations/{slug}/summary/").status_code == 404
    member = User.objects.create_user("ann", is_staff=True)
    Membership.objects.create(user=member, organization=Organization.objects.get(slug="globex"))
    session = APIClient()
    session.force_login(member)
    assert read(session, "summary/")["month"]["cost"] == "0.0120000000"
    assert session.get("/api/v1/organizations/acme/summary/").status_code == 404
    assert read(session, "organizations/globex/summary")["organization"]["slug"] == "globex"


def test_an_organization_adds_its_projects_and_people(month: Caller, client: APIClient) -> None:
    Organization.objects.update(name="Acme Ltd", time_zone="Asia/Kathmandu")
    answer = read(client, "organizations/acme/summary/")
    assert answer["organization"] == {"slug": "acme", "name": "Acme Ltd"}
    assert answer["timezone"] == "Asia/Kathmandu"
    assert names(answer["projects"], "project") == ["web", None]
    assert names(answer["people"], "key") == ["bob", "eve", "ann"]
    # 0.03, 0.018 and 0.0045 of 0.0525
    assert names(answer["people"], "percent_of_total") == [57.14, 34.29, 8.57]


def test_an_empty_site_answers_zeros_and_empty_lists(client_for: Callable[..., APIClient]) -> None:
    answer = read(client_for(None), "summary/")
    assert answer["month"]["cost"] == "0.0000000000"
    assert len(answer["daily_series"]) == 30
    lists = ("top_users", "top_models", "providers", "organizations", "effective_limits")
    assert all(answer[name] == [] for name in lists)
    assert answer["most_used_models"] == {"by_events": [], "by_tokens": []}


def test_a_database_that_is_away_is_an_error_and_not_zeros(
    month: Caller, client: APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(query: UsageQuery) -> None:
        raise OperationalError("the connection is lost")

    monkeypatch.setattr("usage.selectors.frames.query_usage", fail)
    response = client.get("/api/v1/summary/")
    assert (response.status_code, response.headers["Retry-After"]) == (503, "1")
    assert response.json()["type"].endswith("database_unavailable")


@pytest.mark.parametrize(
    ("parameters", "field", "code"),
    [
        ({"colour": "red"}, "colour", "unknown"),
        ({"timezone": "Mars"}, "timezone", "unknown_timezone"),
        ({"currency": "XXX"}, "currency", "no_exchange_rate"),
        ({"organization": "a\0"}, "organization", "invalid"),
    ],
)
def test_faults_are_told_by_name(
    client: APIClient, parameters: dict[str, str], field: str, code: str
) -> None:
    assert refused(client, "summary/", **parameters) == (field, code)
