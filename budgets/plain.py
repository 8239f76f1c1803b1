"""Budgets that are set in passing, by an amount: of all that an organization or project uses."""

from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple

from budgets.amounts import limit_text
from budgets.models import Budget
from budgets.selectors.own import own_budget
from budgets.setting import Actor, Level, save_budget, switch_off
from budgets.targets import Target


class Plain(NamedTuple):
    """Names one budget of a target."""

    target: Target
    period: str
    measure: str = Budget.Measure.COST

    def find(self) -> Budget | None:
        """The budget, if it is set."""
        owner, project = self.target
        return own_budget(owner, project, period=self.period, measure=self.measure, name="")


class Outcome(NamedTuple):
    """What became of a budget, in a line, and whether that is another than before."""

    text: str
    changed: bool


def set_plain(
    plain: Plain,
    limit: Decimal,
    actor: Actor,
    *,
    enforcement: str = "",
    levels: Sequence[Level] | None = None,
) -> Outcome:
    """Make or change a budget; tell what it says now and said before.

    What is not given stays as it is: a new one warns, from the usual percentage on. Raises
    ValidationError.
    """
    found = plain.find()
    budget = found or Budget(
        organization=plain.target.organization, project=plain.target.project,
        period=plain.period, measure=plain.measure, created_by_id=actor.user_id,
    )  # fmt: skip
    before = _said(found) if found else ""
    budget.limit = limit
    budget.enforcement = enforcement or budget.enforcement
    said = _said(save_budget(budget, levels, actor))
    if said == before:
        return Outcome(f"{budget}: {said}, as before", changed=False)
    return Outcome(f"{budget}: {said}" + (f" (was {before})" if before else ""), changed=True)


def remove_plain(plain: Plain, actor: Actor) -> str:
    """Switch a budget off; return which in a line, "" where there is none. History stays."""
    found = plain.find()
    if found is None:
        return ""
    return f"{switch_off(found, actor)}: removed, was {_said(found)}"


def _said(budget: Budget) -> str:
    limit = limit_text(budget.limit, budget.measure, budget.currency)
    levels = ", ".join(str(level) for level in budget.thresholds.all())
    return f"{limit}, {budget.enforcement}" + (f", warns from {levels}" if levels else "")
