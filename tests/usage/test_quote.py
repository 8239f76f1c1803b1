from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import Settings
from rest_framework.test import APIClient

from pricing.exchange import DatedRate, set_rates
from pricing.models import Provider, RateCard
from pricing.publishing import Provenance
from pricing.rating import MeterPrice
from pricing.revision import begin_price_change
from tests.published import publish_price
from tests.usage.conftest import body
from usage.models import (
    APIKey,
    CallKind,
    DirtyMark,
    EventKey,
    Organization,
    Project,
    Subject,
    UsageEvent,
)
from usage.organizations import ensure_organization

pytestmark = pytest.mark.django_db

QUOTE = "/api/v1/prices/quote/"
CACHED: dict[str, Any] = {
    "cache_read_tokens": 300,
    "cache_write_tokens": 200,
    "cache_write_1h_tokens": 50,
}


def quote(client: APIClient | Client, **fields: Any) -> dict[str, Any]:
    answer = client.post(QUOTE, body(**fields), content_type="application/json")
    assert answer.status_code == 200, answer.content
    found: dict[str, Any] = answer.json()
    return found


@pytest.fixture
def client(client_for: Callable[..., APIClient]) -> Client:
    return sending(client_for("acme", "read"))


def sending(client: APIClient) -> Client:
    return Client(headers={"Authorization": client.defaults["HTTP_AUTHORIZATION"]})


def test_a_quote_names_each_charge_and_the_price_it_comes_from(client: Client) -> None:
    answer = quote(client, **CACHED)
    charges = {
        charge["meter"]: (charge["quantity"], charge["unit_price"], charge["amount"])
        for charge in answer["charges"]
    }
    assert charges == {
        "cache_read_tokens": (300, "0.3", "0.0000900000"),
        "cache_write_1h_tokens": (50, "6", "0.0003000000"),
        "cache_write_tokens": (150, "3.75", "0.0005625000"),
        "input_tokens": (500, "3", "0.0015000000"),
        "output_tokens": (100, "15", "0.0015000000"),
    }
    assert answer["cost"] == "0.0039525000"
    assert (answer["currency"], answer["exchange_rate"], answer["basis"]) == ("USD", None, "price")
    price = answer["price"]
    assert (price["provider"], price["model"]) == ("anthropic", "claude-sonnet-4-5")
    assert (price["service_tier"], price["currency"]) == ("standard", "USD")
    assert (price["effective_to"], answer["reason"]) == (None, None)
    assert answer["charges"][0]["currency"] == "USD"
    assert answer["charges"][0]["per"] == 1_000_000


def test_a_quote_is_what_storing_the_event_costs_and_stores_nothing(
    client_for: Callable[..., APIClient],
) -> None:
    client = client_for("acme", "ingest", "read")
    models = (UsageEvent, EventKey, DirtyMark, CallKind, Project, Subject, Organization)
    before = [model._default_manager.count() for model in models]
    quoted = quote(sending(client), **CACHED, tags={"a": "b"})
    assert [model._default_manager.count() for model in models] == before
    assert quote(sending(client), **CACHED, tags={"a": "b"}) == quoted
    stored = client.post("/api/v1/events/", body(**CACHED), format="json").json()
    assert stored["results"][0]["cost"] == quoted["cost"]


def test_the_id_and_the_time_may_be_left_out(client: Client) -> None:
    call = {"model": "gpt-4o", "provider": "openai", "input_tokens": 10}
    answer = client.post(QUOTE.rstrip("/"), call, content_type="application/json").json()
    asked = datetime.fromisoformat(answer["occurred_at"])
    assert abs((datetime.now(UTC) - asked).total_seconds()) < 60
    assert answer["cost"] == "0.0000250000"


def test_a_quote_reads_usage_objects_and_estimates(client: Client) -> None:
    usage = {"prompt_tokens": 2006, "completion_tokens": 1300,
             "prompt_tokens_details": {"cached_tokens": 1920}}  # fmt: skip
    call = {"provider": "openai", "model": "gpt-5", "input_tokens": 0, "output_tokens": 0}
    assert quote(client, **call, usage=usage)["cost"] == "0.0133475000"
    estimate = quote(client, **call, input_characters=4000, max_output_tokens=100)
    assert (estimate["cost"], estimate["estimated"]) == ("0.0022500000", True)


