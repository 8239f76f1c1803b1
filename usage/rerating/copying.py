"""Rows into a table by COPY."""

from collections.abc import Iterable, Sequence

from django.db import connection


def copy_rows(table: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Append `rows`, whose values are in the order of `columns`. Raises Django's errors."""
    statement = f"COPY {table} ({', '.join(columns)}) FROM STDIN"
    # Django translates the driver's errors for statements only.
    with (
        connection.wrap_database_errors,
        connection.cursor() as cursor,
        cursor.copy(statement) as copy,
    ):
        for row in rows:
            copy.write_row(row)
