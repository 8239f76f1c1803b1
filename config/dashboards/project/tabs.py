"""The tabs of a project's page; only the one that is shown is read."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from config.dashboards.project.agents import read_agents
from config.dashboards.project.month import ProjectMonth
from config.dashboards.project.recent import read_recent
from config.dashboards.project.runs import read_runs
from config.dashboards.project.trend import read_trend
from config.dashboards.question import Question
from usage.formats import dated
from usage.selectors.projects import RECENT, TREND_MONTHS

TAB = "tab"


@dataclass(frozen=True, slots=True)
class Tab:
    """One tab: `read` gives what its template shows, under the name `rows`, and `note` says
    what that covers."""

    name: str
    label: str
    read: Callable[[ProjectMonth], Sequence[object]]
    note: Callable[[ProjectMonth], str]

    @property
    def template(self) -> str:
        """The part of the page that shows it."""
        return f"dashboards/project_{self.name}.html"


def _of_month(month: ProjectMonth) -> str:
    return month.name


def _of_trend(month: ProjectMonth) -> str:
    return f"{TREND_MONTHS} months up to {month.name}"


def _of_recent(month: ProjectMonth) -> str:
    question = month.reading.question
    latest = f"last {RECENT} calls"
    return f"{latest} of {dated(question.first, question.last)}" if question.chosen else latest


TABS = (
    Tab("agents", "By agent type", read_agents, _of_month),
    Tab("months", "Monthly trend", read_trend, _of_trend),
    Tab("runs", "Top pipelines", read_runs, _of_month),
    Tab("recent", "Recent", read_recent, _of_recent),
)


def tab_of(question: Question) -> Tab:
    """The tab that a question asks for, the first unless it names one."""
    asked = question.kept.get(TAB)
    return next((tab for tab in TABS if tab.name == asked), TABS[0])


def read_tab(month: ProjectMonth) -> Mapping[str, Any]:
    """The tab that the question asks for, and links to all."""
    question = month.reading.question
    shown = tab_of(question)
    return {
        "tab": shown,
        "tabs": [(tab, question.query_string(**{TAB: _word(tab)})) for tab in TABS],
        "tab_note": shown.note(month),
        "rows": shown.read(month),
    }


def _word(tab: Tab) -> str | None:
    return None if tab is TABS[0] else tab.name
