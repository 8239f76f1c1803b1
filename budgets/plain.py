"""Budgets that are set in passing, by an amount: of all that an organization or project uses."""

from collections.abc import Collection, Sequence
from decimal import Decimal
from typing import NamedTuple

from django.core.exceptions import ValidationError

from budgets.amounts import level_text, limit_text
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

    def new(self, actor: Actor) -> Budget:
        """The budget as it would be made, not saved."""
        owner, project = self.target
        return Budget(
            organization=owner, project=project, period=self.period, measure=self.measure,
            created_by_id=actor.user_id,
        )  # fmt: skip


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
    before = _said(found) if found else ""
    budget = found or plain.new(actor)
    budget.limit = limit
    budget.enforcement = enforcement or budget.enforcement
    return _saved(budget, levels, actor, before)


def warn_from(
    plain: Plain, actor: Actor, *, percents: Collection[Decimal], amounts: Collection[Decimal]
) -> Outcome:
    """Let a budget warn from these percentages of its limit, and these amounts of its currency.

    They replace what it has of the same sort; of which none are given, those stay. A budget that
    is not there is made without a limit, unless there are percentages. Raises ValidationError.
    """
    found = plain.find()
    if found is None and percents:
        raise ValidationError("There is no budget to take a percentage of: set one first.")
    before = _said(found) if found else ""
    kept = [
        level
        for level in (levels_of(found) if found else ())
        if not (amounts if level.percent is None else percents)
    ]
    wanted = [
        *kept,
        *(Level(percent=percent) for percent in percents),
        *(Level(amount=amount) for amount in amounts),
    ]
    return _saved(found or plain.new(actor), wanted, actor, before)


def warn_no_more(plain: Plain, level: Level, actor: Actor) -> str:
    """Take a level from a budget; return which in a line, "" where there is no such budget or it
    has none."""
    budget = plain.find()
    levels = levels_of(budget) if budget else []
    if budget is None or level not in levels:
        return ""
    levels.remove(level)
    return _saved(budget, levels, actor, _said(budget)).text


def plain_budgets(target: Target, measure: str) -> list[Plain]:
    """The budgets of a target that there are, by period from the shortest."""
    each = [Plain(target, period, measure) for period in Budget.Period.values]
    return [plain for plain in each if plain.find()]


def remove_plain(plain: Plain, actor: Actor) -> str:
    """Switch a budget off; return which in a line, "" where there is none. History stays."""
    found = plain.find()
    if found is None:
        return ""
    return f"{switch_off(found, actor)}: removed, was {_said(found)}"


def levels_of(budget: Budget) -> list[Level]:
    """What a budget warns from, ascending by what it is called."""
    return [Level(row.percent, row.amount) for row in budget.thresholds.all()]


def _saved(budget: Budget, levels: Sequence[Level] | None, actor: Actor, before: str) -> Outcome:
    said = _said(save_budget(budget, levels, actor))
    if said == before:
        return Outcome(f"{budget}: {said}, as before", changed=False)
    return Outcome(f"{budget}: {said}" + (f" (was {before})" if before else ""), changed=True)


def _said(budget: Budget) -> str:
    limit = limit_text(budget.limit, budget.measure, budget.currency)
    levels = ", ".join(
        level_text(level.percent, level.amount, budget.measure, budget.currency)
        for level in budget.thresholds.all()
    )
    return f"{limit}, {budget.enforcement}" + (f", warns from {levels}" if levels else "")
