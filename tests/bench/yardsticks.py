"""What PostgreSQL alone needs for the same rows."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import psycopg

Row = TypeVar("Row")
CHUNK = 1000
_KEYS = "digest, payload, occurred_at"
# As ingest claims them.
_CLAIM = """
    INSERT INTO usage_eventkey (digest, payload, occurred_at)
    SELECT d, p, o FROM unnest(%s::uuid[], %s::bigint[], %s::timestamptz[]) AS t (d, p, o)
    ORDER BY d ON CONFLICT (digest) DO NOTHING RETURNING digest::text
"""


@dataclass(frozen=True)
class CopyRates:
    """Rows a second that one connection stores."""

    claimed: float
    """1,000 at a time: their keys claimed, the rows copied, and a commit."""
    at_once: float
    """All of them in one COPY and one commit, without keys."""


def measure_copy(conninfo: str) -> CopyRates:
    """COPY the stored events back into their own tables, emptied and indexed."""
    with psycopg.connect(conninfo, autocommit=True) as connection:
        columns = _columns(connection)
        statement = f"COPY usage_usageevent ({columns}) FROM STDIN"
        events = _dump(connection, f"SELECT {columns} FROM usage_usageevent")
        keys = [
            line.split("\t") for line in _dump(connection, f"SELECT {_KEYS} FROM usage_eventkey")
        ]
        chunks = ["".join(chunk) for chunk in _chunks(events)]
        claims = [_as_arrays(chunk) for chunk in _chunks(keys)]
        _empty(connection)
        began = time.perf_counter()
        for chunk, claim in zip(chunks, claims, strict=True):
            with connection.transaction(), connection.cursor() as cursor:
                cursor.execute(_CLAIM, claim)
                with cursor.copy(statement) as copy:
                    copy.write(chunk)
        claimed = time.perf_counter() - began
        _empty(connection)
        began = time.perf_counter()
        with (
            connection.transaction(),
            connection.cursor() as cursor,
            cursor.copy(statement) as copy,
        ):
            for chunk in chunks:
                copy.write(chunk)
        at_once = time.perf_counter() - began
    return CopyRates(len(events) / claimed, len(events) / at_once)


def empty_events(conninfo: str) -> None:
    """Take all events away, with their keys and marks."""
    with psycopg.connect(conninfo, autocommit=True) as connection:
        _empty(connection)


def _empty(connection: psycopg.Connection) -> None:
    connection.execute("TRUNCATE usage_usageevent, usage_eventkey, usage_dirtymark")
    connection.execute("CHECKPOINT")


def _chunks(rows: Sequence[Row]) -> list[Sequence[Row]]:
    return [rows[start : start + CHUNK] for start in range(0, len(rows), CHUNK)]


def _as_arrays(rows: Sequence[list[str]]) -> list[str]:
    columns = zip(*rows, strict=True)
    return ["{" + ",".join(f'"{value.strip()}"' for value in column) + "}" for column in columns]


def _dump(connection: psycopg.Connection, query: str) -> list[str]:
    with connection.cursor() as cursor, cursor.copy(f"COPY ({query}) TO STDOUT") as copy:
        whole = b"".join(bytes(part) for part in copy).decode()
    return whole.splitlines(keepends=True)


def _columns(connection: psycopg.Connection) -> str:
    """What ingest fills in; the rest has defaults that COPY pays for just the same."""
    rows = connection.execute(
        "SELECT column_name FROM information_schema.columns WHERE table_name = 'usage_usageevent'"
        " AND column_name NOT IN ('id', 'received_at') ORDER BY ordinal_position"
    )
    return ", ".join(name for (name,) in rows)
