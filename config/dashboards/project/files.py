"""The tabs of a project's page as files, amounts with all their decimals."""

from collections.abc import Callable, Iterator, Mapping

from config.dashboards.project.agents import read_agents
from config.dashboards.project.month import ProjectMonth
from config.dashboards.project.recent import read_recent
from config.dashboards.project.runs import read_runs
from config.dashboards.project.trend import read_trend
from usage.exports.encoding import Column, ColumnType, Row, Table
from usage.selectors.currency import ledger_currency
from usage.selectors.questions import UsageSums

_TEXT, _COUNT, _MONEY = ColumnType.TEXT, ColumnType.INTEGER, ColumnType.DECIMAL
_SUMS = ("jobs", "failed", "input tokens", "output tokens", "unpriced jobs")


def read_table(month: ProjectMonth, tab: str) -> Table:
    """What the tab of this name shows. Raises KeyError for any other name."""
    currency = month.reading.question.currency
    columns = {
        "agents": [("agent type", _TEXT), (f"cost {currency}", _MONEY), *_counted()],
        "months": [("month", ColumnType.DATE), (f"cost {currency}", _MONEY), *_counted()],
        "runs": [
            ("run", _TEXT), ("trigger", _TEXT), ("status", _TEXT),
            ("started", ColumnType.INSTANT), (f"cost {currency}", _MONEY), *_counted(),
        ],
        "recent": [
            ("time", ColumnType.INSTANT), ("agent type", _TEXT), ("run", _TEXT),
            ("status", _TEXT), ("input tokens", _COUNT), ("output tokens", _COUNT),
            (f"cost {ledger_currency()}", _MONEY),
        ],
    }[tab]  # fmt: skip
    return Table([Column(name, kind) for name, kind in columns], list(_RECORDS[tab](month)))


def _counted() -> list[tuple[str, ColumnType]]:
    return [(name, _COUNT) for name in _SUMS]


def _sums(sums: UsageSums) -> tuple[int, ...]:
    return (
        sums.events, sums.errors, sums.input_tokens, sums.output_tokens, sums.unpriced_events,
    )  # fmt: skip


def _agents(month: ProjectMonth) -> Iterator[Row]:
    for row in read_agents(month):
        yield row.panel.name, row.panel.cost, *_sums(row.panel.sums)


def _months(month: ProjectMonth) -> Iterator[Row]:
    for row in read_trend(month):
        yield row.first, row.cost, *_sums(row.sums)


def _runs(month: ProjectMonth) -> Iterator[Row]:
    for row in read_runs(month):
        run = row.run
        yield run.id, run.run_trigger, run.status, row.started, row.cost, *_sums(run.sums)


def _recent(month: ProjectMonth) -> Iterator[Row]:
    for row in read_recent(month):
        call = row.call
        yield (
            call.at, row.label, row.run.whole, call.status, call.input_tokens,
            call.output_tokens, call.cost,
        )  # fmt: skip


_RECORDS: Mapping[str, Callable[[ProjectMonth], Iterator[Row]]] = {
    "agents": _agents,
    "months": _months,
    "runs": _runs,
    "recent": _recent,
}
