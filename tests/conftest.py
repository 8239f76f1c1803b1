import os
import re
from collections.abc import Iterator

import psutil
import psycopg
import pytest
from pytest_django import DjangoDbBlocker

from config.embedded import EmbeddedServer, data_folder, embedded_wanted
from pricing.catalogue import load_catalogue
from pricing.models import CatalogueSource, PriceVersion
from usage.ingest import identities, partitions


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    django_db_modify_db_settings_parallel_suffix: None,
) -> Iterator[None]:
    if not embedded_wanted(os.environ):
        yield
        return
    server = EmbeddedServer(data_folder(os.environ))
    server.attach()
    drop_databases_of_dead_runs(server)
    yield
    server.detach()


def drop_databases_of_dead_runs(server: EmbeddedServer) -> None:
    with psycopg.connect(server.conninfo, autocommit=True) as connection:
        names = connection.execute("SELECT datname FROM pg_database WHERE datname ~ '^test_'")
        for (name,) in names.fetchall():
            process = re.match(r"test_tallyman_(\d+)", name)
            if process and not psutil.pid_exists(int(process[1])):
                connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


@pytest.fixture(autouse=True)
def fresh_process_caches() -> Iterator[None]:
    identities.forget()
    partitions.forget()
    yield
    identities.forget()
    partitions.forget()


_blocker_of_this_database: list[DjangoDbBlocker] = []


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> None:
    with django_db_blocker.unblock():
        load_catalogue()
    _blocker_of_this_database.append(django_db_blocker)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Load the shipped prices again where a test with real transactions has emptied the tables.

    Before the test's own transaction begins, so that they stay for those that come after it.
    """
    if "catalogue" in getattr(item, "fixturenames", ()):
        for blocker in _blocker_of_this_database:
            with blocker.unblock():
                load_prices_if_there_are_none()


def load_prices_if_there_are_none() -> None:
    if not PriceVersion.objects.exists():
        CatalogueSource.objects.all().delete()
        load_catalogue()


@pytest.fixture
def catalogue(db: None) -> None:
    """The shipped prices."""
    load_prices_if_there_are_none()
