"""Rows as a Parquet file, streamed. Only processes that write Parquet import this module."""

import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

import msgspec
import pyarrow as pa
from pyarrow import parquet

from usage.exports.encoding import Column, ColumnType, Row

ROWS_IN_GROUP = 10_000
_PIECE = 1 << 16
_PRECISION = 38
_PLAIN_TYPES: dict[ColumnType, Callable[[], Any]] = {
    ColumnType.TEXT: pa.string,
    ColumnType.INTEGER: pa.int64,
    ColumnType.INSTANT: lambda: pa.timestamp("us", tz="UTC"),
    ColumnType.DATE: pa.date32,
    ColumnType.BOOLEAN: pa.bool_,
    ColumnType.JSON: pa.string,
}


def encode_parquet(columns: Sequence[Column], rows: Iterable[Row]) -> Iterator[bytes]:
    """The file in pieces; one row group is held in memory, however many there are.

    Decimals are exact, with `Column.scale` decimals out of 38 digits: one that needs more raises
    ValueError. Instants are in UTC, JSON is text.
    """
    schema = pa.schema([(column.name, _type_of(column)) for column in columns])
    sink = _Sink()
    rest = iter(rows)
    with parquet.ParquetWriter(sink, schema, compression="zstd") as writer:
        while some := list(islice(rest, ROWS_IN_GROUP)):
            writer.write_batch(_batch(schema, columns, some), row_group_size=ROWS_IN_GROUP)
            yield from sink.taken()
    yield from sink.taken()


class _Sink(io.RawIOBase):
    """A file that is handed on as it is written."""

    def __init__(self) -> None:
        super().__init__()
        self._held = bytearray()
        self._position = 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._held += data
        self._position += len(data)
        return len(data)

    def tell(self) -> int:
        return self._position

    def taken(self) -> Iterator[bytes]:
        """What was written since the last call."""
        held, self._held = bytes(self._held), bytearray()
        for start in range(0, len(held), _PIECE):
            yield held[start : start + _PIECE]


def _type_of(column: Column) -> pa.DataType:
    if column.type is ColumnType.DECIMAL:
        return pa.decimal128(_PRECISION, column.scale)
    return _PLAIN_TYPES[column.type]()


def _batch(schema: pa.Schema, columns: Sequence[Column], rows: Sequence[Row]) -> pa.RecordBatch:
    values = zip(*rows, strict=True)
    arrays = [
        pa.array(_texts(cells) if column.type is ColumnType.JSON else cells, field.type)
        for column, field, cells in zip(columns, schema, values, strict=True)
    ]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def _texts(cells: Iterable[object]) -> list[str | None]:
    return [None if cell is None else msgspec.json.encode(cell).decode() for cell in cells]
