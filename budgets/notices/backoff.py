"""When a notice that could not be sent is tried again, and when it is given up. Pure."""

import random
from datetime import datetime, timedelta

_DELAYS = (10, 30, 120, 600, 1_800)
_LATER = 3_600
_JITTER = 0.1
FEWEST_TRIES = len(_DELAYS) + 1
"""A notice is tried at least so often, however old: nothing may have sent for a long time."""


def next_try(
    attempts: int, made_at: datetime, now: datetime, patience: timedelta, asked: float = 0
) -> datetime | None:
    """When to try again after `attempts` tries, or None to give up `patience` after `made_at`.

    `asked` is how many seconds the receiver asked to be left alone for.
    """
    if attempts >= FEWEST_TRIES and now - made_at >= patience:
        return None
    delay = _DELAYS[attempts - 1] if attempts <= len(_DELAYS) else _LATER
    # Spread, so that what failed together does not come back together.
    spread = 1 + random.uniform(0, _JITTER)  # noqa: S311 - no secret
    return now + timedelta(seconds=max(delay * spread, asked))
