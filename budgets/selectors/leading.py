"""The budgets nearest to their limits, of however many: only theirs are read in full."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from budgets.book import Book, fresh_book
from budgets.matching import NAMES, BudgetValue
from budgets.models import Budget
from budgets.selectors.most_used import Wanted, find_windows
from budgets.selectors.standings import BudgetState, percent_of
from budgets.selectors.states import Rank, enabled_budgets, rank, rank_of, states_of
from usage.models import Organization, Project
from usage.selectors.access import Viewer

_PROJECT = NAMES.index("project")
_OF_ALL = ("", "organization")


@dataclass(frozen=True, slots=True)
class Leading:
    """The first budgets of `read_states`, and how many there are of them in all."""

    states: list[BudgetState]
    total: int


def read_leading(
    viewer: Viewer,
    now: datetime,
    count: int,
    *,
    organization: str | None = None,
    project: str | None = None,
) -> Leading:
    """The `count` first of what `read_states` tells of the same budgets at `now`."""
    book = fresh_book()
    owner = None
    if organization is not None:
        owner = Organization.objects.filter(slug=organization).values_list("pk", flat=True).first()
    asked = [value for value in book.index.by_id.values() if _is_visible(value, viewer)]
    if organization is not None:
        asked = [value for value in asked if _is_of(value, owner)]
    if project is not None:
        named = set(Project.objects.filter(slug=project).values_list("pk", flat=True))
        asked = [value for value in asked if value.scope[_PROJECT] in named]
    members = {} if owner is None else {"organization": owner}
    ranks = dict(_ranks(viewer, asked, book, now, members))
    known = [value.id for value in asked if value.id in ranks]
    first = sorted(known, key=lambda budget: ranks[budget])[:count]
    states = states_of(enabled_budgets(viewer).filter(pk__in=first), now, members)
    return Leading(sorted(states, key=rank_of), len(known))


def _is_visible(value: BudgetValue, viewer: Viewer) -> bool:
    owner = value.organization
    return viewer.organization_ids is None if owner is None else viewer.may_see(owner)


def _is_of(value: BudgetValue, owner: int | None) -> bool:
    if value.organization is None:
        return value.per in _OF_ALL
    return value.organization == owner


def _ranks(
    viewer: Viewer, values: list[BudgetValue], book: Book, now: datetime, members: dict[str, int]
) -> Iterator[tuple[int, Rank]]:
    """Where each budget comes, by id; one without a window has to be read to tell."""
    found = find_windows(
        Wanted(value.id, value.span(now).start, members.get(value.per)) for value in values
    )
    for pk, window in found.items():
        facts = book.facts[pk]
        name = f"{facts.name} · {Budget.ADVERBS[facts.period]}"
        yield pk, rank(percent_of(window.limit, window.spent + window.overage), name)
    unopened = [value.id for value in values if value.id not in found]
    for state in states_of(enabled_budgets(viewer).filter(pk__in=unopened), now, members):
        yield state.budget.pk, rank_of(state)
