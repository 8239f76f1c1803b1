"""What may be decided about a re-rating in each of its states."""

from collections.abc import Callable
from dataclasses import dataclass

from django.contrib.auth.models import User

from usage.models import RatingRun
from usage.rerating import apply_run, approve_run, discard_run, roll_back_run

_Status = RatingRun.Status


@dataclass(frozen=True, slots=True)
class Decision:
    """One thing to do with a run. `question` is asked before; `take` does it.

    `take` raises RatingRefused.
    """

    name: str
    label: str
    question: str
    states: frozenset[RatingRun.Status]
    take: Callable[[RatingRun, User], object]
    is_default: bool = False


DECISIONS = {
    decision.name: decision
    for decision in (
        Decision(
            "apply",
            "Apply",
            "Events, sums and budgets change together. Events of closed months keep their rating: "
            "the difference is posted as an adjustment in the present month.",
            frozenset((_Status.PLANNED,)),
            apply_run,
            is_default=True,
        ),
        Decision(
            "approve",
            "Approve",
            "As a second person you let this re-rating change events, sums and budgets.",
            frozenset((_Status.AWAITING,)),
            approve_run,
            is_default=True,
        ),
        Decision(
            "discard",
            "Discard",
            "The dry run is put aside; no event has changed.",
            frozenset((_Status.PLANNED, _Status.AWAITING)),
            discard_run,
        ),
        Decision(
            "roll-back",
            "Roll back",
            "Every event gets the rating back that it had before, to the last digit.",
            frozenset((_Status.APPLIED,)),
            roll_back_run,
        ),
    )
}


def decisions_for(run: RatingRun, user: User) -> list[Decision]:
    """What `user`, who may change the run's organization, can decide about it now."""
    found = [decision for decision in DECISIONS.values() if run.status in decision.states]
    if not run.changed:
        found = [decision for decision in found if decision.name != "apply"]
    if run.requested_by_id == user.pk:
        found = [decision for decision in found if decision.name != "approve"]
    return found
