"""The lock between counting against budgets (shared) and changing them (exclusive).

Both are held until the caller's transaction ends. 0 stands for the site: counting shares it too.
"""

from collections.abc import Collection

from django.db import connection

LOCK_CLASS = 31505
"""As in the functions of migration 0003."""
SITE = 0


def share(organization_ids: Collection[int | None], edition: int = 0) -> bool:
    """Wait until no budget of these organizations, or of the site, is being changed; None is the
    site, too. Whether `edition` is the present one then."""
    owners = [owner or SITE for owner in organization_ids]
    with connection.cursor() as cursor:
        cursor.execute("SELECT budgets_enter(%s, %s::integer[])", (edition, owners))
        return bool(cursor.fetchone()[0])


def exclude(organization_ids: Collection[int | None]) -> None:
    """Wait for the right to change budgets of organizations; None is the site."""
    owners = {owner or SITE for owner in organization_ids}
    if SITE not in owners:
        # Windows opened later share it, too late for the order in which everybody takes them.
        share([])
    for owner in sorted(owners):
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", (LOCK_CLASS, owner))
