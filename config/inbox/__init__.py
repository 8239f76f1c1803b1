"""The inbox of unpriced usage: what nobody knows the price of, and pricing it."""
