"""Setting budgets: the one place that changes them, with their windows and the record of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from budgets.alerts.resolving import settle_budget
from budgets.book import new_edition
from budgets.limits import in_ledger
from budgets.locks import exclude
from budgets.models import Budget, BudgetChange, BudgetRaise, BudgetWindow, Threshold
from budgets.models.budgets import RELATIONS, WARN_PERCENT, WORDS
from budgets.redefining import adjust, redefine

_DEFINITION = (
    *(f"{name}_id" for name in RELATIONS), *WORDS, "per", "measure", "period", "starts_on",
)  # fmt: skip
_DESCRIBED = (
    "name", "per", "measure", "period", "currency", "enforcement", "unpriced", "priority",
    "contact", "channels", "enabled",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Actor:
    """Who changes a budget: a user, or the API key or command called `name`."""

    user_id: int | None = None
    name: str = ""


class Level(NamedTuple):
    """What a budget warns from: a percentage of its limit, or an amount in its own currency."""

    percent: Decimal | None = None
    amount: Decimal | None = None


LONGEST_RAISE = timedelta(days=36_500)
DEFAULT_LEVELS = (Level(WARN_PERCENT),)


def save_budget(
    budget: Budget,
    levels: Sequence[Level] | None,
    actor: Actor,
    *,
    action: str = BudgetChange.Action.SET,
    now: datetime | None = None,
) -> Budget:
    """Make or change a budget, its windows included; commit before returning.

    `levels` replace its thresholds; None leaves them, and gives a new budget the default. Nothing
    is recorded where nothing changes. Raises ValidationError.
    """
    now = now or timezone.now()
    with transaction.atomic():
        before = Budget.objects.filter(pk=budget.pk).first() if budget.pk else None
        exclude({budget.organization_id, *([before.organization_id] if before else ())})
        if before is not None:
            # Another may have changed it before the lock was granted.
            before.refresh_from_db()
            budget.counts_since = before.counts_since
        said = describe(before) if before else {}
        budget.full_clean()
        # Levels need a rate where there is no limit, too.
        in_ledger(budget, budget.limit or Decimal(0), now, now)
        budget.save()
        _set_levels(budget, DEFAULT_LEVELS if levels is None and before is None else levels)
        after = describe(budget)
        if said == after:
            return budget
        if before is None or _counts_otherwise(before, budget):
            redefine(budget, now)
        elif budget.enabled:
            adjust(budget, now)
        else:
            settle_budget(budget, now)
        _record(budget, action, actor, said, after)
        new_edition()
    return budget


def switch_off(budget: Budget, actor: Actor) -> Budget:
    """Let a budget count and limit nothing more; its history stays."""
    budget.enabled = False
    return save_budget(budget, None, actor)


def grant_raise(
    budget: Budget,
    *,
    limit: Decimal | None,
    until: datetime,
    actor: Actor,
    member: int = 0,
    reason: str = "",
    now: datetime | None = None,
) -> BudgetRaise:
    """Let a budget allow `limit` (in its currency; None: no limit) until an aware time.

    `member` is the id of the one it is for, where the budget has a limit for each. Raises
    ValidationError where it has ended already, or the budget has no such members.
    """
    now = now or timezone.now()
    faults = {}
    if until <= now:
        faults["until"] = "This has passed already."
    if until > now + LONGEST_RAISE:
        faults["until"] = f"A raise holds for at most {LONGEST_RAISE.days:,} days."
    if member and not budget.per:
        faults["member"] = "All share the limit of this budget."
    if faults:
        raise ValidationError(faults)
    granted = BudgetRaise(
        budget=budget, member=member, limit=limit, since=now, until=until, reason=reason,
        granted_by_id=actor.user_id,
    )  # fmt: skip
    granted.clean_fields()
    with transaction.atomic():
        _hold_still(budget)
        granted.save()
        _readjust(budget, actor, {}, _described_raise(granted), now)
    return granted


def end_raise(granted: BudgetRaise, actor: Actor, now: datetime | None = None) -> None:
    """Let a raise hold no longer. Does nothing where it has ended already."""
    now = now or timezone.now()
    with transaction.atomic():
        _hold_still(granted.budget)
        before = _described_raise(granted)
        ended = BudgetRaise.objects.filter(pk=granted.pk, since__lt=now, until__gt=now)
        if ended.update(until=now):
            granted.until = now
            _readjust(granted.budget, actor, before, _described_raise(granted), now)


def refresh_limits(now: datetime) -> int:
    """Let windows allow what they should since raises began or ended; how many budgets had any."""
    due = BudgetWindow.objects.filter(limit_until__lte=now)
    ids = sorted(set(due.values_list("budget_id", flat=True)))
    for budget in Budget.objects.filter(pk__in=ids):
        with transaction.atomic():
            _hold_still(budget)
            adjust(budget, now)
            BudgetWindow.objects.filter(budget=budget, limit_until__lte=now).update(
                limit_until=None
            )
    return len(ids)


def describe(budget: Budget) -> dict[str, Any]:
    """What a budget says, as JSON values: amounts are decimal strings."""
    said: dict[str, Any] = {name: getattr(budget, name) for name in _DESCRIBED}
    parts = {name: getattr(budget, name) for name in (*RELATIONS, *WORDS)}
    scope = {
        name: (part.pk, str(part)) if name in RELATIONS else part
        for name, part in parts.items()
        if part
    }
    levels = [str(level) for level in budget.thresholds.all()] if budget.pk else []
    return {
        **said,
        "scope": {
            name: list(part) if isinstance(part, tuple) else part for name, part in scope.items()
        },
        "limit": None if budget.limit is None else f"{budget.limit.normalize():f}",
        "starts_on": budget.starts_on.isoformat() if budget.starts_on else None,
        "thresholds": levels,
    }


def _counts_otherwise(before: Budget, after: Budget) -> bool:
    if after.enabled != before.enabled:
        return after.enabled
    return any(getattr(before, name) != getattr(after, name) for name in _DEFINITION)


def _set_levels(budget: Budget, levels: Sequence[Level] | None) -> None:
    if levels is None:
        return
    wanted = set(levels)
    for row in budget.thresholds.all():
        if Level(row.percent, row.amount) in wanted:
            wanted.discard(Level(row.percent, row.amount))
        else:
            row.delete()
    for level in sorted(wanted, key=str):
        row = Threshold(budget=budget, percent=level.percent, amount=level.amount)
        row.full_clean()
        row.save()


def _hold_still(budget: Budget) -> None:
    """Lock a budget, and read what another may have made of it before the lock was granted."""
    exclude([budget.organization_id])
    budget.refresh_from_db()


def _readjust(
    budget: Budget, actor: Actor, before: dict[str, Any], after: dict[str, Any], now: datetime
) -> None:
    adjust(budget, now)
    _record(budget, BudgetChange.Action.RAISE, actor, before, after)


def _described_raise(granted: BudgetRaise) -> dict[str, Any]:
    return {
        "limit": None if granted.limit is None else f"{granted.limit.normalize():f}",
        "member": granted.member,
        "since": granted.since.isoformat(),
        "until": granted.until.isoformat(),
        "reason": granted.reason,
    }


def _record(
    budget: Budget, action: str, actor: Actor, before: dict[str, Any], after: dict[str, Any]
) -> None:
    BudgetChange.objects.create(
        budget=budget, action=action, made_by_id=actor.user_id, actor=actor.name,
        before=before, after=after,
    )  # fmt: skip
