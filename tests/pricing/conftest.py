from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.db import connection
from pytest_django import Settings

from pricing.catalogue import loading
from pricing.catalogue.listing import ListedModel, ListedPeriod, ListedProvider
from pricing.models.rates import BEGINNING
from pricing.price_book import PriceBook, current_book
from pricing.rating import MeterPrice
from tests.pricing.price_server import PriceServer, serving

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.fixture
def no_prices(db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE pricing_provider, pricing_cataloguesource CASCADE")


@pytest.fixture
def book(catalogue: None) -> PriceBook:
    return current_book()


@pytest.fixture
def noon() -> datetime:
    return datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.fixture
def price_server(settings: Settings) -> Iterator[PriceServer]:
    with serving() as server:
        settings.TALLYMAN_PRICES_URL = server.url
        settings.TALLYMAN_OPENROUTER_URL = server.url
        yield server


@pytest.fixture
def small_catalogue(monkeypatch: pytest.MonkeyPatch) -> None:
    price = MeterPrice("input_tokens", Decimal(4), 1_000_000)
    period = ListedPeriod("standard", None, None, BEGINNING, None, (price,))
    model = ListedModel("openai/gpt-4o", (("exact", "openai/gpt-4o"),), (period,))
    listed = [ListedProvider("openrouter", "OpenRouter", (), (), (), (model,))]
    monkeypatch.setattr(loading, "listed_providers", lambda: listed)
