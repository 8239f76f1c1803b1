"""Who may work on what: advisory locks, held until the caller's transaction ends."""

from collections.abc import Iterable

from django.db import connection

from usage.rollups.stage import lock

_RUN = 0x7A12
_WATCH = 0x7A13


def take_run(run_id: int, *, wait: bool) -> bool:
    """The right to work on a run; False when another process has it and `wait` is not set."""
    with connection.cursor() as cursor:
        if wait:
            cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", (_RUN, run_id))
            return True
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s, %s)", (_RUN, run_id))
        return bool(cursor.fetchone()[0])


def take_watch() -> bool:
    """The right to look at price changes; False when another process has it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s, 0)", (_WATCH,))
        return bool(cursor.fetchone()[0])


def lock_sums(organization_ids: Iterable[int]) -> None:
    """Wait for the right to change the sums of organizations, always in the same order."""
    for organization_id in sorted(set(organization_ids)):
        lock(organization_id)
