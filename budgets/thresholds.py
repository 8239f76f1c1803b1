"""From which amounts on a budget warns, in the unit that its windows count in."""

from datetime import datetime
from decimal import Decimal

from budgets.facts import warning_levels
from budgets.limits import in_ledger
from budgets.models import Budget


def warning_amounts(
    budget: Budget, limit: Decimal | None, start: datetime, now: datetime
) -> tuple[Decimal, ...]:
    """The amounts at which a budget warns in its window that begins at `start`, ascending.

    `limit` is that of the window: of none, or of 0, there are no percentages. Raises
    ValidationError where no exchange rate is known.
    """
    levels = budget.thresholds.all()
    amounts = (in_ledger(budget, level.amount, start, now) for level in levels)
    return warning_levels(
        limit,
        [level.percent for level in levels if level.percent is not None],
        [amount for amount in amounts if amount is not None],
    )
