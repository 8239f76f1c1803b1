"""What budgets limit: the names of their members, and the questions about usage they count."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

from django.db.models import Model

from budgets.models import Budget
from budgets.models.budgets import RELATIONS, WORDS
from usage.models import APIKey, Organization, Project, Subject, Team
from usage.selectors.filters import ORGANIZATION

Member = tuple[str, int]
"""One of Budget.Per, and the id of one such."""

_NAMES: dict[str, tuple[type[Model], str]] = {
    "organization": (Organization, "slug"),
    "project": (Project, "slug"),
    "team": (Team, "slug"),
    "subject": (Subject, "key"),
    "api_key": (APIKey, "name"),
}
"""What one of each is called by, among those of its organization."""


def name_members(members: Iterable[Member], *, full: bool = False) -> dict[Member, str]:
    """What members of budgets are called; in `full` with their organization, such as acme / web.

    One statement for each kind among them; 0, which stands for all together, has no name.
    """
    wanted = defaultdict(set)
    for per, member in members:
        if per and member:
            wanted[per].add(member)
    return {
        (per, pk): name for per, ids in wanted.items() for pk, name in _names(per, ids, full=full)
    }


def find_member(budget: Budget, name: str) -> int | None:
    """The id of the member of a budget with a limit for each that is called so; of a budget of
    all organizations in full, such as acme / web. None where there is none, or not just one."""
    if not budget.per or "\0" in name:
        return None
    model, column = _NAMES[budget.per]
    rows: Any = model._default_manager.all()
    if budget.per != ORGANIZATION:
        owner, mark, part = name.partition(" / ")
        if budget.organization_id is not None:
            rows = rows.filter(organization=budget.organization_id)
        elif mark:
            rows, name = rows.filter(organization__slug=owner), part
    found = list(rows.filter(**{column: name}).values_list("pk", flat=True)[:2])
    return found[0] if len(found) == 1 else None


def usage_filters(budget: Budget, member_name: str = "") -> dict[str, list[str]]:
    """The filters of a question about the usage that a budget counts, or that it counts of one
    member: `member_name` is not in full. The parts of its scope have been read."""
    filters = {word: [getattr(budget, word)] for word in WORDS if getattr(budget, word)}
    for name in RELATIONS:
        part = getattr(budget, name)
        if part is not None:
            filters[name] = [part.prefix if name == "api_key" else getattr(part, _NAMES[name][1])]
    if budget.per not in ("", "api_key") and member_name:
        filters[budget.per] = [member_name]
    return filters


def _names(per: str, ids: set[int], *, full: bool) -> Iterator[tuple[int, str]]:
    model, column = _NAMES[per]
    rows: Any = model._default_manager.filter(pk__in=ids)
    if not full or per == ORGANIZATION:
        yield from rows.values_list("pk", column)
        return
    for pk, owner, name in rows.values_list("pk", "organization__slug", column):
        yield pk, f"{owner} / {name}"
