"""A project's month by agent type."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from config.dashboards.colours import OTHER
from config.dashboards.panels import PanelRow, panel_row
from config.dashboards.project.agent_types import AGENT_TYPE, colour_in
from config.dashboards.project.month import ProjectMonth
from usage.formats import NOT_GIVEN, bar, share
from usage.selectors.questions import UsageRow
from usage.selectors.sums import known_cost, total_of

ROWS = 24


@dataclass(frozen=True, slots=True)
class AgentRow:
    """One agent type; `success` is the share of its jobs that did not fail, in percent."""

    panel: PanelRow
    success: Decimal | None


def read_agents(month: ProjectMonth) -> list[AgentRow]:
    """The dearest agent types of the month, and what all others come to."""
    shown, others = month.agents.rows[:ROWS], month.agents.rows[ROWS:]
    return [_row(month, row) for row in shown] + [_rest(month, others)] * bool(others)


def _row(month: ProjectMonth, row: UsageRow) -> AgentRow:
    value = row.group[AGENT_TYPE]
    panel = panel_row(
        month.reading,
        AGENT_TYPE,
        row.group,
        row.sums,
        whole=month.agents.totals,
        colour=colour_in(month.colours, value),
    )
    events_url = month.events_url(**{AGENT_TYPE: value or NOT_GIVEN})
    return _agent(replace(panel, events_url=events_url))


def _rest(month: ProjectMonth, rows: Sequence[UsageRow]) -> AgentRow:
    sums = total_of(row.sums for row in rows)
    part = share(sums.cost, month.agents.totals.cost)
    name = f"{len(rows)} others"
    return _agent(PanelRow(name, "", "", sums, known_cost(sums), part, bar(part), OTHER))


def _agent(panel: PanelRow) -> AgentRow:
    return AgentRow(panel, share(panel.sums.events - panel.sums.errors, panel.sums.events))
