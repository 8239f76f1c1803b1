"""The revision of the price tables: how other processes notice new prices at once."""

from django.db import connection, transaction

_BUMP = """
INSERT INTO pricing_revision AS revision (id, number)
VALUES (1, nextval('pricing_revision_numbers'))
ON CONFLICT (id) DO UPDATE SET number = excluded.number
"""


def begin_price_change() -> None:
    """Give the tables a new revision, seen by others when the caller's transaction commits.

    Call it before reading what is to be changed: it also makes writers of prices wait for each
    other. Raises `TransactionManagementError` outside a transaction. Numbers come from a sequence,
    so that a rolled-back change never shares its number with a later one.
    """
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError("a price change needs a transaction")
    with connection.cursor() as cursor:
        cursor.execute(_BUMP)


CURRENT = "coalesce((SELECT number FROM pricing_revision WHERE id = 1), 0)"
"""The present revision as SQL, for who reads something else in the same statement."""


def current_revision() -> int:
    """The revision the caller's transaction sees; 0 before any price was loaded."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {CURRENT}")
        number: int = cursor.fetchone()[0]
    return number
