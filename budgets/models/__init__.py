"""Tables of the budgets app, one module per topic."""

from budgets.models.budgets import Budget, BudgetRaise, Edition, Threshold
from budgets.models.changes import BudgetChange
from budgets.models.decisions import Decision, DecisionCount, DecisionTally
from budgets.models.reservations import Hold, Reservation
from budgets.models.windows import BudgetWindow

__all__ = [
    "Budget",
    "BudgetChange",
    "BudgetRaise",
    "BudgetWindow",
    "Decision",
    "DecisionCount",
    "DecisionTally",
    "Edition",
    "Hold",
    "Reservation",
    "Threshold",
]
