"""What the interface of budgets looks like from outside: parts of the OpenAPI document."""
