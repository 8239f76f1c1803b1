"""Budgets: limits, their windows, decisions, alerts."""
