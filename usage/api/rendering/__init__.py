"""Answers of ready-made reads as JSON values, one module a topic."""
