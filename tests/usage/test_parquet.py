import io
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet

from usage.exports.encoding import Column, ColumnType, encode
from usage.exports.parquet import ROWS_IN_GROUP, encode_parquet

COLUMNS = [
    Column("name", ColumnType.TEXT),
    Column("calls", ColumnType.INTEGER),
    Column("cost", ColumnType.DECIMAL, 10),
    Column("at", ColumnType.INSTANT),
    Column("day", ColumnType.DATE),
    Column("estimated", ColumnType.BOOLEAN),
    Column("tags", ColumnType.JSON),
]
AT = datetime(2026, 11, 20, 12, 0, 0, 123456, tzinfo=timezone(timedelta(hours=5, minutes=45)))
ROW = ("=1+1", 3, Decimal("0.0000000001"), AT, date(2026, 11, 20), True, {"a": "b"})


def table(columns: list[Column], rows: Any) -> pa.Table:
    return parquet.read_table(io.BytesIO(b"".join(encode_parquet(columns, rows))))


def test_every_type_comes_back_as_it_was() -> None:
    read = table(COLUMNS, [ROW, (None,) * 7]).to_pylist()
    assert tuple(read[0].values()) == (
        "=1+1", 3, Decimal("0.0000000001"), AT.astimezone(UTC), date(2026, 11, 20), True,
        '{"a":"b"}',
    )  # fmt: skip
    assert set(read[1].values()) == {None}


def test_types_are_told_by_the_columns_even_without_rows() -> None:
    schema = table(COLUMNS, []).schema
    assert [str(field.type) for field in schema] == [
        "string", "int64", "decimal128(38, 10)", "timestamp[us, tz=UTC]", "date32[day]", "bool",
        "string",
    ]  # fmt: skip


def test_a_number_with_more_decimals_than_the_column_keeps_is_never_rounded() -> None:
    with pytest.raises(ValueError, match="data loss"):
        table([Column("cost", ColumnType.DECIMAL, 2)], [(Decimal("0.005"),)])


def test_rows_are_taken_one_group_at_a_time() -> None:
    taken = 0

    def rows() -> Iterator[tuple[int]]:
        nonlocal taken
        for number in range(3 * ROWS_IN_GROUP):
            taken += 1
            yield (number * 7919 % 1_000_003,)

    pieces = encode_parquet([Column("n", ColumnType.INTEGER)], rows())
    first = next(pieces)
    assert taken <= ROWS_IN_GROUP
    file = parquet.ParquetFile(io.BytesIO(first + b"".join(pieces)))
    assert (file.metadata.num_rows, file.metadata.num_row_groups) == (3 * ROWS_IN_GROUP, 3)


def test_the_format_parquet_is_this_one() -> None:
    assert b"".join(encode("parquet", COLUMNS, [ROW]))[:4] == b"PAR1"
