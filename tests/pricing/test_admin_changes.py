from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse

from pricing.catalogue import load_catalogue
from pricing.models import CatalogueSource, PriceChange, PriceVersion
from pricing.publishing import PriceItem, Provenance, set_prices
from pricing.rating import MeterPrice
from pricing.selectors import MANUAL, named_card
from pricing.selectors.records import SHOWN_VERSIONS, price_differences, price_text
from tests.pricing.pages import staff_client

pytestmark = pytest.mark.django_db
LIST = "admin:pricing_pricechange_changelist"
START = datetime(2026, 11, 1, tzinfo=UTC)


def publish(amount: str, day: int = 1, **fields: str) -> PriceChange:
    item = PriceItem(
        "local", "farm-7b", fields.get("meter", "input_tokens"), Decimal(amount), "USD",
        effective_from=START.replace(day=day),
    )  # fmt: skip
    return set_prices(named_card(MANUAL), [item], Provenance("manual", reason="test of records"))


def page_of(client: Client, change: PriceChange) -> str:
    return client.get(reverse("admin:pricing_pricechange_change", args=[change.pk])).text


def test_the_record_shows_who_what_why_and_how_much(admin_client: Client) -> None:
    publish("3")

    text = admin_client.get(reverse(LIST)).text

    assert "Prices set" in text
    assert "test of records" in text
    assert "2026-11-01 00:00" in text


def test_a_page_shows_the_difference_of_every_price(admin_client: Client) -> None:
    publish("3")
    change = publish("4.5", day=2)

    (difference,) = price_differences(change)

    assert (difference.provider, difference.model, difference.meter) == (
        "local", "farm-7b", "input_tokens",
    )  # fmt: skip
    assert (difference.before, difference.after, difference.percent) == ("3", "4.5", Decimal(50))
    text = page_of(admin_client, change)
    assert "+50.0 %" in text
    assert reverse("admin:pricing_priceversion_change", args=[difference.version_id]) in text


def test_a_first_price_has_nothing_before_it() -> None:
    (difference,) = price_differences(publish("3"))

    assert (difference.before, difference.after, difference.percent) == (None, "3", None)


def test_a_price_over_the_list_is_compared_with_the_list(catalogue: None) -> None:
    item = PriceItem(
        "anthropic", "claude-sonnet-4-5", "output_tokens", Decimal("13.5"), "USD",
        effective_from=START,
    )  # fmt: skip

    (difference,) = price_differences(set_prices(named_card(MANUAL), [item], Provenance("manual")))

    assert (difference.before, difference.after) == ("15", "13.5")
    assert difference.percent == Decimal(-10)


def test_prices_for_other_units_say_so() -> None:
    tiers = ((200_000, Decimal(12)),)

    assert price_text(MeterPrice("web_searches", Decimal(10), 1000)) == "10 per 1,000"
    assert price_text(MeterPrice("input_tokens", Decimal("6.50"), 1_000_000, tiers)) == (
        "6.5, 12 above 200,000"
    )


def test_meters_that_stay_are_no_difference() -> None:
    publish("3")
    publish("9", day=1, meter="output_tokens")

    (difference,) = price_differences(publish("4", day=3))

    assert difference.meter == "input_tokens"


def test_a_bulk_change_shows_a_bounded_part(admin_client: Client, catalogue: None) -> None:
    change = PriceChange.objects.filter(action=PriceChange.Action.SYNC).order_by("id")[0]
    assert PriceVersion.objects.filter(change=change).count() > SHOWN_VERSIONS

    differences = price_differences(change)

    assert len({item.version_id for item in differences}) == SHOWN_VERSIONS
    assert f"The first {SHOWN_VERSIONS} versions" in page_of(admin_client, change)


def test_the_record_cannot_be_changed(admin_client: Client) -> None:
    change = publish("3")
    page = reverse("admin:pricing_pricechange_change", args=[change.pk])

    assert admin_client.post(page, {"reason": "another"}).status_code == 403
    assert admin_client.get(reverse("admin:pricing_pricechange_add")).status_code == 403
    assert admin_client.post(page.replace("change/", "delete/")).status_code in (302, 403, 404)
    assert PriceChange.objects.filter(pk=change.pk, reason="test of records").exists()


def test_the_record_needs_a_right() -> None:
    change = publish("3")

    for client in (staff_client("nina"), staff_client("rita", "view_priceversion")):
        assert client.get(reverse(LIST)).status_code == 403
        page = reverse("admin:pricing_pricechange_change", args=[change.pk])
        assert client.get(page).status_code == 403


def test_loading_again_records_nothing(catalogue: None) -> None:
    count = PriceChange.objects.count()
    CatalogueSource.objects.update(digest="")

    load_catalogue()

    assert PriceChange.objects.count() == count
