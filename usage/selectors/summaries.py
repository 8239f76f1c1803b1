"""The summary of all that a viewer sees, of one organization, or of one subject."""

from dataclasses import dataclass
from datetime import datetime

from usage.models import CallKind
from usage.selectors.cards import Series, daily, monthly, weekly
from usage.selectors.frames import Frame
from usage.selectors.people import Spender, top_people
from usage.selectors.questions import UsageAnswer
from usage.selectors.rankings import leaders

TOP = 10
LISTED = 100
BILLING_SCOPE = "billing_scope"


@dataclass(frozen=True, slots=True)
class Cards:
    """The series of a frame, whose last periods are the cards."""

    daily: Series
    weekly: Series
    monthly: Series

    @property
    def as_of(self) -> datetime:
        """What all series hold everything up to."""
        return min(self.daily.as_of, self.weekly.as_of, self.monthly.as_of)


@dataclass(frozen=True, slots=True)
class Summary:
    """Cards with this month's leaders.

    `users`, `models` and the models most used are those of calls the organization pays for,
    unless the frame asks for a billing scope; `providers` and `organizations` hold all usage.
    """

    cards: Cards
    users: list[Spender]
    models: UsageAnswer
    models_by_events: UsageAnswer
    models_by_tokens: UsageAnswer
    providers: UsageAnswer
    organizations: UsageAnswer


@dataclass(frozen=True, slots=True)
class Breakdown:
    """This month's dearest projects and people of one organization."""

    projects: UsageAnswer
    people: list[Spender]


def read_cards(frame: Frame) -> Cards:
    """30 days, 12 weeks and 12 months up to today. Raises QuestionError."""
    return Cards(daily(frame), weekly(frame), monthly(frame))


def read_summary(frame: Frame) -> Summary:
    """Cards and leaders. Raises QuestionError."""
    start, end = frame.month
    paid = paid_by_organization(frame)
    models = paid.ask(start, end, group_by=("model",), order_by="-cost")
    return Summary(
        cards=read_cards(frame),
        users=top_people(paid, start, end, TOP),
        models=leaders(models, ("model",), "cost", TOP),
        models_by_events=leaders(models, ("model",), "events", TOP),
        models_by_tokens=leaders(models, ("model",), "total_tokens", TOP),
        providers=frame.ask(start, end, group_by=("provider",), order_by="-cost"),
        organizations=frame.ask(start, end, group_by=("organization",), order_by="-cost"),
    )


def read_breakdown(frame: Frame) -> Breakdown:
    """The projects and people of the frame's one organization. Raises QuestionError."""
    start, end = frame.month
    projects = frame.ask(start, end, group_by=("project",), order_by="-cost", limit=LISTED)
    return Breakdown(projects, top_people(frame, start, end, LISTED))


def paid_by_organization(frame: Frame) -> Frame:
    """The frame without calls on users' own keys, unless it says who pays."""
    if BILLING_SCOPE in frame.filters:
        return frame
    return frame.only(billing_scope=CallKind.BillingScope.ORG.value)
