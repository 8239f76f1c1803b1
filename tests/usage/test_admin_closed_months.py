from datetime import date

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from tests.config.site_data import event, send
from tests.usage.admin_pages import administrator_client, viewer_client
from tests.usage.conftest import NOON
from usage.admin.closed_months import ended_months
from usage.models import ClosedMonth, Organization

pytestmark = pytest.mark.django_db
LIST = "admin:usage_closedmonth_changelist"
ADD = "admin:usage_closedmonth_add"


@pytest.fixture(autouse=True)
def usage(catalogue: None) -> None:
    send([event(1, NOON.replace(month=9), input_tokens=5)])


@pytest.fixture
def september() -> dict[str, str]:
    return {"organization": "acme", "month": "2026-09-01"}


def test_an_empty_list_says_what_closing_is_for(admin_client: Client) -> None:
    assert "posts differences as adjustments" in admin_client.get(reverse(LIST)).text


def test_months_that_ended_are_offered() -> None:
    months = ended_months(date(2026, 3, 31))

    assert months[:3] == [date(2026, 2, 1), date(2026, 1, 1), date(2025, 12, 1)]
    assert len(months) == 24


def test_a_month_is_closed_once(
    admin_client: Client, admin_user: User, september: dict[str, str]
) -> None:
    answer = admin_client.post(reverse(ADD), september, follow=True)

    closed = ClosedMonth.objects.get()
    assert (str(closed.organization), closed.month, closed.closed_by) == (
        "acme", date(2026, 9, 1), admin_user,
    )  # fmt: skip
    assert "September 2026" in answer.text
    again = admin_client.post(reverse(ADD), september)
    assert again.context["form"].non_field_errors()
    assert ClosedMonth.objects.count() == 1


def test_a_month_with_unpriced_usage_stays_open(
    admin_client: Client, september: dict[str, str]
) -> None:
    send([event(2, NOON.replace(month=9), model="llama-farm-7b", input_tokens=5)])

    answer = admin_client.post(reverse(ADD), september)

    assert "has no price" in answer.context["form"].non_field_errors().as_text()
    assert not ClosedMonth.objects.exists()


@pytest.mark.parametrize("month", ["2099-01-01", "2026-09-02", "", "x"])
def test_only_a_month_that_ended_can_be_chosen(admin_client: Client, month: str) -> None:
    answer = admin_client.post(reverse(ADD), {"organization": "acme", "month": month})

    assert answer.context["form"].errors["month"]
    assert not ClosedMonth.objects.exists()


def test_closed_months_are_never_changed_or_deleted(
    admin_client: Client, september: dict[str, str]
) -> None:
    admin_client.post(reverse(ADD), september)
    page = reverse("admin:usage_closedmonth_change", args=[ClosedMonth.objects.get().pk])

    assert admin_client.get(page).status_code == 200
    assert admin_client.post(page, september).status_code == 403
    assert (
        admin_client.post(page.replace("/change/", "/delete/"), {"post": "yes"}).status_code == 403
    )
    assert "delete_selected" not in admin_client.get(reverse(LIST)).text


def test_viewers_look_on(september: dict[str, str]) -> None:
    vera = viewer_client()

    assert "Close a month…" not in vera.get(reverse(LIST)).text
    assert vera.get(reverse(ADD)).status_code == 403
    assert vera.post(reverse(ADD), september).status_code == 403


def test_an_administrator_closes_months_of_the_own_organization_only(
    september: dict[str, str],
) -> None:
    adam = administrator_client()

    refused = adam.post(reverse(ADD), {**september, "organization": "globex"})
    assert refused.context["form"].errors["organization"]
    assert adam.post(reverse(ADD), september).status_code == 302
    theirs = ClosedMonth.objects.create(
        organization=Organization.objects.get(slug="globex"), month=date(2026, 8, 1)
    )
    listed = adam.get(reverse(LIST)).context["cl"].result_list
    assert [str(row.organization) for row in listed] == ["acme"]
    assert adam.get(reverse("admin:usage_closedmonth_change", args=[theirs.pk])).status_code == 302
