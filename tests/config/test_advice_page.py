import pytest
from django.test import Client
from django.urls import reverse

from tests.config.site_data import at, event, send, staff
from usage.models import Organization
from usage.organizations import ensure_organization

pytestmark = pytest.mark.django_db
NOVEMBER = "?range=custom&from=2026-11-01&through=2026-11-30"


def failures(organization: str) -> None:
    send(
        [
            event(
                f"{organization}-{n}", at(5, n), input_tokens=100_000, status="error",
                project="web", organization=organization,
            )
            for n in range(2)
        ]
    )  # fmt: skip


def shown(client: Client, query: str = NOVEMBER) -> str:
    answer = client.get(reverse("admin:advice") + query)
    assert answer.status_code == 200
    return answer.text


def member(organization: str) -> Client:
    client = Client()
    client.force_login(staff(f"of-{organization}", organization))
    return client


def test_advice_is_shown_with_what_it_would_have_saved(catalogue: None) -> None:
    failures("acme")
    text = shown(member("acme"))
    assert "Stop paying for calls to claude-sonnet-4-5 that fail" in text
    assert "$0.60" in text
    events = "status=error"
    assert events in text
    assert "organization=acme&amp;project=web" in text


def test_members_see_advice_of_their_organizations_alone(
    catalogue: None, admin_client: Client
) -> None:
    failures("globex")
    ensure_organization("acme")
    assert "Stop paying" in shown(admin_client)
    assert "Stop paying" in shown(member("globex"))
    assert "Stop paying" not in shown(member("acme"))
    assert "Stop paying" not in shown(admin_client, f"{NOVEMBER}&organization=acme")


def test_filters_live_in_the_url(admin_client: Client, catalogue: None) -> None:
    failures("acme")
    assert "Stop paying" in shown(admin_client, f"{NOVEMBER}&project=web&model=claude-sonnet-4-5")
    other = shown(admin_client, f"{NOVEMBER}&model=another-model")
    assert "Stop paying" not in other
    assert "another-model" in other
    assert "Stop paying" not in shown(
        admin_client, "?range=custom&from=2026-10-01&through=2026-10-31"
    )


def test_without_usage_the_page_says_what_will_be_here(admin_client: Client) -> None:
    assert "No usage yet" in shown(admin_client)


def test_without_a_case_the_page_says_so(admin_client: Client, catalogue: None) -> None:
    send([event(1, at(5), input_tokens=10)])
    assert "Nothing to advise" in shown(admin_client)
    assert Organization.objects.filter(slug="acme").exists()


def test_advice_leads_to_the_pages_it_is_about(catalogue: None) -> None:
    failures("acme")
    text = shown(member("acme"))
    assert '<a href="/admin/projects/acme/web/ai-cost/?range=custom' in text
    assert '<a href="/admin/models/anthropic/claude-sonnet-4-5/?range=custom' in text


def test_advice_is_in_the_ledger_currency_and_not_asked_for_all_the_time(
    admin_client: Client, catalogue: None
) -> None:
    failures("acme")
    answer = admin_client.get(reverse("admin:advice") + f"{NOVEMBER}&currency=EUR")
    assert answer.context["question"].currency == "USD"
    assert 'data-refresh-seconds="600"' in answer.text
    assert "Group by" not in answer.text
