"""Reading everything as of one moment."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connections, transaction

from usage.replica import PRIMARY, from_replica


@contextmanager
def snapshot(using: str = PRIMARY) -> Iterator[None]:
    """A transaction in which every statement sees what the first one saw."""
    with transaction.atomic(using=using, durable=True):
        with connections[using].cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        yield


@contextmanager
def snapshot_for_file(*, makes_tables: bool) -> Iterator[None]:
    """A snapshot of the replica if it is usable, inside a transaction of the primary, which can
    hold locks; else one of the primary. What needs temporary tables needs the primary."""
    if makes_tables:
        with snapshot():
            yield
        return
    with from_replica() as alias:
        if alias == PRIMARY:
            with snapshot():
                yield
        else:
            with transaction.atomic(durable=True), snapshot(alias):
                yield
