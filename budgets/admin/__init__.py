"""Admin pages of budgets."""

from budgets.admin.budgets import BudgetAdmin

__all__ = ["BudgetAdmin"]
