"""Files that people take away: events, sums and FOCUS charges as CSV, JSON or Parquet."""
