"""The past played again: against a draft, and against the budgets that there really were."""
