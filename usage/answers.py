"""How the answers of other servers are read: when to try again, and what may be quoted."""

from email.utils import parsedate_to_datetime

from django.utils import timezone

_LONGEST_WAIT = 3_600.0
_QUOTED = 160


def seconds_asked(retry_after: str) -> float:
    """How many seconds a Retry-After asks for, as a number or a date; at most an hour, 0 if it
    says nothing that can be read."""
    text = retry_after.strip()
    try:
        seconds = (
            float(text)
            if text.isdecimal()
            else (parsedate_to_datetime(text) - timezone.now()).total_seconds()
        )
    except (ValueError, TypeError):
        return 0
    return min(max(seconds, 0), _LONGEST_WAIT)


def quoted(text: str) -> str:
    """The beginning of a text on one line, without a full stop at its end."""
    words = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return words[:_QUOTED].rstrip(".")
