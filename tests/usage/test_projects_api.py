from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from tests.usage.conftest import NOON, event
from tests.usage.summaries import read, refused, store
from usage.ingest.identities import tenant_of
from usage.ingest.pipeline import Caller, ingest
from usage.ingest.prepare import Tenancy
from usage.models import Organization, Project
from usage.organizations import ensure_organization

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("on_the_twentieth")]

MONTHS = ("2026-06", "2026-07", "2026-08", "2026-09", "2026-10", "2026-11")


@pytest.fixture
def month(caller: Caller) -> Caller:
    store(
        caller,
        event("a", agent_type="research", run_id="r1", run_trigger="push"),
        event("b", agent_type="research", run_id="r1", run_trigger="push", status="error"),
        event("c", agent_type="testing", run_id="r2", output_tokens=1000),
        event("d", agent_type="testing", output_tokens=200, run_id="r3", status="error"),
        event("e", model="nobody-knows-9"),
        event("f", project="api", output_tokens=1800),
        event("old", occurred_at=NOON.replace(month=10), run_id="r1", agent_type="research"),
    )
    return caller


@pytest.fixture
def elsewhere(catalogue: None) -> None:
    other = Caller(Tenancy(tenant_of(ensure_organization("globex")), {}))
    store(other, event("x", project="web", output_tokens=600), event("y", project="secret"))


def picked(row: dict[str, Any], *names: str) -> tuple[Any, ...]:
    return tuple(row[name] for name in names)


def test_a_month_of_a_project_has_totals_agents_and_runs(month: Caller, client: APIClient) -> None:
    answer = read(client, "projects/web/summary/")
    assert picked(answer, "project", "organization", "month", "currency", "budget") == (
        "web", "acme", "2026-11", "USD", None,
    )  # fmt: skip
    assert answer["unpriced_events"] == 1
    totals = picked(answer["totals"], "cost", "total_tokens", "events", "errors")
    assert totals == ("0.0330000000", 6500, 5, 2)
    names = ("agent_type", "events", "cost", "percent_of_total", "success_rate")
    assert [picked(row, *names) for row in answer["agent_breakdown"]] == [
        ("testing", 2, "0.0240000000", 72.73, 50.0),
        ("research", 2, "0.0090000000", 27.27, 50.0),
        (None, 1, "0.0000000000", 0.0, 100.0),
    ]
    first = answer["agent_breakdown"][0]
    assert picked(first, "input_tokens", "output_tokens") == (2000, 1200)


def test_the_dearest_runs_show_what_they_did_within_the_month(
    month: Caller, client: APIClient
) -> None:
    runs = read(client, "projects/web/summary/")["top_runs"]
    names = ("run_id", "status", "run_trigger", "events", "total_tokens", "cost")
    assert [picked(run, *names) for run in runs] == [
        ("r2", "success", None, 1, 2000, "0.0180000000"),
        ("r1", "partial", "push", 2, 2200, "0.0090000000"),
        ("r3", "error", None, 1, 1200, "0.0060000000"),
    ]
    assert [run["started_at"][:10] for run in runs] == ["2026-11-20", "2026-10-20", "2026-11-20"]
    october = read(client, "projects/web/summary/", month="2026-10")
    assert [picked(run, "run_id", "events") for run in october["top_runs"]] == [("r1", 1)]
    assert october["totals"]["cost"] == "0.0045000000"


def test_five_runs_are_shown_though_calls_outside_runs_cost_most(
    caller: Caller, client: APIClient
) -> None:
    runs = [event(f"e{i}", run_id=f"r{i}", output_tokens=100 + i) for i in range(7)]
    store(caller, event("none", output_tokens=9999), *runs)
    found = read(client, "projects/web/summary/")["top_runs"]
    assert [run["run_id"] for run in found] == ["r6", "r5", "r4", "r3", "r2"]


@pytest.mark.parametrize("days", [7, 14, 30, 90])
def test_the_daily_series_has_the_days_asked_for(
    month: Caller, client: APIClient, days: int
) -> None:
    series = read(client, "projects/web/summary/", days=days)["daily_series"]
    assert len(series) == days
    assert picked(series[-1], "date", "cost", "events", "total_tokens") == (
        "2026-11-20", "0.0330000000", 5, 6500,
    )  # fmt: skip
    assert sum(point["events"] for point in series) == (5 if days < 32 else 6)


def test_six_months_lead_up_to_the_present_one(month: Caller, client: APIClient) -> None:
    rows = read(client, "projects/web/trend/")["results"]
    assert [row["month"] for row in rows] == list(MONTHS)
    names = ("cost", "total_tokens", "events")
    assert [picked(row, *names) for row in rows[-2:]] == [
        ("0.0045000000", 1100, 1),
        ("0.0330000000", 6500, 5),
    ]
    assert rows[0]["events"] == 0
    earlier = read(client, "projects/web/trend", month="2026-10")["results"]
    assert [row["month"] for row in earlier] == ["2026-05", *MONTHS[:5]]


