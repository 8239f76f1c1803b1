"""Making and changing budgets whose scope is told by names, as events tell them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction

from budgets.channels.saving import channels_named
from budgets.locks import exclude
from budgets.models import Budget
from budgets.models.budgets import RELATIONS, WORDS
from budgets.setting import Actor, Level, save_budget
from usage.models import APIKey, Organization, Project, Subject, Team
from usage.models.identity import validate_name
from usage.models.keys import KEY_MARK

OWNER = "organization"
_CHANNELS = "channels"
_COLUMNS: Mapping[str, tuple[type[Project] | type[Team] | type[Subject], str]] = {
    "project": (Project, "slug"),
    "team": (Team, "slug"),
    "subject": (Subject, "key"),
}


_TAKEN = next(
    str(constraint.violation_error_message)
    for constraint in Budget._meta.constraints
    if constraint.name == "budgets_budget_once"
)


class Exists(Exception):
    """There is such a budget already; the message may be shown to whoever made it."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be said of a budget: the parts of its scope by name (None: any), its other
    columns, and its levels (None: those it has). What is left out stays.

    `owner` is the organization it is for, None for all; without `moves` it stays that of the
    budget.
    """

    parts: Mapping[str, str | None]
    columns: Mapping[str, Any]
    levels: Sequence[Level] | None
    owner: Organization | None
    moves: bool = True


def make_budget(wanted: Wanted, actor: Actor) -> Budget:
    """Make a budget; commit before returning. Raises ValidationError, for the name of a channel
    that is not known too, and Exists."""
    with transaction.atomic():
        return _save(Budget(organization=wanted.owner), wanted, actor)


def change_budget(pk: int, wanted: Wanted, actor: Actor) -> Budget:
    """Change a budget; commit before returning. Raises ValidationError and Exists.

    Two changes at the same time are made one after the other: neither undoes the other's.
    """
    with transaction.atomic():
        owners: set[int | None] = {
            Budget.objects.values_list("organization_id", flat=True).get(pk=pk)
        }
        if wanted.moves:
            owners.add(wanted.owner.pk if wanted.owner else None)
        exclude(owners)
        budget = Budget.objects.select_related(*RELATIONS).get(pk=pk)
        if wanted.moves:
            budget.organization = wanted.owner
        return _save(budget, wanted, actor)


def _save(budget: Budget, wanted: Wanted, actor: Actor) -> Budget:
    faults: dict[str, Any] = {}
    for name, called in wanted.parts.items():
        try:
            setattr(budget, name, _part(budget.organization, name, called))
        except ValidationError as refusal:
            faults[name] = refusal
    if faults:
        raise ValidationError(faults)
    for name, value in wanted.columns.items():
        setattr(budget, name, value)
    if wanted.moves or _CHANNELS in wanted.columns:
        channels_named(budget.organization, budget.channels)
    try:
        return save_budget(budget, wanted.levels, actor)
    except ValidationError as refusal:
        if _TAKEN in refusal.messages:
            raise Exists(_TAKEN) from refusal
        raise


def _part(owner: Organization | None, name: str, called: str | None) -> Any:
    if name in WORDS:
        return called or ""
    if not called:
        return None
    if owner is None:
        raise ValidationError("Name the organization that it belongs to.")
    if name == "api_key":
        return _key(owner, called)
    validate_name(called)
    model, column = _COLUMNS[name]
    named: dict[str, Any] = {"organization": owner, column: called}
    found = model._default_manager.filter(**named).first()
    if found is not None:
        return found
    if model is Subject and owner.subject_policy == Organization.SubjectPolicy.KNOWN:
        raise ValidationError(f"The subject {called!r} is not known.", "unknown_subject")
    return model._default_manager.get_or_create(**named)[0]


def _key(owner: Organization, called: str) -> APIKey:
    prefix = called.removeprefix(KEY_MARK).partition(".")[0]
    found: APIKey | None = None if "\0" in prefix else APIKey.objects.filter(prefix=prefix).first()
    if found is None or found.organization_id != owner.pk:
        raise ValidationError(f"There is no API key {called!r}.", "unknown_api_key")
    return found
