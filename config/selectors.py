"""What the health endpoints know: one reading of each part that must work."""

from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from kombu.exceptions import KombuError

from config.celery import app
from config.models import Heartbeat
from usage.replica import is_configured, replica_state
from usage.selectors.freshness import system_state

BEAT_SILENT_SECONDS = 60
ROLLUP_LAG_SECONDS = 120


@dataclass(frozen=True, slots=True)
class Readiness:
    """The state of the installation; ages are in seconds, None when unknown.

    `replica` is "read", "behind" or "away", "none" where there is none. The primary answers where
    the replica does not, so that it decides nothing here.
    """

    database: bool = False
    migrations: bool = False
    broker: bool = False
    beat_age: float | None = None
    rollup_lag: float | None = None
    replica: str = "none"
    replica_lag: float | None = None

    @property
    def ready(self) -> bool:
        """Whether every part works and none is too far behind."""
        return (
            self.database
            and self.migrations
            and self.broker
            and self.beat_age is not None
            and self.beat_age <= BEAT_SILENT_SECONDS
            and self.rollup_lag is not None
            and self.rollup_lag <= ROLLUP_LAG_SECONDS
        )

    def as_json(self) -> dict[str, Any]:
        """Return the answer of the endpoint."""
        return {"status": "ready" if self.ready else "not ready", **asdict(self)}


def readiness(now: datetime | None = None) -> Readiness:
    """Read the state of every part as of `now` (default: the present); never raises."""
    now = now or datetime.now(UTC)
    broker = _broker_answers()
    try:
        connection.ensure_connection()
    except DatabaseError:
        return Readiness(broker=broker)
    try:
        return Readiness(
            database=True,
            migrations=_is_migrated(),
            broker=broker,
            beat_age=beat_age(now),
            rollup_lag=round(system_state().lag_seconds(now), 3),
            **_replica(),
        )
    except DatabaseError:
        return Readiness(database=True, broker=broker)


def beat_age(now: datetime | None = None) -> float | None:
    """Return the seconds since beat was last heard, as of `now`; None when it never was."""
    row = Heartbeat.objects.filter(name="beat").values_list("at").first()
    if row is None:
        return None
    return round(max(((now or datetime.now(UTC)) - row[0]).total_seconds(), 0.0), 3)


def _replica() -> dict[str, Any]:
    if not is_configured():
        return {}
    state = replica_state()
    if state.lag is None:
        return {"replica": "away"}
    return {
        "replica": "read" if state.is_usable else "behind",
        "replica_lag": round(state.lag, 3),
    }


def _is_migrated() -> bool:
    executor = MigrationExecutor(connection)
    return not executor.migration_plan(executor.loader.graph.leaf_nodes())


def _broker_answers() -> bool:
    if settings.CELERY_BROKER_URL.startswith("pgmq://"):
        return _queue_answers()
    try:
        with app.connection_for_write(connect_timeout=2) as broker:
            broker.ensure_connection(max_retries=1, timeout=2)
    except (KombuError, OSError):
        return False
    return True


def _queue_answers() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT FROM pgmq.meta LIMIT 1")
    except DatabaseError:
        return False
    return True