def test_meters_priced_as_their_whole_and_not_at_all_are_named(client: Client) -> None:
    answer = quote(client, meters={"input_audio_tokens": 100, "sheep": 3})
    assert answer["fallback_meters"] == ["input_audio_tokens"]
    assert answer["unpriced_meters"] == ["sheep"]
    assert answer["cost"] == "0.0045000000"


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"model": "nobody-knows"}, "no_price"),
        (
            {"provider": "openai", "model": "text-embedding-3-small", "input_tokens": 0},
            "no_meter_price",
        ),
    ],
)
def test_an_unpriced_call_is_told_why(client: Client, fields: dict[str, Any], code: str) -> None:
    answer = quote(client, **fields)
    assert (answer["cost"], answer["charges"], answer["price"]) == (None, [], None)
    assert answer["reason"]["code"] == code
    assert answer["unpriced_meters"][-1] == "output_tokens"


def test_without_an_exchange_rate_there_is_no_cost(client: Client, settings: Settings) -> None:
    settings.TALLYMAN_CURRENCY = "EUR"
    answer = quote(client)
    assert (answer["cost"], answer["reason"]["code"]) == (None, "no_exchange_rate")
    assert answer["reason"]["message"] == (
        "No exchange rate from USD to EUR is known for 2026-11-20."
    )


def test_charges_are_converted_one_by_one_and_still_add_up(
    client: Client, settings: Settings
) -> None:
    settings.TALLYMAN_CURRENCY = "EUR"
    rate = Decimal("0.912345678901")
    set_rates([DatedRate("USD", "EUR", date(2026, 11, 20), rate)], Provenance("test"))
    answer = quote(client, input_tokens=1237, output_tokens=331, cache_read_tokens=7)
    amounts = [Decimal(charge["amount"]) for charge in answer["charges"]]
    # 1230 * 3, 331 * 15 and 7 * 0.3 per million, times the rate, each rounded half up.
    assert sorted(map(str, amounts)) == ["0.0000019159", "0.0033665556", "0.0045297963"]
    assert Decimal(answer["cost"]) == sum(amounts)
    assert (answer["currency"], answer["exchange_rate"]) == ("EUR", str(rate))
    assert {charge["currency"] for charge in answer["charges"]} == {"USD"}


def test_a_reported_cost_that_counts_is_the_only_charge(client: Client) -> None:
    begin_price_change()
    Provider.objects.filter(slug="openrouter").update(reported_cost_counts=True)
    model = {"provider": "openrouter", "model": "anthropic/claude-sonnet-4.5"}
    answer = quote(client, **model, reported_cost="0.25", currency="USD")
    assert (answer["cost"], answer["basis"]) == ("0.2500000000", "reported_cost")
    [charge] = answer["charges"]
    assert (charge["meter"], charge["unit_price"], charge["amount"]) == (
        "reported_cost",
        "0.25",
        "0.2500000000",
    )
    foreign = quote(client, **model, reported_cost="0.25", currency="CHF")
    assert (foreign["cost"], foreign["reason"]["code"]) == (None, "no_exchange_rate")


def test_the_free_tier_has_no_charges(client: Client) -> None:
    answer = quote(client, free_tier=True)
    assert (answer["cost"], answer["basis"], answer["charges"]) == (
        "0.0000000000",
        "free_tier",
        [],
    )


def test_advice_in_a_usage_object_is_quoted_beside_the_call(client: Client) -> None:
    advice = {"type": "advisor_message", "model": "claude-opus-4-8",
              "input_tokens": 100, "output_tokens": 10}  # fmt: skip
    usage = {"input_tokens": 1000, "output_tokens": 100, "iterations": [advice]}
    answer = quote(client, input_tokens=0, output_tokens=0, usage=usage)
    assert answer["cost"] == "0.0045000000"
    [passed] = answer["advice"]
    assert (passed["model"], passed["cost"]) == ("claude-opus-4-8", "0.0007500000")


