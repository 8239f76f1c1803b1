from datetime import UTC, datetime

import pytest
from django.db import connection

from pricing.price_book import PriceBook, current_book

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
