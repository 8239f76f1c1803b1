"""What channels are told: which notice of which alert, what it says, and its delivery."""
