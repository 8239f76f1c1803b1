"""A project's dearest pipeline runs of a month."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from config.dashboards.episode_rows import STATUS_BADGES
from config.dashboards.links import page_url
from config.dashboards.project.month import ProjectMonth
from usage.formats import bar, share
from usage.selectors.episodes import Episode
from usage.selectors.filters import ORGANIZATION
from usage.selectors.projects import runs_of
from usage.selectors.sums import known_cost


@dataclass(frozen=True, slots=True)
class RunRow:
    """One run with what it did within the month; `started` is in the question's zone.

    `cost` is None where nobody knows any of it, `bar` its percentage of the dearest run's.
    `events_url` leads to its calls of the month.
    """

    run: Episode
    started: datetime
    cost: Decimal | None
    bar: int
    url: str
    events_url: str
    badge: str


def read_runs(month: ProjectMonth) -> list[RunRow]:
    """The five runs that cost most in the month."""
    runs = runs_of(month.frame)
    most = max([Decimal(0), *(run.sums.cost for run in runs)])
    return [_row(month, run, most) for run in runs]


def _row(month: ProjectMonth, run: Episode, most: Decimal) -> RunRow:
    question, kind = month.reading.question, run.kind.value
    return RunRow(
        run,
        run.started_at.astimezone(question.zone),
        known_cost(run.sums),
        bar(share(run.sums.cost, most)),
        page_url(question, kind, {ORGANIZATION: run.organization, kind: run.id}),
        month.events_url(**{kind: run.id}),
        STATUS_BADGES[run.status],
    )
