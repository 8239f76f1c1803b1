"""How the budgets that somebody may see stand at a moment."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from django.db.models import Q, QuerySet, prefetch_related_objects
from django.utils import timezone

from budgets.counting import NOTHING
from budgets.limits import allowed_at
from budgets.matching import BudgetValue
from budgets.models import Budget
from budgets.models.budgets import RELATIONS, WORDS
from budgets.selectors.most_used import Found, Wanted, count_most_used, find_windows
from budgets.selectors.scopes import Member, name_members
from budgets.selectors.standings import BudgetState, Level
from budgets.spans import Span
from budgets.thresholds import warning_amounts
from usage.models import Organization, Project, Subject
from usage.selectors.access import Viewer
from usage.selectors.overview import visible
from usage.selectors.periods import find_zone

Rank = tuple[Decimal, str]
__all__ = [
    "BudgetState",
    "Level",
    "Rank",
    "enabled_budgets",
    "rank",
    "rank_of",
    "read_project_states",
    "read_states",
    "read_subject_states",
    "states_of",
]


def read_states(
    viewer: Viewer,
    now: datetime,
    *,
    organization: str | None = None,
    project: str | None = None,
) -> list[BudgetState]:
    """The enabled budgets that a viewer may see at `now`, an aware time, most used first.

    `organization` keeps those of that organization and of parts of it, and those that limit all
    organizations, or each; `project` those of projects called so. As many statements for many
    budgets as for few.
    """
    rows, pinned = enabled_budgets(viewer), {}
    if organization is not None:
        pinned = {"organization": Organization.objects.filter(slug=organization).first()}
        every = Q(organization=None, per__in=("", "organization"))
        rows = rows.filter(Q(organization__slug=organization) | every)
    if project is not None:
        rows = rows.filter(project__slug=project)
    return _most_used_first(states_of(rows, now, _ids(pinned)))


def read_project_states(viewer: Viewer, project: Project, now: datetime) -> list[BudgetState]:
    """The budgets that a viewer may see and that bind a project at `now`, most used first: its
    own, and those of its organization or of all that count whatever it uses."""
    return _read_binding(viewer, "project", project, now)


def read_subject_states(viewer: Viewer, subject: Subject, now: datetime) -> list[BudgetState]:
    """The budgets that a viewer may see and that bind a subject's calls wherever they are made,
    at `now`, most used first: its own, and those of its organization or of all."""
    return _read_binding(viewer, "subject", subject, now)


def enabled_budgets(viewer: Viewer) -> QuerySet[Budget]:
    """The enabled budgets that a viewer may see, with the parts of their scopes; those of all
    organizations only for who sees everything."""
    return visible(Budget.objects.filter(enabled=True), viewer).select_related(*RELATIONS)


def states_of(
    budgets: Iterable[Budget], now: datetime, members: Mapping[str, int] | None = None
) -> list[BudgetState]:
    """How each of `budgets` stands at `now`, in any order.

    They come with the parts of their scopes. Where each of many has the limit to itself, the
    share of the one that `members` names (ids by what they are, such as "project"), else of the
    one that used most. A period that is over and was not counted then is counted from usage.
    """
    rows = list(budgets)
    if not rows:
        return []
    prefetch_related_objects(rows, "thresholds")
    pinned = members or {}
    values = {row.pk: BudgetValue.from_budget(row) for row in rows}
    spans = {pk: value.span(now) for pk, value in values.items()}
    found = find_windows(Wanted(row.pk, spans[row.pk].start, pinned.get(row.per)) for row in rows)
    unopened = [row for row in rows if row.pk not in found]
    prefetch_related_objects(unopened, "raises")
    for row in unopened:
        found[row.pk] = _unopened(row, values[row.pk], spans[row.pk], now, pinned.get(row.per))
    names = _names(rows, found)
    return [
        _state(row, values[row.pk].zone, spans[row.pk], found[row.pk], now, names) for row in rows
    ]


def rank(percent: Decimal | None, name: str) -> Rank:
    """Where a budget comes that used so much and is called so."""
    return -(Decimal(-1) if percent is None else percent), name


def rank_of(state: BudgetState) -> Rank:
    """Where a budget comes: the most used first, by name where they are even."""
    return rank(state.percent, str(state.budget))


def _read_binding(
    viewer: Viewer, kind: str, part: Project | Subject, now: datetime
) -> list[BudgetState]:
    """Budgets that name `part`, or that count all its usage whatever kind of usage that is."""
    unnamed = dict.fromkeys(name for name in RELATIONS if name != "organization")
    above = Q(**unnamed, **dict.fromkeys(WORDS, ""), per__in=("", "organization", kind))
    owner = Q(organization=part.organization_id) | Q(organization=None)
    rows = enabled_budgets(viewer).filter(Q(**{kind: part}) | owner & above)
    return _most_used_first(
        states_of(rows, now, _ids({"organization": part.organization, kind: part}))
    )


def _ids(parts: Mapping[str, Organization | Project | Subject | None]) -> dict[str, int]:
    return {name: part.pk for name, part in parts.items() if part is not None}


def _unopened(
    budget: Budget, value: BudgetValue, span: Span, now: datetime, member: int | None
) -> Found:
    """What a window would say: nothing yet, unless its period is over."""
    who, counted, members = member or 0, NOTHING, 0
    if span.end is not None and span.end <= timezone.now():
        who, counted, members = count_most_used(value, span, member)
    allowed = allowed_at(budget, budget.raises.all(), who, now, span.start)
    nothing = Decimal(0)
    return Found(
        who, allowed.limit, counted.used, nothing, nothing, counted.unpriced_events, members
    )


def _names(rows: Sequence[Budget], found: Mapping[int, Found]) -> dict[int, str]:
    """The names of members by budget; with their organization where the budget has none."""
    names: dict[int, str] = {}
    for full in (False, True):
        members: dict[int, Member] = {
            row.pk: (row.per, found[row.pk].member)
            for row in rows
            if row.per and (row.organization_id is None) == full
        }
        called = name_members(members.values(), full=full)
        names |= {pk: called.get(member, "") for pk, member in members.items()}
    return names


def _state(
    budget: Budget,
    zone_name: str,
    span: Span,
    found: Found,
    now: datetime,
    names: Mapping[int, str],
) -> BudgetState:
    zone = find_zone(zone_name)
    return BudgetState(
        budget,
        span.start.astimezone(zone).date(),
        None if span.end is None else span.end.astimezone(zone).date(),
        found.limit,
        found.spent,
        found.unpriced_events,
        None if span.end is None else span.end - now,
        found.reserved,
        found.overage,
        warning_amounts(budget, found.limit, span.start, now),
        found.member,
        names.get(budget.pk, ""),
        found.members if budget.per else 0,
    )


def _most_used_first(states: Iterable[BudgetState]) -> list[BudgetState]:
    return sorted(states, key=rank_of)
