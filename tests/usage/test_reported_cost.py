from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings
from rest_framework.test import APIClient

from pricing.exchange import DatedRate, set_rates
from pricing.models import Provider
from pricing.publishing import Provenance
from pricing.rating import Units
from pricing.revision import begin_price_change
from tests.usage.conftest import body
from usage.ingest.rating import split_as_rated
from usage.models import UsageEvent

MODEL = {"provider": "openrouter", "model": "anthropic/claude-sonnet-4.5"}


@pytest.fixture
def trusting(catalogue: None) -> None:
    begin_price_change()
    Provider.objects.filter(slug="openrouter").update(reported_cost_counts=True)


def stored(client: APIClient, **fields: Any) -> UsageEvent:
    answer = client.post("/api/v1/events/", body(**{**MODEL, **fields}), format="json")
    assert answer.json().get("accepted") == 1, answer.json()
    return UsageEvent.objects.get()


def parts(event: UsageEvent) -> list[Decimal | int | None]:
    return [event.cost, event.input_cost, event.output_cost, event.cache_cost]


@pytest.mark.django_db
def test_a_reported_cost_is_kept_beside_the_rated_one_of_a_provider_that_is_not_trusted(
    client: APIClient,
) -> None:
    event = stored(client, reported_cost="0.5", currency="USD")
    assert event.reported_cost == Decimal("0.5")
    assert event.cost == Decimal("0.0045")
    assert event.price_version_id is not None


@pytest.mark.django_db
def test_the_reported_cost_counts_for_a_trusted_provider_split_like_the_rated_one(
    trusting: None, client: APIClient
) -> None:
    # Rated, 1000 in at 3 (of which 400 cached at 0.3) and 100 out at 15 are
    # 0.0018 + 0.00012 + 0.0015 = 0.00342; half of that was reported.
    event = stored(client, cache_read_tokens=400, reported_cost="0.00171", currency="USD")
    expected = ("0.00171", "0.00096", "0.00075", "0.00006")
    assert parts(event) == list(map(Decimal, expected))
    assert (event.price_version_id, event.exchange_rate) == (None, None)


@pytest.mark.django_db
def test_the_cost_in_the_usage_object_counts_too(trusting: None, client: APIClient) -> None:
    usage = {"prompt_tokens": 2000, "completion_tokens": 500, "cost": 0.0123}
    event = stored(client, input_tokens=0, output_tokens=0, usage=usage)
    assert event.cost == Decimal("0.0123")


@pytest.mark.django_db
def test_a_reported_cost_of_nothing_is_nothing(trusting: None, client: APIClient) -> None:
    assert parts(stored(client, reported_cost=0)) == [0, 0, 0, 0]


@pytest.mark.django_db
def test_without_a_price_the_reported_cost_has_no_parts(trusting: None, client: APIClient) -> None:
    event = stored(client, model="nobody/knows-it", reported_cost="0.2")
    assert parts(event) == [Decimal("0.2"), 0, 0, 0]


@pytest.mark.django_db
def test_a_trusted_provider_that_reports_no_cost_is_rated_by_its_price(
    trusting: None, client: APIClient
) -> None:
    assert stored(client).cost == Decimal("0.0045")


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["OpenRouter", " openrouter "])
def test_a_provider_is_trusted_under_every_name_it_is_known_by(
    trusting: None, client: APIClient, name: str
) -> None:
    assert stored(client, provider=name, reported_cost="0.2").cost == Decimal("0.2")


@pytest.mark.django_db
def test_a_reported_cost_is_converted_by_the_rate_of_the_day(
    trusting: None, client: APIClient, settings: Settings
) -> None:
    settings.TALLYMAN_CURRENCY = "EUR"
    rates = [
        DatedRate("USD", "EUR", date(2026, 11, 20), Decimal("0.9")),
        DatedRate("USD", "EUR", date(2026, 11, 21), Decimal("0.8")),
    ]
    set_rates(rates, Provenance("test"))
    event = stored(client, reported_cost="0.5", currency="USD")
    assert event.cost == Decimal("0.45")
    assert event.exchange_rate == Decimal("0.9")


@pytest.mark.django_db
def test_a_reported_cost_that_cannot_be_converted_is_no_cost(
    trusting: None, client: APIClient
) -> None:
    event = stored(client, reported_cost="0.5", currency="CHF")
    assert parts(event) == [None, None, None, None]
    assert event.reported_cost == Decimal("0.5")


@pytest.mark.django_db
def test_the_free_tier_stays_free_whatever_is_reported(trusting: None, client: APIClient) -> None:
    assert parts(stored(client, free_tier=True, reported_cost="0.5")) == [0, 0, 0, 0]


@pytest.mark.django_db
def test_the_exchange_rate_of_an_event_is_shown_with_it(
    trusting: None, client_for: Callable[..., APIClient], settings: Settings
) -> None:
    settings.TALLYMAN_CURRENCY = "EUR"
    set_rates([DatedRate("USD", "EUR", date(2026, 11, 1), Decimal("0.9"))], Provenance("test"))
    client = client_for()
    stored(client)
    shown: Mapping[str, Any] = client.get("/api/v1/events/e1/").json()
    assert Decimal(shown["exchange_rate"]) == Decimal("0.9")
    assert Decimal(shown["receipt"]["cost"]) == Decimal("0.00405")


amounts = st.integers(0, 10**19)


@given(cost=amounts, plain=amounts, cache=amounts, output=amounts, other=amounts)
def test_parts_never_exceed_the_whole_and_make_it_up_where_nothing_else_was_rated(
    cost: int, plain: int, cache: int, output: int, other: int
) -> None:
    rated = Units(1, plain + cache + output + other, plain + cache, output, cache)
    split = split_as_rated(cost, rated)
    assert split.cost == cost
    assert 0 <= split.cache_cost <= split.input_cost
    assert split.input_cost + split.output_cost <= cost
    assert split.output_cost >= 0
    if rated.cost and not other:
        assert split.input_cost + split.output_cost == cost
