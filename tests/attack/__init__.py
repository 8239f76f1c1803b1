"""The attack on budgets: clients and servers are killed at random while an observer watches."""
