"""The HTTP interface of budgets."""
