"""What PostgreSQL alone needs for the same rows."""

import time
from dataclasses import dataclass

import psycopg

_KEYS = "digest, payload, occurred_at"


@dataclass(frozen=True)
class CopyRate:
    """Rows a second that one connection copies in, one COPY and one commit a round."""

    rows: int
    events_only: float
    events_and_keys: float


def measure_copy(conninfo: str) -> CopyRate:
    """COPY the stored events back into their own tables, emptied and indexed."""
    with psycopg.connect(conninfo, autocommit=True) as connection:
        columns = _columns(connection)
        events = _dump(connection, f"SELECT {columns} FROM usage_usageevent")
        keys = _dump(connection, f"SELECT {_KEYS} FROM usage_eventkey")
        rows = events.count(b"\n")
        alone, both = _refill(connection, columns, events, keys)
    return CopyRate(rows, rows / alone, rows / both)


def _dump(connection: psycopg.Connection, query: str) -> bytes:
    with connection.cursor() as cursor, cursor.copy(f"COPY ({query}) TO STDOUT") as copy:
        return b"".join(bytes(part) for part in copy)


def _columns(connection: psycopg.Connection) -> str:
    """What ingest fills in; the rest has defaults that COPY pays for just the same."""
    rows = connection.execute(
        "SELECT column_name FROM information_schema.columns WHERE table_name = 'usage_usageevent'"
        " AND column_name NOT IN ('id', 'received_at') ORDER BY ordinal_position"
    )
    return ", ".join(name for (name,) in rows)


def _refill(
    connection: psycopg.Connection, columns: str, events: bytes, keys: bytes
) -> tuple[float, float]:
    connection.execute("TRUNCATE usage_usageevent, usage_eventkey")
    connection.execute("CHECKPOINT")
    began = time.perf_counter()
    _fill(connection, f"COPY usage_usageevent ({columns}) FROM STDIN", events)
    alone = time.perf_counter() - began
    _fill(connection, f"COPY usage_eventkey ({_KEYS}) FROM STDIN", keys)
    return alone, time.perf_counter() - began


def _fill(connection: psycopg.Connection, statement: str, data: bytes) -> None:
    with connection.transaction(), connection.cursor() as cursor, cursor.copy(statement) as copy:
        for start in range(0, len(data), 1 << 18):
            copy.write(data[start : start + (1 << 18)])
