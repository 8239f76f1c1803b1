"""The budgets as they were at any time, as the record of their changes tells."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from budgets.book import Book, facts_of
from budgets.facts import BudgetFacts
from budgets.matching import BudgetIndex, BudgetValue
from budgets.models import Budget, BudgetChange, BudgetRaise
from budgets.models.budgets import RELATIONS, WORDS
from budgets.replay.drafts import read_level

_WORDS = ("name", "per", "measure", "period", "currency", "enforcement", "unpriced", "contact")
_COUNTING = ("scope", "per", "measure", "period", "starts_on")


@dataclass(frozen=True, slots=True)
class Version:
    """A budget from `since` to its next version. What it counts is the same from `defined_at` on;
    what was held earlier was held again then."""

    since: datetime
    defined_at: datetime
    budget: Budget
    value: BudgetValue
    facts: BudgetFacts


@dataclass(frozen=True, slots=True)
class Edition:
    """The budgets that were switched on from `since` to the next edition, by id."""

    since: datetime
    versions: Mapping[int, Version]
    book: Book


def read_editions(end: datetime) -> list[Edition]:
    """The editions that began before `end`, an aware time, the earliest first."""
    present: dict[int, Version] = {}
    editions: list[Edition] = []
    said: dict[int, dict[str, Any]] = {}
    for change in BudgetChange.objects.filter(made_at__lt=end).order_by("id"):
        if "measure" not in change.after:
            # A raise: rows of their own tell of those.
            continue
        known = present.pop(change.budget_id, None)
        if change.after["enabled"]:
            before = said.get(change.budget_id, {}) if known else {}
            goes_on = known and all(before[name] == change.after[name] for name in _COUNTING)
            defined_at = known.defined_at if known and goes_on else change.made_at
            present[change.budget_id] = _version(change, defined_at)
        said[change.budget_id] = change.after
        editions.append(_edition(change.made_at, present))
    return editions


def raises_by_budget() -> dict[int, list[BudgetRaise]]:
    """All raises there have been, by budget."""
    found: dict[int, list[BudgetRaise]] = {}
    for granted in BudgetRaise.objects.order_by("pk"):
        found.setdefault(granted.budget_id, []).append(granted)
    return found


def _edition(since: datetime, present: Mapping[int, Version]) -> Edition:
    versions = dict(present)
    index = BudgetIndex(version.value for version in versions.values())
    facts = {pk: version.facts for pk, version in versions.items()}
    return Edition(since, versions, Book(0, index, facts))


def _version(change: BudgetChange, defined_at: datetime) -> Version:
    budget = _budget(change.budget_id, change.after)
    value = BudgetValue.from_budget(budget)
    levels = [read_level(level) for level in change.after["thresholds"]]
    facts = facts_of(budget, value.zone, levels, change.made_at)
    return Version(change.made_at, defined_at, budget, value, facts)


def _budget(pk: int, said: Mapping[str, Any]) -> Budget:
    """The row as it was, unsaved."""
    budget = Budget(pk=pk, **{name: said[name] for name in _WORDS})
    scope = said["scope"]
    for name in RELATIONS:
        setattr(budget, f"{name}_id", scope[name][0] if name in scope else None)
    for name in WORDS:
        setattr(budget, name, scope.get(name, ""))
    budget.limit = None if said["limit"] is None else Decimal(said["limit"])
    budget.starts_on = date.fromisoformat(said["starts_on"]) if said["starts_on"] else None
    return budget