def test_the_fifty_latest_calls_come_newest_first_with_their_agent(
    caller: Caller, client: APIClient
) -> None:
    calls = [
        event(f"e{i:02}", occurred_at=NOON - timedelta(hours=i), agent_type="research")
        for i in range(55)
    ]
    store(caller, *calls, event("other", project="api"))
    ingest([event("new", occurred_at=NOON + timedelta(hours=1), agent_type="testing")], caller)
    found = read(client, "projects/web/recent/")["results"]
    assert [row["event_id"] for row in found] == ["new", *(f"e{i:02}" for i in range(49))]
    assert [row["agent_type"] for row in found[:2]] == ["testing", "research"]


def test_every_project_is_listed_also_those_without_usage(
    month: Caller, elsewhere: None, client: APIClient
) -> None:
    acme = Organization.objects.get(slug="acme")
    Project.objects.create(organization=acme, slug="idle", name="Idle")
    Project.objects.create(organization=acme, slug="gone", archived_at=timezone.now())
    answer = read(client, "projects/")
    names = ("project", "events", "cost", "percent_of_total", "last_used")
    assert [picked(row, *names) for row in answer["results"]] == [
        ("api", 1, "0.0300000000", 47.62, "2026-11-20"),
        ("idle", 0, "0.0000000000", 0.0, None),
        ("web", 5, "0.0330000000", 52.38, "2026-11-20"),
    ]
    assert picked(answer, "month", "unpriced_events", "next", "previous") == (
        "2026-11", 1, None, None,
    )  # fmt: skip
    listed = read(client, "projects/", archived=1)["results"]
    assert [row["project"] for row in listed] == ["api", "gone", "idle", "web"]
    december = read(client, "projects/", month="2026-12")["results"]
    assert [picked(row, "events", "last_used") for row in december] == [
        (0, "2026-11-20"), (0, None), (0, "2026-11-20"),
    ]  # fmt: skip


def test_pages_lead_on_and_back_across_organizations(
    month: Caller, elsewhere: None, client_for: Callable[..., APIClient]
) -> None:
    site = client_for(None)
    all_of_them = [("acme", "api"), ("acme", "web"), ("globex", "secret"), ("globex", "web")]
    pages, address = [], "/api/v1/projects/?limit=1"
    while address:
        pages.append(site.get(address).json())
        address = pages[-1]["next"]
    found = [picked(page["results"][0], "organization", "project") for page in pages]
    assert found == all_of_them
    assert pages[0]["previous"] is None
    back = site.get(pages[-1]["previous"]).json()
    assert picked(back["results"][0], "organization", "project") == all_of_them[2]
    assert site.get(back["next"]).json()["results"] == pages[-1]["results"]
    only = read(site, "projects/", organization="globex")["results"]
    assert [row["cost"] for row in only] == ["0.0045000000", "0.0120000000"]
    assert refused(site, "projects/", cursor="abc") == ("cursor", "invalid_cursor")


@pytest.mark.parametrize("what", ["summary", "trend", "recent"])
def test_a_project_of_several_organizations_has_to_be_told_apart(
    month: Caller, elsewhere: None, client_for: Callable[..., APIClient], what: str
) -> None:
    site = client_for(None)
    assert refused(site, f"projects/web/{what}/") == ("organization", "ambiguous")
    answer = read(site, f"projects/web/{what}/", organization="globex")
    assert answer["organization"] == "globex"


@pytest.mark.parametrize("what", ["summary", "trend", "recent"])
def test_projects_of_others_do_not_exist(
    month: Caller, elsewhere: None, client: APIClient, what: str
) -> None:
    for path in (f"projects/secret/{what}/", f"projects/nothing/{what}/"):
        response = client.get(f"/api/v1/{path}")
        assert (response.status_code, response.json()["type"][-9:]) == (404, "not_found")
    path = f"/api/v1/projects/web/{what}/"
    assert client.get(path, {"organization": "globex"}).status_code == 404
    assert client.get(path).status_code == 200


def test_a_project_may_be_called_like_a_path(caller: Caller, client: APIClient) -> None:
    store(caller, event("a", project="team/summary x"))
    answer = read(client, "projects/team/summary x/summary/")
    assert (answer["project"], answer["totals"]["events"]) == ("team/summary x", 1)


@pytest.mark.parametrize(
    ("parameters", "field", "code"),
    [
        ({"month": "2026-13"}, "month", "invalid"),
        ({"month": "November"}, "month", "invalid"),
        ({"month": "1066-10"}, "month", "out_of_range"),
        ({"days": "31"}, "days", "unknown"),
        ({"page": "2"}, "page", "unknown"),
    ],
)
def test_faults_are_told_by_name(
    month: Caller, client: APIClient, parameters: dict[str, str], field: str, code: str
) -> None:
    assert refused(client, "projects/web/summary/", **parameters) == (field, code)
