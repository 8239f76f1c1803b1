"""Why something about a re-rating or a month cannot be done."""

from django.db import DataError, IntegrityError


class RatingRefused(Exception):
    """What was asked cannot be done; the text is a sentence for people."""


# What trying again would not mend; after anything else a run stays as it is, for the next try.
FAULTS = (RatingRefused, DataError, IntegrityError)


def one_line(fault: Exception) -> str:
    """What a fault says, without the details that a database adds."""
    return (str(fault).splitlines() or [type(fault).__name__])[0]
