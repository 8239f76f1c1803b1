"""Attributes of telemetry → the organization, project, person, tags… of an event.

Rules decide; staff edit them in the admin, and the ones that ship with Tallyman are rows like any
other.
"""
