"""Sums of usage as rows of a file: the period, the group, the currency, then every sum."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from usage.exports.encoding import Column, ColumnType, Row, Table
from usage.selectors.questions import COST_NAMES, SUM_NAMES, UsageAnswer, UsageQuery, UsageRow
from usage.selectors.usage import query_usage

# Every page sums up anew, and all of one is in memory at once.
PAGE = 20_000


def open_usage(query: UsageQuery) -> Table:
    """All rows that answer a question, at most its `limit`.

    Raises QuestionError at once; the rest is read as the rows are taken.
    """
    size = PAGE if query.limit is None else min(query.limit, PAGE)
    page = replace(query, limit=size)
    return Table(_columns(query), _rows(page, query_usage(page), query.limit))


def _columns(query: UsageQuery) -> tuple[Column, ...]:
    instants = not query.granularity.is_calendar or (
        query.granularity == "total" and isinstance(query.start, datetime)
    )
    return (
        Column("start", ColumnType.INSTANT if instants else ColumnType.DATE),
        *(Column(name, ColumnType.TEXT) for name in query.group_by),
        Column("currency", ColumnType.TEXT),
        *(
            Column(name, ColumnType.DECIMAL if name in COST_NAMES else ColumnType.INTEGER)
            for name in SUM_NAMES
        ),
    )


def _rows(query: UsageQuery, answer: UsageAnswer, left: int | None) -> Iterator[Row]:
    while True:
        rows = answer.rows if left is None else answer.rows[:left]
        for row in rows:
            yield _row(row, answer.currency)
        left = None if left is None else left - len(rows)
        if answer.next_cursor is None or left == 0:
            return
        query = replace(query, cursor=answer.next_cursor)
        answer = query_usage(query)


def _row(row: UsageRow, currency: str) -> Row:
    sums = (getattr(row.sums, name) for name in SUM_NAMES)
    return [row.start, *row.group.values(), currency, *sums]
