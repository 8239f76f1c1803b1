"""How long tasks wait for a worker."""

from datetime import datetime

from django.conf import settings
from django.db import connection

# Tasks that a worker has taken, or that are not due yet, are not visible.
_OLDEST = "SELECT min(enqueued_at) FROM pgmq.q_celery WHERE vt <= clock_timestamp()"


def waiting_since() -> datetime | None:
    """When the task was sent that has waited longest for a worker, None where none waits.

    Of a broker that is not in this database nothing is known.
    """
    if not settings.CELERY_BROKER_URL.startswith("pgmq://"):
        return None
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass('pgmq.q_celery') IS NULL")
        if cursor.fetchone()[0]:
            return None
        cursor.execute(_OLDEST)
        oldest: datetime | None = cursor.fetchone()[0]
    return oldest
