"""Reconciliation: what was recorded against what the provider bills, and why they differ."""
