"""The page of a project: AI cost and budget."""
