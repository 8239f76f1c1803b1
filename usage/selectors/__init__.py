"""Reads of usage: the only way that pages, endpoints and commands see it."""
