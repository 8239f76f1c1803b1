"""The read interface of budgets."""
