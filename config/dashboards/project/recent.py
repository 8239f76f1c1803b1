"""A project's latest calls."""

from collections.abc import Sequence
from dataclasses import dataclass

from config.dashboards.calls import Call, Link, link_to, read_calls
from config.dashboards.project.agent_types import AGENT_TYPE, agent_label, colour_in
from config.dashboards.project.month import ProjectMonth
from usage.models import UsageEvent
from usage.selectors.episodes import EpisodeKind
from usage.selectors.events import EventQuery, StoredEvent, list_events
from usage.selectors.projects import RECENT
from usage.selectors.recent import recent_events


@dataclass(frozen=True, slots=True)
class RecentCall:
    """One call with its agent type and its colour, and its run."""

    label: str
    colour: int
    run: Link
    call: Call


def read_recent(month: ProjectMonth) -> list[RecentCall]:
    """The last 50 calls of the project, newest first; of those in the range that pass, where
    the question filters for more than the project."""
    question, events = month.reading.question, _events(month)
    run = EpisodeKind.RUN.value
    return [
        RecentCall(
            agent_label(event[AGENT_TYPE]),
            colour_in(month.colours, event[AGENT_TYPE]),
            link_to(question, run, {**event, run: event["run_id"]}),
            call,
        )
        for event, call in zip(
            events, read_calls(question, events, month.project.organization_id), strict=True
        )
    ]


def _events(month: ProjectMonth) -> Sequence[StoredEvent]:
    question = month.reading.question
    if not question.chosen:
        return recent_events(month.project, limit=RECENT)
    asked = EventQuery(
        viewer=month.reading.viewer,
        start=question.first,
        end=question.end,
        time_zone=question.zone.key,
        filters=question.allowed,
        facts={"state": [UsageEvent.State.COUNTED.label]},
        limit=RECENT,
    )
    return list_events(asked).events
