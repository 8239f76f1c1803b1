"""What windows of budgets, and months of organizations and projects, will come to."""
