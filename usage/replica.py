"""Which database answers a read of events and sums: the primary, or a streaming replica of it.

Only where a reader offers to (`offer`, `from_replica`), and while the replica is no more than
TALLYMAN_REPLICA_LAG seconds behind, is it asked. All the rest stays on the primary: what limits
and who may see what are read where they are written, a transaction sees what it wrote itself, and
so does whoever has just changed something (`config.replica`).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from time import monotonic
from typing import Any

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, DatabaseError, InterfaceError, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Model

PRIMARY = DEFAULT_DB_ALIAS
REPLICA = "replica"
SECONDS_TRUSTED = 1.0
"""How long what was last found out about the replica holds for this process."""
SECONDS_AVOIDED = 5.0
"""How long a replica that failed is left alone."""

_UNDECIDED = ""
_MODULES = frozenset({"usage.models.events", "usage.models.facets", "usage.models.rollups"})
# The time at which what was replayed last was committed: by the primary's clock, and all that was
# committed there before it is here. A server that was promoted is no replica any more.
_STATE = """
    SELECT pg_is_in_recovery(), pg_last_xact_replay_timestamp(),
        extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp())
"""
_choice: ContextVar[str] = ContextVar("choice", default=PRIMARY)
_pinned: ContextVar[bool] = ContextVar("pinned", default=False)


@dataclass(frozen=True, slots=True)
class ReplicaState:
    """What the replica holds: everything committed before `held_until`, None when unknown."""

    held_until: datetime | None = None
    lag: float | None = None

    @property
    def is_usable(self) -> bool:
        """Whether it is near enough to the present to be read."""
        return self.lag is not None and self.lag <= settings.TALLYMAN_REPLICA_LAG


class _Known:
    """What this process last found out, and until when (monotonic) it asks no more."""

    state = ReplicaState()
    until = 0.0


def is_configured() -> bool:
    """Whether there is a replica at all."""
    return REPLICA in settings.DATABASES


def reading() -> BaseDatabaseWrapper:
    """The connection that reads events and sums."""
    return connections[read_alias()]


def read_alias() -> str:
    """The database that reads events and sums: once the replica is chosen it stays."""
    if _choice.get() == PRIMARY:
        return PRIMARY
    if not _pinned.get() and connections[PRIMARY].in_atomic_block:
        return PRIMARY
    if _choice.get() == _UNDECIDED:
        _choice.set(REPLICA if replica_state().is_usable else PRIMARY)
    return _choice.get()


def held_until() -> datetime:
    """Everything that was committed before this instant can be read."""
    now = datetime.now(UTC)
    if read_alias() == PRIMARY:
        return now
    return min(now, _Known.state.held_until or now)


def offer() -> None:
    """Read from the replica from now on in this thread, if it is usable when first needed."""
    _choice.set(_UNDECIDED)


def withdraw(**_: Any) -> None:
    """Read from the primary from now on in this thread."""
    _choice.set(PRIMARY)


def give_up() -> bool:
    """Tell that a read failed; True if it was the replica's, which is then left alone a while."""
    if _choice.get() != REPLICA:
        return False
    _remember(ReplicaState(), SECONDS_AVOIDED)
    withdraw()
    return True


@contextmanager
def from_replica() -> Iterator[str]:
    """Read from the replica if it is usable, even inside a transaction of the primary; yields
    the alias that is read."""
    usable = is_configured() and replica_state().is_usable
    alias = REPLICA if usable else PRIMARY
    choice, pin = _choice.set(alias), _pinned.set(usable)
    try:
        yield alias
    except (DatabaseError, InterfaceError):
        give_up()
        raise
    finally:
        _choice.reset(choice)
        _pinned.reset(pin)


def replica_state() -> ReplicaState:
    """What the replica holds, found out anew every SECONDS_TRUSTED; never raises."""
    if monotonic() >= _Known.until:
        try:
            _remember(_ask(), SECONDS_TRUSTED)
        except (DatabaseError, InterfaceError):
            _remember(ReplicaState(), SECONDS_AVOIDED)
    return _Known.state


def _ask() -> ReplicaState:
    with connections[REPLICA].cursor() as cursor:
        cursor.execute(_STATE)
        is_replica, replayed_at, lag = cursor.fetchone()
    if not is_replica or replayed_at is None:
        return ReplicaState()
    return ReplicaState(replayed_at, max(float(lag), 0.0))


def _remember(state: ReplicaState, seconds: float) -> None:
    # Who is reading it already goes on, and sees no more than what it held.
    held = state.held_until or _Known.state.held_until
    _Known.state, _Known.until = replace(state, held_until=held), monotonic() + seconds


class ReplicaRouter:
    """Sends Django's own queries where `reading` sends the ones written by hand."""

    def db_for_read(self, model: type[Model], **_: Any) -> str:
        """The chosen database for events and sums, the primary for all else."""
        return read_alias() if model.__module__ in _MODULES else PRIMARY

    def db_for_write(self, _model: type[Model], **_: Any) -> str:
        """The primary."""
        return PRIMARY

    def allow_relation(self, _first: Model, _second: Model, **_: Any) -> bool:
        """Both databases hold the same rows."""
        return True

    def allow_migrate(self, db: str, _app_label: str, **_: Any) -> bool:
        """A replica gets its schema from the primary."""
        return db == PRIMARY
