"""The HTTP face of usage."""
