"""Importers: files people already have → events, through the one way in."""
