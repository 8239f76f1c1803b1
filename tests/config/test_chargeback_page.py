from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from usage.cost_centres import assign_project, ensure_cost_centre
from usage.models import Organization, Project

pytestmark = pytest.mark.django_db
MONTH = "?month=2026-11"


def shown(client: Client, query: str = MONTH) -> str:
    answer = client.get(reverse("admin:chargeback") + query)
    assert answer.status_code == 200
    return answer.text


def assign_web() -> None:
    acme = Organization.objects.get(slug="acme")
    web = Project.objects.get(organization=acme, slug="web")
    assign_project(web, ensure_cost_centre(acme, "4100", "Shop"), timezone.now().date().replace(
        year=2026, month=1, day=1
    ))  # fmt: skip


def test_the_page_shows_each_cost_centre_with_what_is_behind_it(administrator: Client) -> None:
    assign_web()
    text = shown(administrator)
    assert "<b>4100</b> Shop" in text
    assert "Not assigned" in text
    # web: 200,000 tokens in ($0.60) and 100,000 out ($1.50) of Sonnet; all of acme is $4.43.
    assert "$2.10" in text
    assert "$4.43" in text
    assert "globex" not in text


def test_administrators_are_led_to_what_is_not_assigned(
    administrator: Client, admin_client: Client
) -> None:
    api = Project.objects.get(slug="api")
    url = reverse("admin:usage_project_change", args=(api.pk,))
    assert f'<a href="{url}">Assign…</a>' in shown(administrator)
    assert f'<a href="{url}">Assign…</a>' in shown(admin_client)
    assert administrator.get(url).status_code == 200


def test_viewers_see_the_page_without_links_to_assign(viewer: Client) -> None:
    text = shown(viewer)
    assert "Not assigned" in text
    assert "Assign…" not in text


def test_one_organization_can_be_asked_for(admin_client: Client, usage: None) -> None:
    assert "acme" in shown(admin_client)
    text = shown(admin_client, f"{MONTH}&organization=globex")
    assert "site" in text
    assert "$1.00" in text
    assert "$4.43" not in text


def test_what_was_not_understood_is_said(viewer: Client) -> None:
    assert "is not a month such as 2026-11" in shown(viewer, "?month=soon")
    assert "Years lie between" in shown(viewer, "?month=0001-01")


def test_a_month_without_usage_says_what_will_be_here(viewer: Client) -> None:
    text = shown(viewer, "?month=2020-01")
    assert "Nothing was used in January 2020" in text
    assert "CSV" in text


def test_the_csv_has_what_the_page_shows(administrator: Client) -> None:
    assign_web()
    answer = administrator.get(reverse("admin:chargeback_csv") + MONTH)
    text = b"".join(answer.streaming_content).decode()  # type: ignore[attr-defined]
    header, *lines = [line.split(",") for line in text.splitlines()]
    cost = header.index("cost")
    assert next(line[:6] for line in lines) == ["2026-11", "acme", "4100", "Shop", "web", ""]
    assert sum(Decimal(line[cost]) for line in lines) == Decimal("4.43")
    assert "chargeback-2026-11.csv" in answer.headers["Content-Disposition"]


def test_strangers_are_sent_to_the_login(client: Client) -> None:
    for name in ("chargeback", "chargeback_csv", "advice"):
        answer = client.get(reverse(f"admin:{name}"))
        assert answer.status_code == 302
        assert "/login/" in answer.headers["Location"]
