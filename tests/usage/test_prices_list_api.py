from collections.abc import Callable
from decimal import Decimal

import pytest
from rest_framework.test import APIClient

from pricing.models import PriceVersion
from pricing.publishing import PriceItem, Provenance, set_prices
from pricing.selectors import MANUAL, named_card
from tests.usage.price_calls import SONNET, URL, listed, price, put

pytestmark = pytest.mark.django_db
ClientFor = Callable[..., APIClient]


def test_the_list_has_every_meter_per_million_with_its_tiers(client: APIClient) -> None:
    rows = {row["meter"]: row for row in listed(client, **SONNET)}

    assert {"input_tokens", "output_tokens", "cache_read_tokens"} <= set(rows)
    row = rows["output_tokens"]
    assert (row["unit_price"], row["per"], row["currency"]) == ("15", 1_000_000, "USD")
    assert row["tiers"] == [{"above": 200_000, "unit_price": "22.5"}]
    assert (row["rate_card"], row["rate_card_kind"]) == ("catalogue", "list")
    assert (row["effective_from"], row["effective_to"], row["graduated"]) == (None, None, False)
    assert row["version"] == PriceVersion.objects.get(
        model__name="claude-sonnet-4-5", service_tier="standard", effective_to=None,
        model__provider__slug="anthropic",
    ).pk  # fmt: skip


def test_prices_stated_for_other_units_are_shown_per_million_too(client: APIClient) -> None:
    card = named_card(MANUAL)
    by_hand = Provenance("manual")
    items = [
        PriceItem("shop", "m", "web_searches", Decimal(10), "USD", per=1000),
        PriceItem("shop", "m", "audio_seconds", Decimal("0.1"), "USD", per=3600),
    ]
    set_prices(card, items, by_hand)

    rows = {row["meter"]: row for row in listed(client, provider="shop")}

    assert rows["web_searches"]["unit_price"] == "10000"
    assert rows["web_searches"]["stated"] == {"unit_price": "10", "per": 1000}
    assert rows["audio_seconds"]["unit_price"] == "27.7777777778"
    assert rows["audio_seconds"]["stated"] == {"unit_price": "0.1", "per": 3600}


def test_reading_needs_the_scope_read(client_for: ClientFor) -> None:
    assert client_for("acme", "ingest").get(URL).status_code == 403
    assert APIClient().get(URL).status_code == 401


def test_prices_of_other_times_are_listed_at_those_times(client_for: ClientFor) -> None:
    manager = client_for(None, "manage", "read")
    put(manager, price(effective_from="2026-11-01T00:00:00Z"))
    put(manager, price(unit_price="9", effective_from="2030-01-01T00:00:00+01:00"))

    assert listed(manager, provider="shop", at="2026-10-31T23:59:59Z") == []
    (before,) = listed(manager, provider="shop", at="2026-11-01")
    assert (before["unit_price"], before["effective_to"]) == ("8.03", "2029-12-31T23:00:00Z")
    (after,) = listed(manager, provider="shop", at="2030-01-01T00:00:00+01:00")
    assert (after["unit_price"], after["effective_to"]) == ("9", None)


def test_filters_narrow_the_list(client: APIClient) -> None:
    assert {row["provider"] for row in listed(client, provider="OpenAI")} == {"openai"}
    assert all("haiku" in row["model"] for row in listed(client, model="haiku"))
    assert listed(client, currency="EUR") == []
    assert listed(client, rate_card="catalogue", provider="mistral") != []
    assert listed(client, rate_card_kind="contracted") == []
    assert {row["service_tier"] for row in listed(client, service_tier="batch")} == {"batch"}
    assert listed(client, currency="usd", model="") == listed(client)


def test_pages_lead_forth_and_back(client: APIClient) -> None:
    everything = listed(client, provider="anthropic")
    answer = client.get(URL, {"provider": "anthropic", "limit": "100"}).json()
    assert answer["previous"] is None
    pages = [answer]
    while pages[-1]["next"]:
        pages.append(client.get(pages[-1]["next"]).json())
    assert [row for page in pages for row in page["results"]] == everything
    assert client.get(pages[-1]["previous"]).json()["results"] == pages[-2]["results"]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"cursor": "x"}, "cursor"),
        ({"limit": "10001"}, "limit"),
        ({"at": "yesterday"}, "at"),
        ({"service_tier": "slow"}, "service_tier"),
        ({"rate_card_kind": "cheap"}, "rate_card_kind"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_a_wrong_parameter_is_named(client: APIClient, query: dict[str, str], field: str) -> None:
    answer = client.get(URL, query)
    assert answer.status_code == 400
    assert [error["field"] for error in answer.json()["errors"]] == [field]
