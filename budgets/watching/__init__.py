"""What beat looks for in usage and in the installation: each finding is an alert."""
