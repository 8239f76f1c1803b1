from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from pricing.models import PriceReview, PriceSync
from tests.pricing.pages import staff_client

pytestmark = pytest.mark.django_db
SYNCS = "admin:pricing_pricesync_changelist"
NOW = "admin:pricing_pricesync_now"
REVIEWS = "admin:pricing_pricereview_changelist"


@pytest.fixture(autouse=True)
def offline(settings: Settings) -> None:
    settings.TALLYMAN_PRICES_URL = ""
    settings.TALLYMAN_OPENROUTER_URL = ""


def review(**fields: Any) -> PriceReview:
    values: dict[str, Any] = {
        "source": "genai-prices",
        "provider": "openai",
        "model": "gpt-5",
        "service_tier": "standard",
        "digest": "d1",
        "fault": PriceReview.Fault.TOO_FAR,
        "meter": "input_tokens",
        "known_price": Decimal("1.25"),
        "listed_price": Decimal(15),
        "per": 1_000_000,
        "currency": "USD",
    }
    return PriceReview.objects.create(**{**values, **fields})


def act(client: Client, name: str, *reviews: PriceReview, query: str = "") -> Any:
    chosen = [row.pk for row in reviews]
    return client.post(
        reverse(REVIEWS) + query, {"action": name, "_selected_action": chosen}, follow=True
    )


def test_prices_are_synced_at_the_press_of_a_button(admin_client: Client, catalogue: None) -> None:
    listed = admin_client.get(reverse(SYNCS))
    assert "Sync now: genai-prices" in listed.text

    answer = admin_client.post(reverse(NOW), {"source": "genai-prices"}, follow=True)

    sync = PriceSync.objects.get()
    assert sync.status == PriceSync.Status.UNCHANGED
    assert "Synced from genai-prices: nothing new." in answer.text


def test_a_failed_sync_is_told_and_listed(admin_client: Client) -> None:
    answer = admin_client.post(reverse(NOW), {"source": "openrouter"}, follow=True)

    assert "Syncing from openrouter failed, nothing changed" in answer.text
    assert '<span class="tm-badge o">Failed</span>' in answer.text
    assert "TALLYMAN_OPENROUTER_URL is empty" in answer.text


def test_only_a_post_to_a_known_source_syncs(admin_client: Client, admin_user: User) -> None:
    assert admin_client.get(reverse(NOW)).status_code == 405
    assert "cannot be synced" in admin_client.post(
        reverse(NOW), {"source": "elsewhere"}, follow=True
    ).text  # fmt: skip
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(admin_user)
    assert strict.post(reverse(NOW), {"source": "genai-prices"}).status_code == 403
    assert not PriceSync.objects.exists()


def test_syncing_needs_a_right() -> None:
    reader = staff_client("rita", "view_pricesync", "view_pricereview")

    listed = reader.get(reverse(SYNCS))
    assert listed.status_code == 200
    assert "Sync now" not in listed.text
    assert reader.post(reverse(NOW), {"source": "genai-prices"}).status_code == 403
    assert staff_client("nina").get(reverse(SYNCS)).status_code == 403


def test_syncs_are_read_only(admin_client: Client) -> None:
    row = PriceSync.objects.create(source="x", status="changed", started_at=timezone.now())

    page = reverse("admin:pricing_pricesync_change", args=[row.pk])
    assert admin_client.get(page).status_code == 200
    assert admin_client.post(page, {"error": ""}).status_code == 403


def test_reviews_show_both_prices_and_how_far_they_are_apart(admin_client: Client) -> None:
    review()
    review(digest="d2", meter="web_searches", known_price=None, per=1000)
    review(digest="d3", known_price=Decimal(4), listed_price=Decimal("0.25"))

    text = admin_client.get(reverse(REVIEWS)).text

    for shown in ("1.25 USD per 1 M", "15 USD per 1 M", "12.0 times higher", "16.0 times lower"):
        assert shown in text
    assert "15 USD per 1,000" in text


def test_decided_reviews_leave_the_list(admin_client: Client, admin_user: User) -> None:
    first, second = review(), review(digest="d2")

    answer = act(admin_client, "dismiss_selected", first)

    assert "1 dismissed." in answer.text
    assert [row.pk for row in answer.context["cl"].result_list] == [second.pk]
    first.refresh_from_db()
    assert (first.status, first.decided_by) == (PriceReview.Status.DISMISSED, admin_user)
    again = act(admin_client, "dismiss_selected", first, query="?state=all")
    assert "None of these can be dismissed any more." in again.text


def test_accepting_syncs_at_once(admin_client: Client, catalogue: None) -> None:
    row = review()

    answer = act(admin_client, "accept_selected", row)

    row.refresh_from_db()
    assert row.status == PriceReview.Status.ACCEPTED
    assert "1 accepted." in answer.text
    assert PriceSync.objects.filter(source="genai-prices").count() == 1


def test_accepting_says_when_the_sync_fails(admin_client: Client) -> None:
    answer = act(admin_client, "accept_selected", review(source="openrouter"))

    assert "the next sync stores them" in answer.text


def test_deciding_needs_a_right() -> None:
    row = review()
    reader = staff_client("rita", "view_pricereview")

    listed = reader.get(reverse(REVIEWS))
    assert "accept_selected" not in listed.text
    act(reader, "accept_selected", row)
    row.refresh_from_db()
    assert row.status == PriceReview.Status.OPEN


def test_empty_lists_say_what_they_are_for(admin_client: Client) -> None:
    assert "No price syncs yet" in admin_client.get(reverse(SYNCS)).text
    assert "Nothing to review" in admin_client.get(reverse(REVIEWS)).text
