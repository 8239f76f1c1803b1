"""Admin pages of budgets."""

from budgets.admin.budgets import BudgetAdmin
from budgets.admin.decisions import DecisionAdmin
from budgets.admin.reservations import ReservationAdmin

__all__ = ["BudgetAdmin", "DecisionAdmin", "ReservationAdmin"]
