from datetime import date
from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from tests.config.site_data import UNKNOWN, at, event, send
from usage.cost_centres import assign_project, ensure_cost_centre
from usage.models import ClosedMonth, Organization, Project

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


def test_amounts_lead_to_the_events_of_the_month_behind_them(administrator: Client) -> None:
    assign_web()
    answer = administrator.get(reverse("admin:chargeback") + MONTH)
    lines = [line for group in answer.context["accounts"] for line in group.lines]
    assert lines
    for line in lines:
        behind = administrator.get(line.events_url)
        assert behind.context["cl"].result_count == line.row.sums.events
        assert line.events_url.replace("&", "&amp;") in answer.text
        unknown = administrator.get(line.unpriced_url).context["cl"].result_count
        assert unknown == line.row.sums.unpriced_events
        assert (line.unpriced_url.replace("&", "&amp;") in answer.text) is (unknown > 0)
    api = next(line for line in lines if line.row.project == "api")
    assert administrator.get(api.page_url).context["totals"].cost == api.cost
    assert next(line for line in lines if line.row.project is None).page_url == ""
    url = answer.context["unpriced_url"]
    assert administrator.get(url).context["cl"].result_count == 1
    assert f'href="{url.replace("&", "&amp;")}"' in answer.text


def test_what_is_wholly_unpriced_costs_an_unknown_amount(administrator: Client) -> None:
    send([event("odd", at(12), model=UNKNOWN, provider="local", project="lab", input_tokens=5)])
    answer = administrator.get(reverse("admin:chargeback") + MONTH)
    lines = {line.row.project: line for g in answer.context["accounts"] for line in g.lines}
    assert lines["lab"].cost is None
    assert ">unpriced</a>" in answer.text


def test_a_closed_month_is_marked(administrator: Client, admin_client: Client) -> None:
    assert "tm-badge k" not in shown(administrator)
    acme = Organization.objects.get(slug="acme")
    ClosedMonth.objects.create(organization=acme, month=date(2026, 11, 1))
    assert '<span class="tm-badge k">closed</span>' in shown(administrator)
    assert '<span class="tm-badge k">closed for acme</span>' in shown(admin_client)
    assert "tm-badge k" not in shown(admin_client, f"{MONTH}&organization=globex")


def test_members_learn_nothing_of_the_closed_months_of_others(administrator: Client) -> None:
    globex = Organization.objects.get(slug="globex")
    ClosedMonth.objects.create(organization=globex, month=date(2026, 11, 1))
    assert "tm-badge k" not in shown(administrator)
