"""Money held before a call: reserving, settling, releasing, extending and expiring."""
