"""Demonstration data: a believable year of three made-up organizations."""
