"""A reconciliation as rows of a file: day, model and project, both sides, gap and classes."""

from collections.abc import Iterator

from usage.exports.encoding import Column, ColumnType, Row, Table
from usage.models import Reconciliation
from usage.reconciling.classing import PARTS
from usage.selectors.reconciliations import AMOUNTS, lines_of

_COLUMNS = (
    Column("day", ColumnType.DATE),
    *(
        Column(name, ColumnType.TEXT)
        for name in ("organization", "source", "model", "project", "description", "currency")
    ),
    *(Column(f"billed_{part}", ColumnType.INTEGER) for part in PARTS),
    *(Column(f"recorded_{part}", ColumnType.INTEGER) for part in PARTS),
    *(Column(name, ColumnType.DECIMAL) for name in AMOUNTS),
    Column("unpriced_events", ColumnType.INTEGER),
)


def reconciliation_table(reconciliation: Reconciliation) -> Table:
    """All lines of a reconciliation, by day and model; amounts in its currency."""
    return Table(_COLUMNS, _rows(reconciliation))


def _rows(reconciliation: Reconciliation) -> Iterator[Row]:
    organization = reconciliation.organization.slug
    source, currency = reconciliation.source.name, reconciliation.currency
    for line in lines_of(reconciliation).order_by("day", "model", "pk"):
        yield [
            line.day, organization, source, line.model, line.project and line.project.slug,
            line.description, currency,
            *(line.billed_tokens.get(part, 0) for part in PARTS),
            *(line.recorded_tokens.get(part, 0) for part in PARTS),
            *(getattr(line, name) for name in AMOUNTS), line.unpriced_events,
        ]  # fmt: skip
