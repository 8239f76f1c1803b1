"""Prices on the wire: their request bodies and their JSON. Who may do what is decided above."""
