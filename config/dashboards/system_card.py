"""How the installation itself is doing, for those who look after it."""

from dataclasses import dataclass
from datetime import datetime

from config.selectors import BEAT_SILENT_SECONDS, ROLLUP_LAG_SECONDS, beat_age
from pricing.selectors.syncing import SyncState, sync_state
from usage.selectors.freshness import system_state


@dataclass(frozen=True, slots=True)
class System:
    """Sums, scheduler and prices; lengths of time are in milliseconds, None for never.

    `pending` are the buckets that wait to be summed up, the oldest for `lag_ms`.
    """

    pending: int
    lag_ms: int
    late: bool
    beat_ms: int | None
    silent: bool
    prices: SyncState
    prices_ms: int | None


def read_system(now: datetime) -> System:
    """Read the state of the whole site as of `now`."""
    state = system_state()
    lag = state.lag_seconds(now)
    age = beat_age(now)
    prices = sync_state()
    tried = prices.last_at
    return System(
        pending=state.pending_marks,
        lag_ms=int(lag * 1000),
        late=lag > ROLLUP_LAG_SECONDS,
        beat_ms=None if age is None else int(age * 1000),
        silent=age is None or age > BEAT_SILENT_SECONDS,
        prices=prices,
        prices_ms=None if tried is None else int((now - tried).total_seconds() * 1000),
    )
