from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from django.db import connection
from pytest_django import DjangoDbBlocker

from pricing.catalogue import load_catalogue
from pricing.models import CatalogueSource
from pricing.price_book import PriceBook, current_book

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.fixture(scope="package")
def committed_catalogue(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker
) -> Iterator[None]:
    # Loading takes seconds, so it is done once for the package; other packages' tests find the
    # tables as empty as before.
    with django_db_blocker.unblock():
        load_catalogue()
    yield
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        cursor.execute("TRUNCATE pricing_provider, pricing_cataloguesource CASCADE")
        connection.close()


@pytest.fixture
def catalogue(committed_catalogue: None, db: None) -> None:
    # A transactional test that ran before has emptied every table.
    if not CatalogueSource.objects.exists():
        load_catalogue()


@pytest.fixture
def book(catalogue: None) -> PriceBook:
    return current_book()


@pytest.fixture
def noon() -> datetime:
    return datetime(2026, 11, 20, 12, tzinfo=UTC)
