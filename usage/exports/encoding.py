"""Rows as bytes of a file, streamed: what is held in memory does not grow with the rows."""

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from itertools import islice
from typing import Any, NamedTuple

import msgspec
from django.utils.module_loading import import_string

from usage.exports.cells import safe_cell
from usage.models import Export

_ROWS_AT_ONCE = 200
_PARQUET = "usage.exports.parquet.encode_parquet"
CONTENT_TYPES = {
    Export.Format.CSV: "text/csv",
    Export.Format.JSON: "application/json",
    Export.Format.PARQUET: "application/vnd.apache.parquet",
}
_to_json = msgspec.json.encode


class ColumnType(StrEnum):
    """What a column holds: str, int, Decimal, aware datetime, date, bool, or for JSON anything
    that msgspec encodes, `msgspec.Raw` included. Each may be None as well."""

    TEXT = "text"
    INTEGER = "integer"
    DECIMAL = "decimal"
    INSTANT = "instant"
    DATE = "date"
    BOOLEAN = "boolean"
    JSON = "json"


class Column(NamedTuple):
    """A column of a file; `scale` is how many decimals Parquet keeps of a DECIMAL one."""

    name: str
    type: ColumnType
    scale: int = 12


Row = Sequence[object]


class Table(NamedTuple):
    """What a file holds."""

    columns: Sequence[Column]
    rows: Iterable[Row]


def encode(file_format: str, columns: Sequence[Column], rows: Iterable[Row]) -> Iterator[bytes]:
    """The file in pieces of some kilobytes; `file_format` is one of `Export.Format`.

    CSV has a header line, cells that cannot start a formula, and nothing for None. JSON is one
    array of objects. Decimals are written out in full, and as strings in JSON.
    """
    match file_format:
        case Export.Format.CSV:
            return encode_csv(columns, rows)
        case Export.Format.JSON:
            return encode_json(columns, rows)
        case _:
            # By name, so that only a process that writes Parquet loads what that takes.
            encode_parquet: Callable[..., Iterator[bytes]] = import_string(_PARQUET)
            return encode_parquet(columns, rows)


def encode_csv(columns: Sequence[Column], rows: Iterable[Row]) -> Iterator[bytes]:
    """The lines of a CSV file."""
    shown = [_CSV_CELLS[column.type] for column in columns]
    out = io.StringIO()
    write = csv.writer(out).writerow
    write([safe_cell(column.name) for column in columns])
    for some in _batches(rows):
        for row in some:
            cells = zip(shown, row, strict=True)
            write(["" if value is None else show(value) for show, value in cells])
        yield _taken(out)
    if out.tell():
        yield _taken(out)


def encode_json(columns: Sequence[Column], rows: Iterable[Row]) -> Iterator[bytes]:
    """The pieces of one JSON array."""
    plain = [(column.name, _JSON_VALUES.get(column.type)) for column in columns]
    before = b"[\n"
    for some in _batches(rows):
        objects = []
        for row in some:
            cells = zip(plain, row, strict=True)
            objects.append(
                _to_json(
                    {
                        name: show(value) if show and value is not None else value
                        for (name, show), value in cells
                    }
                )
            )
        yield before + b",\n".join(objects)
        before = b",\n"
    yield b"[]\n" if before == b"[\n" else b"\n]\n"


def _batches(rows: Iterable[Row]) -> Iterator[list[Row]]:
    rest = iter(rows)
    while some := list(islice(rest, _ROWS_AT_ONCE)):
        yield some


def _taken(out: io.StringIO) -> bytes:
    text = out.getvalue()
    out.seek(0)
    out.truncate()
    return text.encode()


def _decimal(value: Decimal) -> str:
    return f"{value:f}"


def _instant(value: datetime) -> str:
    return value.isoformat().replace("+00:00", "Z")


def _date(value: date) -> str:
    return value.isoformat()


def _boolean(value: bool) -> str:
    return "true" if value else "false"


def _json_text(value: object) -> str:
    return _to_json(value).decode()


_CSV_CELLS: dict[ColumnType, Callable[[Any], str]] = {
    ColumnType.TEXT: safe_cell,
    ColumnType.INTEGER: str,
    ColumnType.DECIMAL: _decimal,
    ColumnType.INSTANT: _instant,
    ColumnType.DATE: _date,
    ColumnType.BOOLEAN: _boolean,
    ColumnType.JSON: _json_text,
}
_JSON_VALUES: dict[ColumnType, Callable[[Any], str]] = {
    ColumnType.DECIMAL: _decimal,
    ColumnType.INSTANT: _instant,
}