@pytest.mark.parametrize(
    ("fields", "field", "code"),
    [
        ({"input_tokens": -1}, "input_tokens", "negative"),
        ({"cache_read_tokens": 2000}, "cache_read_tokens", "part_larger_than_whole"),
        ({"colour": "red"}, "colour", "unknown_field"),
        ({"occurred_at": "2019-01-01T00:00:00Z"}, "occurred_at", "too_old"),
        ({"organization": "globex"}, "organization", "foreign_organization"),
        ({"meters": {"web_searches": 10**15}}, "meters", "out_of_range"),
    ],
)
def test_a_faulty_call_is_refused_field_by_field(
    client: Client, fields: dict[str, Any], field: str, code: str
) -> None:
    answer = client.post(QUOTE, body(**fields), content_type="application/json")
    assert (answer.status_code, answer["Content-Type"]) == (422, "application/problem+json")
    assert (answer.json()["errors"][0]["field"], answer.json()["errors"][0]["code"]) == (
        field,
        code,
    )


@pytest.mark.parametrize("raw", [b"[]", b"7", b"", b"{", b'{"model": }', b"\xff"])
def test_a_body_that_is_no_object_is_refused(client: Client, raw: bytes) -> None:
    answer = client.post(QUOTE, raw, content_type="application/json")
    assert (answer.status_code, answer["Content-Type"]) == (400, "application/problem+json")


def test_the_contracted_price_is_quoted_to_its_organization_alone(
    client_for: Callable[..., APIClient],
) -> None:
    card = RateCard.objects.create(name="acme deal", kind=RateCard.Kind.CONTRACTED)
    publish_price(
        rate_card=card,
        provider="anthropic",
        model="claude-sonnet-4-5",
        prices=[MeterPrice("input_tokens", Decimal(1), 1_000_000)],
        effective_from=datetime(2026, 1, 1, tzinfo=UTC),
        source=Provenance("test"),
    )
    ensure_organization("acme")
    Organization.objects.filter(slug="acme").update(rate_card=card)
    own = quote(sending(client_for("acme", "check")), output_tokens=0)
    assert (own["cost"], own["price"]["rate_card"]) == ("0.0010000000", "acme deal")
    site = sending(client_for(None, "read"))
    assert quote(site, output_tokens=0)["cost"] == "0.0030000000"
    assert quote(site, output_tokens=0, organization="acme")["cost"] == "0.0010000000"
    answer = site.post(QUOTE, body(organization="nobody"), content_type="application/json")
    assert answer.json()["errors"][0]["code"] == "unknown_organization"


@pytest.mark.parametrize(("scope", "status"), [("ingest", 403), ("manage", 403), ("check", 200)])
def test_a_key_needs_to_read_or_check(
    client_for: Callable[..., APIClient], scope: str, status: int
) -> None:
    key = sending(client_for("acme", scope))
    assert key.post(QUOTE, body(), content_type="application/json").status_code == status


def test_without_a_key_nothing_is_quoted(catalogue: None) -> None:
    answer = Client().post(QUOTE, body(), content_type="application/json")
    assert answer.status_code == 401


def test_staff_may_ask_for_organizations_they_see(
    catalogue: None, admin_user: User, admin_client: Client
) -> None:
    ensure_organization("acme")
    assert quote(admin_client)["cost"] == "0.0045000000"
    assert quote(admin_client, organization="acme")["cost"] == "0.0045000000"
    User.objects.filter(pk=admin_user.pk).update(is_superuser=False)
    hidden = admin_client.post(QUOTE, body(organization="acme"), content_type="application/json")
    assert hidden.json()["errors"][0]["code"] == "unknown_organization"


def test_the_keys_provider_holds_for_quotes_too(client: Client) -> None:
    APIKey.objects.update(provider="openrouter")
    call = {"model": "anthropic/claude-sonnet-4.5", "provider": ""}
    assert quote(client, **call)["price"]["provider"] == "openrouter"
