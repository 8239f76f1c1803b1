"""Reading FOCUS rows by the names of their columns."""

from collections.abc import Collection
from datetime import date
from decimal import Decimal
from typing import Any

import msgspec

from usage.focus import COLUMNS, focus_rows
from usage.selectors.access import EVERYTHING, Viewer
from usage.selectors.questions import UsageQuery
from usage.selectors.usage import query_usage

START, END = date(2026, 1, 1), date(2027, 2, 1)
NAMES = [column.name for column in COLUMNS]

Row = dict[str, Any]


def charged(
    start: date = START,
    end: date = END,
    viewer: Viewer = EVERYTHING,
    organizations: Collection[str] | None = None,
) -> list[Row]:
    rows = focus_rows(viewer, start, end, organizations=organizations)
    return [dict(zip(NAMES, row, strict=True)) for row in rows]


def told(row: Row) -> tuple[str, ...]:
    """A row as text, to compare and to sort by."""
    return tuple(
        bytes(value).decode() if isinstance(value, msgspec.Raw) else str(value)
        for value in row.values()
    )


def total(rows: list[Row], name: str = "EffectiveCost") -> Decimal:
    return sum((row[name] for row in rows), Decimal(0))


def ledger(start: date = START, end: date = END, zone: str = "UTC", **filters: Any) -> Decimal:
    query = UsageQuery(viewer=EVERYTHING, start=start, end=end, time_zone=zone, filters=filters)
    return query_usage(query).totals.cost
