from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import Settings

from pricing.exchange import DatedRate, set_rates
from pricing.models import Provider
from pricing.publishing import Provenance
from pricing.revision import begin_price_change
from tests.usage.conftest import NOON, event
from usage.ingest.pipeline import Caller, ingest
from usage.links import event_url
from usage.models import CallKind, UsageEvent
from usage.selectors.quotes import explain_event

pytestmark = pytest.mark.django_db

Page = Callable[..., str]


@pytest.fixture
def page(caller: Caller, admin_user: User, admin_client: Client) -> Page:
    def shown(**fields: Any) -> str:
        assert ingest([event(**fields)], caller).accepted == 1
        stored = UsageEvent.objects.get()
        return admin_client.get(event_url(stored.organization_id, stored.event_id)).content.decode()

    return shown


def test_a_converted_cost_shows_its_rate_and_both_currencies(
    page: Page, settings: Settings
) -> None:
    settings.TALLYMAN_CURRENCY = "EUR"
    set_rates([DatedRate("USD", "EUR", date(2026, 11, 20), Decimal("0.9"))], Provenance("test"))
    text = page()
    assert "0.0040500000 EUR" in text
    assert "1 USD = 0.9 EUR" in text
    assert "Unit price (USD)" in text
    assert ">0.0027000000<" in text
    assert ">0.0013500000<" in text


def test_charges_of_a_stored_event_add_up_to_its_cost_at_an_odd_rate(
    page: Page, settings: Settings
) -> None:
    settings.TALLYMAN_CURRENCY = "EUR"
    rate = Decimal("0.912345678901")
    set_rates([DatedRate("USD", "EUR", date(2026, 11, 1), rate)], Provenance("test"))
    page(
        input_tokens=1237,
        output_tokens=331,
        cache_read_tokens=7,
        meters={"web_searches": Decimal(3)},
    )
    stored = UsageEvent.objects.select_related("kind").get()
    explanation = explain_event(stored, "EUR")
    assert len(explanation.charges) == 4
    assert sum(charge.amount for charge in explanation.charges) == stored.cost


def test_a_reported_cost_that_counts_is_said_to(page: Page) -> None:
    begin_price_change()
    Provider.objects.filter(slug="openrouter").update(reported_cost_counts=True)
    text = page(
        provider="openrouter",
        model="anthropic/claude-sonnet-4.5",
        reported_cost=Decimal("0.25"),
        currency="USD",
    )
    assert "the reported cost, which counts for this provider" in text
    assert ">reported_cost<" in text
    assert "By price version" not in text


def test_meters_priced_as_their_whole_or_not_at_all_are_flagged(page: Page) -> None:
    text = page(meters={"input_audio_tokens": Decimal(100), "sheep": Decimal(3)})
    assert "input_audio_tokens: priced as the tokens it is part of" in text
    assert "sheep: not priced" in text


def test_the_free_tier_is_named(page: Page) -> None:
    text = page(free_tier=True)
    assert "the free tier" in text
    assert "Charges" not in text


def test_an_adjustment_says_what_it_adjusts(
    caller: Caller, admin_user: User, admin_client: Client
) -> None:
    ingest([event()], caller)
    UsageEvent.objects.update(
        state=UsageEvent.State.ADJUSTMENT,
        cost=Decimal("-0.5"),
        price_version=None,
        input_tokens=0,
        output_tokens=0,
        tags={"adjusts": "2026-09", "rating_run": "12"},
    )
    stored = UsageEvent.objects.get()
    text = admin_client.get(event_url(stored.organization_id, "e1")).content.decode()
    assert "the differences that re-rating made in a closed month" in text
    assert "changed costs of 2026-09" in text
    assert "/ratingrun/12/" in text
    assert "-0.5000000000 USD" in text
    assert "Charges" not in text


def test_an_event_of_a_vanished_price_version_still_has_a_page(
    caller: Caller, admin_user: User, admin_client: Client
) -> None:
    ingest([event()], caller)
    UsageEvent.objects.update(price_version_id=2_000_000_000)
    stored = UsageEvent.objects.get()
    answer = admin_client.get(event_url(stored.organization_id, "e1"))
    assert answer.status_code == 200
    assert CallKind.objects.get().model == "claude-sonnet-4-5"
    assert stored.occurred_at == NOON
