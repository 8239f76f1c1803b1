"""The calendar month that a project's page is about."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from config.dashboards.links import day_parts, events_url
from config.dashboards.project.agent_types import agent_colours
from config.dashboards.question import CUSTOM
from config.dashboards.reading import Reading
from usage.models import Project
from usage.selectors.frames import Frame
from usage.selectors.projects import agents_of
from usage.selectors.questions import UsageAnswer


@dataclass(frozen=True, slots=True)
class ProjectMonth:
    """One month of a project under a question's filters, in its zone and currency.

    `first` to before `end` are its days. `agents` are its sums by agent type, the dearest first,
    and `colours` what the chart draws each of them in.
    """

    project: Project
    reading: Reading
    frame: Frame
    first: date
    end: date
    agents: UsageAnswer
    colours: Mapping[str, int]

    @property
    def name(self) -> str:
        """Such as November, with its year where that is not the present one."""
        return f"{self.first:%B}" if self.first.year == self.today.year else f"{self.first:%B %Y}"

    @property
    def last(self) -> date:
        """Its last day."""
        return self.end - timedelta(days=1)

    @property
    def today(self) -> date:
        """The present day of the zone."""
        return self.reading.question.today

    @property
    def is_present(self) -> bool:
        """Whether some of its days are still to come."""
        return self.today < self.end

    def events_url(self, **changes: str) -> str:
        """The events of the month; `changes` are further parameters."""
        return self.events_between(self.first, self.end, **changes)

    def events_between(self, first: date, end: date, **changes: str) -> str:
        """The project's events from `first` to before `end`."""
        parts = day_parts(first, end - timedelta(days=1))
        return events_url(self.reading.question, **parts, **changes)

    def page_of(self, first: date, end: date) -> str:
        """This page from `first` to before `end`."""
        parts = day_parts(first, end - timedelta(days=1))
        return self.reading.question.query_string(range=CUSTOM, step=None, **parts)


def read_month(reading: Reading, project: Project) -> ProjectMonth:
    """The month in which the question's range ends, the present one unless that is over."""
    question = reading.question
    frame = Frame(
        viewer=reading.viewer,
        today=min(question.last, question.today),
        time_zone=question.zone.key,
        filters=question.allowed,
        currency=question.currency,
    )
    first, end = frame.month
    return ProjectMonth(
        project, reading, frame, first, end, agents_of(frame), agent_colours(reading)
    )
