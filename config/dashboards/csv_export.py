"""The overview's chart table as CSV."""

from collections.abc import Iterator

from config.dashboards.question import Question
from config.dashboards.spend import Spend
from usage.exports.encoding import Column, ColumnType, Row, encode_csv


def spend_csv(spend: Spend, question: Question) -> bytes:
    """One line per period, exact amounts; the last line sums up."""
    return b"".join(encode_csv(_columns(spend, question), _rows(spend, question)))


def _columns(spend: Spend, question: Question) -> list[Column]:
    costs = [series.name for series in spend.series]
    counts = ("tokens", "requests", "errors", "unpriced requests")
    return [
        Column(str(question.step), ColumnType.TEXT),
        Column("from", ColumnType.DATE),
        Column("through", ColumnType.DATE),
        *(Column(name, ColumnType.DECIMAL) for name in (*costs, f"total {question.currency}")),
        *(Column(name, ColumnType.INTEGER) for name in counts),
    ]


def _rows(spend: Spend, question: Question) -> Iterator[Row]:
    for period, costs in spend.rows():
        sums = period.sums
        counts = (sums.total_tokens, sums.events, sums.errors, sums.unpriced_events)
        yield period.title, period.first, period.last, *costs, sums.cost, *counts
    whole = spend.totals
    counts = (whole.total_tokens, whole.events, whole.errors, whole.unpriced_events)
    parts = (series.cost for series in spend.series)
    yield "total", question.first, question.last, *parts, whole.cost, *counts
