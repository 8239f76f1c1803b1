"""What is left of the budgets that bind a session."""

from datetime import datetime
from decimal import Decimal

from budgets.selectors.states import BudgetState, read_project_states, read_states
from usage.formats import share
from usage.selectors.access import Viewer
from usage.selectors.episodes import Episode
from usage.selectors.named import find_project

_WIDE = ("organization", "site")


def share_left(viewer: Viewer, episode: Episode, now: datetime) -> Decimal | None:
    """How many percent are left of the budget that leaves least to a session at `now`, an aware
    time: of those of its project, its organization and all organizations that a viewer may see.

    Nothing is left of one that is used up; None without any limit.
    """
    project = episode.project and find_project(viewer, episode.project, episode.organization)
    if project:
        states = read_project_states(viewer, project, now)
    else:
        found = read_states(viewer, now, organization=episode.organization)
        states = [state for state in found if state.whole in _WIDE]
    return min((left for state in states if (left := _left(state)) is not None), default=None)


def _left(state: BudgetState) -> Decimal | None:
    if state.limit is None or state.remaining is None:
        return None
    return max(share(state.remaining, state.limit) or Decimal(0), Decimal(0))
