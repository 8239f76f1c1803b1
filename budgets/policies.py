"""Cost policies: what an organization, a group, a user or a project may cost in a day and a month.

A policy is two budgets called POLICY. A limit of None means none, 0 that nothing is allowed.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction

from budgets.models import Budget, BudgetChange
from budgets.models.budgets import WARN_PERCENT, WORDS
from budgets.selectors.order import LIST_ORDER
from budgets.selectors.own import Part, own_budget, part_name
from budgets.selectors.states import enabled_budgets
from budgets.setting import Actor, Level, save_budget
from usage.models import Organization, Project, Subject, Team
from usage.selectors.access import Viewer

POLICY = "policy"
CURRENCY = "EUR"
WHOLE = "Organisation"
"""What the scope of an organization's own policy is called."""
_PERIODS = (Budget.Period.DAY, Budget.Period.MONTH)
_MICRO = -6


class ScopeType(StrEnum):
    """What a policy is for."""

    ORGANIZATION = "org"
    GROUP = "group"
    USER = "user"
    PROJECT = "project"


_PARTS: dict[ScopeType, tuple[type[Part], str]] = {
    ScopeType.GROUP: (Team, "slug"),
    ScopeType.USER: (Subject, "key"),
    ScopeType.PROJECT: (Project, "slug"),
}
"""What it is, and by which field one of an organization is named."""
_ACTIONS = {
    ScopeType.ORGANIZATION: BudgetChange.Action.ORGANIZATION,
    ScopeType.GROUP: BudgetChange.Action.GROUP,
    ScopeType.USER: BudgetChange.Action.USER,
    ScopeType.PROJECT: BudgetChange.Action.SET,
}


@dataclass(frozen=True, slots=True)
class Policy:
    """What a scope may cost, in `currency`, and the percentage from which it warns."""

    daily_limit: Decimal | None = None
    monthly_limit: Decimal | None = None
    currency: str = CURRENCY
    warn_percent: Decimal = WARN_PERCENT


@dataclass(frozen=True, slots=True)
class PolicyEntry:
    """A policy and what it is for: `scope_id` is None for the organization, whose scope is called
    WHOLE; a group is called by its name, a user by e-mail address, else key."""

    scope_type: ScopeType
    scope_id: int | None
    scope_name: str
    organization: str
    policy: Policy


def limit_of(micro: int | None, amount: Decimal | None) -> Decimal | None:
    """The limit that is meant: millionths win over an amount; neither is no limit."""
    return amount if micro is None else Decimal(micro).scaleb(_MICRO)


def set_policy(
    scope_type: ScopeType,
    organization: Organization,
    policy: Policy,
    actor: Actor,
    *,
    scope: int | str | None = None,
) -> PolicyEntry:
    """Make or change the policy of an organization, or of one of its groups, users or projects.

    `scope` is its id or name, for the organization itself None. Raises ValidationError, also where
    the organization has none such.
    """
    part = None if scope_type is ScopeType.ORGANIZATION else _find(scope_type, organization, scope)
    parts: dict[str, Any] = {part_name(part): part} if part else {}
    limits = zip(_PERIODS, (policy.daily_limit, policy.monthly_limit), strict=True)
    with transaction.atomic():
        for period, limit in limits:
            found = own_budget(organization, part, period=period, name=POLICY)
            budget = found or Budget(
                organization=organization, name=POLICY, period=period,
                created_by_id=actor.user_id, **parts,
            )  # fmt: skip
            budget.limit, budget.currency = limit, policy.currency
            levels = [Level(percent=policy.warn_percent)]
            save_budget(budget, levels, actor, action=_ACTIONS[scope_type])
    return _entry(organization, part, policy)


def read_policies(viewer: Viewer, organization: str | None = None) -> list[PolicyEntry]:
    """The policies that a viewer may see, by priority, then by what they are for."""
    rows = enabled_budgets(viewer).filter(
        name=POLICY, per="", period__in=_PERIODS, measure=Budget.Measure.COST,
        organization__isnull=False, api_key=None, **dict.fromkeys(WORDS, ""),
    )  # fmt: skip
    if organization is not None:
        rows = rows.filter(organization__slug=organization)
    return list(_entries(rows.prefetch_related("thresholds").order_by(*LIST_ORDER)))


def _entries(rows: Iterable[Budget]) -> Iterator[PolicyEntry]:
    scopes: dict[tuple[int | None, ...], list[Budget]] = defaultdict(list)
    for row in rows:
        scopes[row.organization_id, row.team_id, row.subject_id, row.project_id].append(row)
    for budgets in scopes.values():
        first = budgets[0]
        named: list[Part] = [p for p in (first.team, first.subject, first.project) if p is not None]
        if len(named) > 1 or first.organization is None:
            continue
        limits = {row.period: row.limit for row in budgets}
        policy = Policy(
            limits.get(Budget.Period.DAY), limits.get(Budget.Period.MONTH), first.currency,
            _level(first),
        )  # fmt: skip
        yield _entry(first.organization, named[0] if named else None, policy)


def _entry(organization: Organization, part: Part | None, policy: Policy) -> PolicyEntry:
    if part is None:
        return PolicyEntry(ScopeType.ORGANIZATION, None, WHOLE, organization.slug, policy)
    kind = next(kind for kind, (model, _) in _PARTS.items() if isinstance(part, model))
    name = part.email or part.key if isinstance(part, Subject) else part.name or part.slug
    return PolicyEntry(kind, part.pk, name, organization.slug, policy)


def _find(scope_type: ScopeType, organization: Organization, scope: int | str | None) -> Part:
    model, column = _PARTS[scope_type]
    asked = {"pk" if isinstance(scope, int) else column: scope}
    rows = model._default_manager.filter(organization=organization, **asked)
    found: Part | None = rows.first()
    if found is None:
        reason = f"{organization.slug} has no {scope_type} {scope!r}."
        raise ValidationError({model._meta.model_name or "scope": reason})
    return found


def _level(budget: Budget) -> Decimal:
    levels = [level.percent for level in budget.thresholds.all() if level.percent is not None]
    return min(levels, default=WARN_PERCENT)
