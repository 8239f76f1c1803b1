"""A chargeback as rows of a file: the month, who pays, for what, then every sum."""

from collections.abc import Iterator

from usage.exports.encoding import Column, ColumnType, Row, Table
from usage.selectors.chargeback import Chargeback
from usage.selectors.questions import COST_NAMES, SUM_NAMES

_COLUMNS = (
    *(
        Column(name, ColumnType.TEXT)
        for name in (
            "month", "organization", "cost_centre", "cost_centre_name", "project", "team",
            "currency",
        )
    ),
    *(
        Column(name, ColumnType.DECIMAL if name in COST_NAMES else ColumnType.INTEGER)
        for name in SUM_NAMES
    ),
)  # fmt: skip


def chargeback_table(charged: Chargeback) -> Table:
    """All rows of a chargeback; an empty cost centre is "not assigned"."""
    return Table(_COLUMNS, _rows(charged))


def _rows(charged: Chargeback) -> Iterator[Row]:
    for row in charged.rows:
        account = row.account
        sums = (getattr(row.sums, name) for name in SUM_NAMES)
        yield [
            f"{row.month:%Y-%m}", account.organization, account.code, account.name, row.project,
            row.team, charged.currency, *sums,
        ]  # fmt: skip
