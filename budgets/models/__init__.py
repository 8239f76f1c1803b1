"""Tables of the budgets app, one module per topic."""

from budgets.models.alerts import Alert
from budgets.models.budgets import Budget, BudgetRaise, Edition, Threshold
from budgets.models.changes import BudgetChange
from budgets.models.channels import Channel, Delivery, Notice
from budgets.models.decisions import Decision, DecisionCount, DecisionTally
from budgets.models.forecasts import Forecast
from budgets.models.reservations import Hold, Reservation
from budgets.models.windows import BudgetWindow

__all__ = [
    "Alert",
    "Budget",
    "BudgetChange",
    "BudgetRaise",
    "BudgetWindow",
    "Channel",
    "Decision",
    "DecisionCount",
    "DecisionTally",
    "Delivery",
    "Edition",
    "Forecast",
    "Hold",
    "Notice",
    "Reservation",
    "Threshold",
]
