import gc
import os
import re
from collections.abc import Iterator

import psutil
import psycopg
import pytest
from django.db import connection
from django.test import TransactionTestCase
from pytest_django import DjangoDbBlocker

from config.embedded import EmbeddedServer, data_folder, embedded_wanted
from pricing.catalogue import load_catalogue
from tests.databases import (
    Template,
    empty_tables,
    keep_rows,
    load_prices_if_there_are_none,
)
from usage.ingest import identities, partitions
from usage.mapping import current as rules_in_force

LONG = (
    "tests/config/test_up",
    "tests/clients",
    "tests/config/test_crash",
    "tests/config/test_openapi_live",
)
"""They begin first, so that no worker is left alone with one at the end; none of them empties
the tables that others find filled."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: not item.nodeid.startswith(LONG))


def pytest_collection_finish(session: pytest.Session) -> None:
    """Keep the collector off what lives for ever, as the web server does."""
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


@pytest.fixture(scope="session")
def kept_database() -> Iterator[Template | None]:
    if not embedded_wanted(os.environ):
        yield None
        return
    server = EmbeddedServer(data_folder(os.environ))
    server.attach()
    make_ready(server)
    yield Template(server)
    server.detach()


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    django_db_modify_db_settings_parallel_suffix: None, kept_database: Template | None
) -> None:
    if kept_database and kept_database.exists():
        connection.settings_dict["TEST"]["TEMPLATE"] = kept_database.name


def make_ready(server: EmbeddedServer) -> None:
    """What dead runs left is dropped; nobody wants what a crash of this server would lose."""
    with psycopg.connect(server.conninfo, autocommit=True) as admin:
        for name in ("fsync", "full_page_writes"):
            admin.execute(f"ALTER SYSTEM SET {name} = off")
        admin.execute("SELECT pg_reload_conf()")
        names = admin.execute("SELECT datname FROM pg_database WHERE datname ~ '^test_'")
        for (name,) in names.fetchall():
            process = re.match(r"test_tallyman_(\d+)", name)
            if process and not psutil.pid_exists(int(process[1])):
                admin.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


@pytest.fixture(autouse=True)
def fresh_process_caches() -> Iterator[None]:
    identities.forget()
    partitions.forget()
    rules_in_force.forget()
    yield
    identities.forget()
    partitions.forget()
    rules_in_force.forget()


if embedded_wanted(os.environ):
    # On another server the user may not be allowed what this takes.
    TransactionTestCase._fixture_teardown = empty_tables  # type: ignore[attr-defined]
_blocker_of_this_database: list[DjangoDbBlocker] = []


@pytest.fixture(scope="session")
def django_db_setup(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker, kept_database: Template | None
) -> None:
    with django_db_blocker.unblock():
        if kept_database is None:
            load_catalogue()
        elif "TEMPLATE" not in connection.settings_dict["TEST"]:
            keep_rows()
            connection.close()
            kept_database.keep(connection.settings_dict["NAME"])
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


@pytest.fixture
def catalogue(db: None) -> None:
    """The shipped prices."""
    load_prices_if_there_are_none()
