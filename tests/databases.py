import os
from collections.abc import Iterable
from contextlib import suppress

import psycopg
from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper
from psycopg import sql

from config.embedded import EmbeddedServer, embedded_wanted
from pricing.catalogue import load_catalogue
from pricing.models import CatalogueSource, PriceVersion, RateCard
from tests.digest import digest

PREFIX = "tallyman_template_"
KEPT = "kept_rows"
_PRICES = "pricing_"
STAYING = {"django_content_type", "auth_permission"}
"""What Django makes for the models there are, whatever tests do."""
_TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = %s ORDER BY tablename"


class Template:
    """A database with the schema and the shipped prices, which test databases are copies of.

    It stays between runs and is named for what it is made of.
    """

    def __init__(self, server: EmbeddedServer) -> None:
        self._conninfo = server.conninfo
        self.name = PREFIX + digest()

    def exists(self) -> bool:
        with psycopg.connect(self._conninfo, autocommit=True) as admin:
            return self.name in names(admin)

    def keep(self, source: str) -> None:
        """Copy a database that nobody is connected to; one of several that do so at once."""
        made = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
        with psycopg.connect(self._conninfo, autocommit=True) as admin:
            for name in names(admin) - {self.name}:
                with suppress(psycopg.Error):
                    admin.execute(sql.SQL("DROP DATABASE {}").format(sql.Identifier(name)))
            with suppress(psycopg.errors.DuplicateDatabase, psycopg.errors.UniqueViolation):
                admin.execute(made.format(sql.Identifier(self.name), sql.Identifier(source)))


def names(admin: psycopg.Connection) -> set[str]:
    rows = admin.execute("SELECT datname FROM pg_database").fetchall()
    return {name for (name,) in rows if name.startswith(PREFIX)}


def keep_rows() -> None:
    """Load the shipped prices, and keep a copy of them and of what migrations made that no test
    empties."""
    load_catalogue()
    tables = sorted(set(connection.introspection.django_table_names()) - STAYING)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"CREATE SCHEMA IF NOT EXISTS {KEPT}")
        for table in _filled(cursor, tables):
            cursor.execute(f"CREATE TABLE {KEPT}.{table} AS TABLE {table}")


def load_prices_if_there_are_none() -> None:
    """Copy the kept prices where a test with real transactions has emptied the tables."""
    if PriceVersion.objects.exists():
        return
    if RateCard.objects.exists() or not embedded_wanted(os.environ):
        CatalogueSource.objects.all().delete()
        load_catalogue()
        return
    with transaction.atomic(), connection.cursor() as cursor:
        # The tables' guards look at what belongs together while only a part of it is there.
        cursor.execute("SET LOCAL session_replication_role = replica")
        for table in _kept(cursor):
            if table.startswith(_PRICES):
                _put_back(cursor, table)
        cursor.execute("UPDATE pricing_revision SET number = nextval('pricing_revision_numbers')")


def empty_tables(_case: object = None) -> None:
    """What Django does by truncating every table, which takes long even where none holds a row.

    It waits for whoever is still writing, as that would. What migrations made is put back.
    """
    tables = sorted(set(connection.introspection.django_table_names()) - STAYING)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"LOCK TABLE {', '.join(tables)} IN EXCLUSIVE MODE")
        # All of it goes at once, so that neither keys nor guards have anything to say.
        cursor.execute("SET LOCAL session_replication_role = replica")
        for table in _filled(cursor, tables):
            cursor.execute(f"DELETE FROM {table}")
        for table in _kept(cursor):
            if not table.startswith(_PRICES):
                _put_back(cursor, table)


def _filled(cursor: CursorWrapper, tables: Iterable[str]) -> list[str]:
    cursor.execute(
        " UNION ALL ".join(f"SELECT '{t}' WHERE EXISTS (SELECT FROM {t})" for t in tables)
    )
    return [table for (table,) in cursor.fetchall()]


def _kept(cursor: CursorWrapper) -> list[str]:
    cursor.execute(_TABLES, [KEPT])
    return [table for (table,) in cursor.fetchall()]


def _put_back(cursor: CursorWrapper, table: str) -> None:
    cursor.execute(f"INSERT INTO {table} SELECT * FROM {KEPT}.{table}")
