import csv
import io
import json
import tracemalloc
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from usage.exports.cells import safe_cell
from usage.exports.encoding import Column, ColumnType, encode

COLUMNS = [Column(kind.value, kind) for kind in ColumnType]
ROW: list[Any] = [
    "=1+1", 5, Decimal("-1E-10"), datetime(2026, 11, 1, tzinfo=UTC), date(2026, 11, 2), True,
    msgspec.Raw(b'{"a": "=x"}'),
]  # fmt: skip
NOTHING: list[Any] = [None] * len(COLUMNS)


@pytest.mark.parametrize(
    "start", ["=", "+", "-", "@", "\t", "\r", "\n", "\N{FULLWIDTH EQUALS SIGN}"]
)
def test_no_cell_can_start_a_formula(start: str) -> None:
    assert safe_cell(f"{start}cmd()") == f"'{start}cmd()"
    assert safe_cell(f"a{start}") == f"a{start}"
    assert safe_cell("") == ""


def test_csv_writes_every_type_out() -> None:
    data = b"".join(encode("csv", COLUMNS, [ROW, NOTHING])).decode()
    header, row, nothing = csv.reader(io.StringIO(data))
    assert header == [kind.value for kind in ColumnType]
    assert row == [
        "'=1+1", "5", "-0.0000000001", "2026-11-01T00:00:00Z", "2026-11-02", "true", '{"a": "=x"}',
    ]  # fmt: skip
    assert nothing == [""] * len(COLUMNS)


def test_a_header_is_no_formula_either() -> None:
    (data,) = encode("csv", [Column("=x", ColumnType.TEXT)], [])
    assert data == b"'=x\r\n"


@pytest.mark.parametrize("count", [0, 1, 199, 200, 201, 1000])
def test_json_is_valid_for_any_number_of_rows(count: int) -> None:
    found = json.loads(b"".join(encode("json", COLUMNS, [ROW] * count)))
    assert len(found) == count
    for row in found:
        assert list(row.values()) == [
            "=1+1", 5, "-0.0000000001", "2026-11-01T00:00:00Z", "2026-11-02", True, {"a": "=x"},
        ]  # fmt: skip


@pytest.mark.parametrize("file_format", ["csv", "json", "parquet"])
def test_memory_does_not_grow_with_the_rows(file_format: str) -> None:
    columns = [Column("name", ColumnType.TEXT), Column("cost", ColumnType.DECIMAL, 10)]

    def peak(count: int) -> int:
        rows = ((f"row {n}", Decimal(n)) for n in range(count))
        tracemalloc.start()
        for piece in encode(file_format, columns, rows):
            assert piece is not None
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    peak(10)
    assert peak(60_000) < peak(30_000) + 500_000
