"""Reports for the command line: pure values built from selectors, and their ways to be shown."""
