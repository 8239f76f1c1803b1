"""Calls told of by several sources: spans, logs, callbacks, log files. Each counts once.

What one source tells of a call is a sighting. Sightings of one call share a name, such as the
provider's id of the response; the call is stored under the first of its names that is known.
"""
