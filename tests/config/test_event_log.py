from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from config.dashboards.question import FILTERS
from tests.config.listings import DAYS, listing, rows
from tests.config.site_data import OPUS, at, event, send
from usage.formats import NOT_GIVEN
from usage.keys import create_key
from usage.links import event_url
from usage.models import Organization, UsageEvent

pytestmark = pytest.mark.django_db

HEADS = (
    "Timestamp (UTC)", "Organization", "Provider", "Model", "Project", "Person", "Prompt tokens",
    "Completion tokens", "Total tokens", "Cost (USD)", "Status", "Session", "Run",
)  # fmt: skip


def found(client: Client, query: str = "") -> list[str]:
    return [row.event_id for row in rows(listing(client, "usageevent", f"{DAYS}&{query}"))]


def cells(page: Any) -> list[str]:
    table = page.text.partition('id="result_list"')[2].partition("</table>")[0]
    found: list[str] = table.split("<tr>")[2:]
    return found


@pytest.fixture
def told_apart(catalogue: None) -> None:
    key, _ = create_key("acme", ("ingest",), "ci")
    send(
        [
            event(1, at(10), team="core", action="review", operation="chat", agent_type="tester",
                  billing_scope="user", project="web", subject="ann", session_id="s1",
                  run_id="r1", input_tokens=1000),
            event(2, at(11), model=OPUS, provider="anthropic", input_tokens=10),
        ]
    )  # fmt: skip
    UsageEvent.objects.filter(event_id="e1").update(api_key=key)


def test_the_list_shows_every_figure_of_a_call(admin_client: Client, usage: None) -> None:
    page = listing(admin_client, "usageevent", f"{DAYS}&session=s1")

    for head in HEADS:
        assert head.lower() in page.text.lower()
    (row,) = cells(page)
    assert ">2026-11-10 12:00:00<" in row
    assert ">200,000<" in row
    assert "$0.600000" in row
    acme = Organization.objects.get(slug="acme")
    for url in (
        event_url(acme.pk, "e1"),
        reverse("admin:project_page", args=("acme", "web")),
        reverse("admin:subject_page", args=("acme", "ann")),
        reverse("admin:session_page", args=("acme", "s1")),
        reverse("admin:model_page", args=("anthropic", "claude-sonnet-4-5")),
    ):
        assert f'href="{url}' in row
        assert admin_client.get(url).status_code == 200


def test_what_failed_or_has_no_price_carries_a_badge(admin_client: Client, usage: None) -> None:
    unpriced, failed, fine = (
        cells(listing(admin_client, "usageevent", f"{DAYS}&{query}"))[0]
        for query in ("unpriced=1", "status=error", "session=s1")
    )

    assert '<span class="tm-badge w">unpriced</span>' in unpriced
    assert '<span class="tm-badge o">error</span>' in failed
    assert "tm-badge" not in fine


@pytest.mark.parametrize(
    "query",
    [
        "organization=acme", "project=web", "team=core", "subject=ann", "provider=anthropic",
        "model=claude-sonnet-4-5", "agent_type=tester", "action=review", "operation=chat",
        "billing_scope=user", "session=s1", "run=r1",
    ],
)  # fmt: skip
def test_every_filter_of_a_dashboard_holds_in_the_list(
    admin_client: Client, told_apart: None, query: str
) -> None:
    name = query.partition("=")[0]
    assert name in FILTERS

    assert found(admin_client, query) == (["e2", "e1"] if name in ("organization", "provider")
                                          else ["e1"])  # fmt: skip
    assert found(admin_client, f"{name}=something-else") == []
    if name not in ("organization", "provider", "model", "billing_scope"):
        assert found(admin_client, f"{name}={NOT_GIVEN}") == ["e2"]


def test_events_are_found_by_the_key_that_sent_them(admin_client: Client, told_apart: None) -> None:
    sent = UsageEvent.objects.select_related("api_key").get(event_id="e1").api_key
    assert sent is not None

    assert found(admin_client, f"api_key={sent.prefix}") == ["e1"]
    assert found(admin_client, f"api_key=tm_{sent.prefix}") == ["e1"]
    assert found(admin_client, f"api_key={NOT_GIVEN}") == ["e2"]
    assert "api_key" in FILTERS


def test_active_filters_are_in_sight_and_each_can_be_removed(
    admin_client: Client, told_apart: None
) -> None:
    page = listing(admin_client, "usageevent", f"{DAYS}&tz=UTC&model={OPUS}&agent_type=tester")
    spec = page.context["cl"].filter_specs[0]

    assert [(label, value) for label, value, _ in spec.chips] == [
        ("Model", OPUS),
        ("Agent type", "tester"),
    ]
    without = admin_client.get(reverse("admin:usage_usageevent_changelist") + spec.chips[1][2])
    assert [row.event_id for row in rows(without)] == ["e2"]
    assert spec.form.uses_rare
    assert not listing(admin_client, "usageevent").context["cl"].filter_specs[0].form.uses_rare


def test_the_file_of_the_list_holds_what_it_shows(admin_client: Client, told_apart: None) -> None:
    for query, events in (
        ("", ["e2", "e1"]),
        ("team=core&action=review", ["e1"]),
        (f"team={NOT_GIVEN}&organization=acme", ["e2"]),
        ("unpriced=1", []),
    ):
        page = listing(admin_client, "usageevent", f"{DAYS}&{query}&tz=Asia/Kathmandu")
        link = page.context["cl"].filter_specs[0].csv_url
        lines = admin_client.get(link).getvalue().decode().splitlines()
        assert [line.split(",")[0] for line in lines[1:]] == events
        assert f'href="{link.replace("&", "&amp;")}"' in page.text


def test_an_export_keeps_the_filters_of_the_list(admin_client: Client, told_apart: None) -> None:
    page = listing(admin_client, "usageevent", f"{DAYS}&team=core&action=review")
    address = reverse("admin:usage_export_add")
    link = page.text.partition(f'href="{address}')[2].partition('"')[0].replace("&amp;", "&")

    form = admin_client.get(address + link)

    assert "team core" in form.text
    assert "action review" in form.text


def test_an_event_page_leads_to_what_it_belongs_to(admin_client: Client, told_apart: None) -> None:
    acme = Organization.objects.get(slug="acme")
    page = admin_client.get(event_url(acme.pk, "e1"))

    for kind, name in (("session", "s1"), ("run", "r1"), ("project", "web"), ("subject", "ann")):
        assert f'href="{reverse(f"admin:{kind}_page", args=("acme", name))}"' in page.text


def test_members_see_events_of_their_organization_only_whatever_they_ask(
    viewer: Client, administrator: Client
) -> None:
    for client in (viewer, administrator):
        assert found(client) == ["e5", "e4", "e3", "e2", "e1"]
        for query in ("organization=globex", "project=site", "subject=zoe", "session=s9"):
            assert found(client, query) == []
        page = listing(client, "usageevent", DAYS)
        assert "globex" not in page.text.lower()
        assert "column-organization" not in page.text


def test_the_list_sums_up_what_its_events_cost(admin_client: Client, usage: None) -> None:
    def told(query: str = "") -> str:
        page = listing(admin_client, "usageevent", f"{DAYS}&{query}")
        summary: str = page.context["cl"].paginator.summary
        assert f"usage events: {summary}" in page.text or not page.context["cl"].result_count > 1
        return summary

    assert told() == "$5.43 and 1 unpriced"
    assert told("unpriced=1") == "1 unpriced"
    assert told("model=no-such-model") == ""
