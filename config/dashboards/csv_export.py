"""Tables of dashboards as CSV, amounts with all their decimals."""

from collections.abc import Iterable, Iterator, Sequence

from django.http import HttpResponse

from config.dashboards.plots import Plot, PlotKind, Unit
from config.dashboards.question import Question
from usage.exports.encoding import Column, ColumnType, Row, encode_csv


def csv_answer(name: str, columns: Sequence[Column], rows: Iterable[Row]) -> HttpResponse:
    """A file of this name for this user alone."""
    return HttpResponse(
        b"".join(encode_csv(columns, rows)),
        content_type="text/csv; charset=utf-8",
        headers={
            "Content-Disposition": f'attachment; filename="{name}.csv"',
            "Cache-Control": "private, no-store",
        },
    )


def plot_csv(plot: Plot, question: Question) -> HttpResponse:
    """The table behind a chart: one line per period, of a ring one per series; the last sums up."""
    name = f"tallyman-{plot.name}-{question.first}-{question.last}"
    kind = ColumnType.DECIMAL if plot.unit is Unit.MONEY else ColumnType.INTEGER
    total = f"total {question.currency}" if plot.unit is Unit.MONEY else "total"
    if plot.kind is PlotKind.RING:
        columns = [Column("name", ColumnType.TEXT), Column(total, kind)]
        return csv_answer(name, columns, _slices(plot))
    return csv_answer(name, _columns(plot, kind, total), _rows(plot, question))


def _columns(plot: Plot, kind: ColumnType, total: str) -> list[Column]:
    counts = ("tokens", "requests", "errors", "unpriced requests")
    return [
        Column(str(plot.step), ColumnType.TEXT),
        Column("from", ColumnType.DATE),
        Column("through", ColumnType.DATE),
        *(Column(name, kind) for name in (*(series.name for series in plot.series), total)),
        *(Column(name, ColumnType.INTEGER) for name in counts),
    ]


def _slices(plot: Plot) -> Iterator[Row]:
    for series in plot.series:
        yield series.name, series.total
    yield "total", plot.total


def _rows(plot: Plot, question: Question) -> Iterator[Row]:
    for period, values, total in plot.rows():
        sums = period.sums
        counts = (sums.total_tokens, sums.events, sums.errors, sums.unpriced_events)
        yield period.title, period.first, period.last, *values, total, *counts
    whole = plot.totals
    counts = (whole.total_tokens, whole.events, whole.errors, whole.unpriced_events)
    parts = (series.total for series in plot.series)
    yield "total", question.first, question.last, *parts, plot.total, *counts
