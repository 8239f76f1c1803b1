"""`/policies/`, quotas and the budget of a project: limits set by what they are for."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.utils import timezone
from rest_framework.exceptions import NotFound
from rest_framework.request import Request

from budgets.api.access import BudgetsView, actor_of, named_organization
from budgets.api.bodies import PolicyBody, ProjectBudgetBody, Refused, read_as
from budgets.api.budgets import shown_budgets
from budgets.api.rendering import amount_or_none
from budgets.api.schema.operations import (
    LIST_POLICIES,
    SET_GROUP_POLICY,
    SET_ORGANIZATION_POLICY,
    SET_PROJECT_BUDGET,
    SET_PROJECT_POLICY,
    SET_USER_POLICY,
    TAKE_QUOTAS,
)
from budgets.asking import read_object
from budgets.models import Budget, Threshold
from budgets.policies import (
    CURRENCY,
    Policy,
    PolicyEntry,
    ScopeType,
    limit_of,
    read_policies,
    set_policy,
)
from budgets.quotas import sync_quotas
from budgets.selectors.own import own_budget
from budgets.setting import save_budget
from usage.api.authentication import holder_of
from usage.api.bodies import read_body
from usage.api.parameters import ParameterReader
from usage.api.reads import json_answer
from usage.ingest.values import FieldError
from usage.selectors.access import viewer_of
from usage.selectors.named import find_project

_LIMITS = ("daily_limit", "monthly_limit", "daily_limit_eur", "monthly_limit_eur")
_FIELD, _PERCENT = Budget._meta.get_field("limit"), Threshold._meta.get_field("percent")
_MICRO = 6
_PARTS = {"team", "subject", "project"}


class PolicyListView(BudgetsView):
    """What organizations, groups, users and projects may cost a day and a month, by priority,
    then by what it is for."""

    @LIST_POLICIES
    def get(self, request: Request) -> HttpResponse:
        """List cost policies."""
        reader = ParameterReader(request.GET)
        slug = reader.one("organization")
        reader.finish()
        entries = read_policies(viewer_of(request.user), slug or None)
        return json_answer({"results": [policy_as_json(entry) for entry in entries]})


class PolicyView(BudgetsView):
    """Sets what a scope may cost a day and a month: two soft budgets called `policy`, made or
    changed. Null is no limit and 0 allows nothing, whether in euros or in millionths."""

    def set(self, request: Request, kind: ScopeType, name: str | None = None) -> HttpResponse:
        """Make or change the policy of an organization, or of the part of it called `name`."""
        reader = ParameterReader(request.GET)
        slug = reader.one("organization")
        reader.finish()
        organization = named_organization(request, slug)
        policy = _policy(read_as(PolicyBody, read_body(request)))
        actor = actor_of(holder_of(request))
        if name is not None and "\0" in name:
            raise NotFound(f"There is no {kind} {name!r}.")
        try:
            entry = set_policy(kind, organization, policy, actor, scope=name)
        except ValidationError as refusal:
            if _PARTS.isdisjoint(refusal.message_dict):
                raise
            raise NotFound(f"There is no {kind} {name!r}.") from refusal
        return json_answer(policy_as_json(entry))


class OrganizationPolicyView(PolicyView):
    __doc__ = PolicyView.__doc__

    @SET_ORGANIZATION_POLICY
    def put(self, request: Request) -> HttpResponse:
        """Set it."""
        return self.set(request, ScopeType.ORGANIZATION)


class GroupPolicyView(PolicyView):
    __doc__ = PolicyView.__doc__

    @SET_GROUP_POLICY
    def put(self, request: Request, team: str) -> HttpResponse:
        """Set it."""
        return self.set(request, ScopeType.GROUP, team)


class UserPolicyView(PolicyView):
    __doc__ = PolicyView.__doc__

    @SET_USER_POLICY
    def put(self, request: Request, subject: str) -> HttpResponse:
        """Set it."""
        return self.set(request, ScopeType.USER, subject)


class ProjectPolicyView(PolicyView):
    __doc__ = PolicyView.__doc__

    @SET_PROJECT_POLICY
    def put(self, request: Request, project: str) -> HttpResponse:
        """Set it."""
        return self.set(request, ScopeType.PROJECT, project)


class QuotasView(BudgetsView):
    """Takes over the quotas that another system keeps for an organization as its cost policy:
    `llm_daily_cost_limit_eur` and `llm_monthly_cost_limit_eur`, or these with `_micro_eur`, and
    `llm_cost_warn_threshold_pct`. Other quotas, and limits that are not above 0, are ignored;
    without any limit nothing changes and `policy` is null.
    """

    @TAKE_QUOTAS
    def put(self, request: Request, slug: str) -> HttpResponse:
        """Take quotas over."""
        ParameterReader(request.GET).finish()
        organization = named_organization(request, slug)
        quotas: Mapping[str, object] = read_object(read_body(request))
        entry = sync_quotas(organization, quotas, actor_of(holder_of(request)))
        return json_answer({"policy": None if entry is None else policy_as_json(entry)})


class ProjectBudgetView(BudgetsView):
    """Sets the monthly budget of a project, made or changed; answers with it. It warns unless it
    has been made hard."""

    @SET_PROJECT_BUDGET
    def put(self, request: Request, slug: str) -> HttpResponse:
        """Set it."""
        reader = ParameterReader(request.GET)
        owner = reader.one("organization") or None
        reader.finish()
        holder = holder_of(request)
        project = find_project(viewer_of(holder), slug, owner)
        if project is None:
            raise NotFound(f"There is no project {slug!r}.")
        wanted = read_as(ProjectBudgetBody, read_body(request))
        _check({"monthly_limit": wanted.monthly_limit})
        budget = own_budget(project.organization, project) or Budget(
            organization=project.organization, project=project
        )
        budget.limit, budget.currency = wanted.monthly_limit, ""
        save_budget(budget, None, actor_of(holder))
        (shown,) = shown_budgets([budget], timezone.now())
        return json_answer(shown)


def policy_as_json(entry: PolicyEntry) -> dict[str, Any]:
    """A cost policy; limits in millionths and in euros where its currency is EUR."""
    policy = entry.policy
    limits = {"daily_limit": policy.daily_limit, "monthly_limit": policy.monthly_limit}
    in_euro = policy.currency == CURRENCY
    return {
        "scope_type": entry.scope_type,
        "scope_id": entry.scope_id,
        "scope_name": entry.scope_name,
        "organization": entry.organization,
        "currency": policy.currency,
        "warn_threshold_pct": f"{policy.warn_percent.normalize():f}",
        **{name: amount_or_none(limit) for name, limit in limits.items()},
        **{
            f"{name}_eur": amount_or_none(limit) if in_euro else None
            for name, limit in limits.items()
        },
        **{
            f"{name}_micro_eur": _micro(limit) if in_euro else None
            for name, limit in limits.items()
        },
    }


def _micro(limit: Decimal | None) -> int | None:
    return None if limit is None else int(limit.scaleb(_MICRO))


def _policy(body: PolicyBody) -> Policy:
    limits = {name: getattr(body, name) for name in _LIMITS}
    in_euro = [name for name in _LIMITS[2:] if limits[name] is not None]
    micro = [getattr(body, f"{name}_micro_eur") for name in _LIMITS[:2]]
    if body.currency != CURRENCY and (in_euro or any(limit is not None for limit in micro)):
        message = "Limits in euros have no other currency."
        raise Refused([FieldError("currency", "contradiction", message)])
    _check({**limits, "warn_threshold_pct": body.warn_threshold_pct})
    daily, monthly = (
        limit_of(each, limits[name] if limits[f"{name}_eur"] is None else limits[f"{name}_eur"])
        for name, each in zip(_LIMITS[:2], micro, strict=True)
    )
    return Policy(daily, monthly, body.currency, body.warn_threshold_pct)


def _check(amounts: Mapping[str, Decimal | None]) -> None:
    faults: dict[str, Any] = {}
    for name, amount in amounts.items():
        field = _FIELD if name in _LIMITS else _PERCENT
        try:
            field.clean(amount, None)
        except ValidationError as refusal:
            faults[name] = refusal
    if faults:
        raise ValidationError(faults)
