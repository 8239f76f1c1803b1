"""What providers bill, read from their reports and files, day by day."""
