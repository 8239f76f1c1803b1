"""How syncing prices is going: the last tries, and what waits for a decision."""

from dataclasses import dataclass
from datetime import datetime

from pricing.models import PriceReview, PriceSync


@dataclass(frozen=True, slots=True)
class SyncState:
    """`last_at` is when prices were last tried to sync, None for never (they came shipped).

    `failing` are the sources whose latest try failed, `open_reviews` counts refused prices that
    nobody has decided on.
    """

    last_at: datetime | None
    failing: tuple[str, ...]
    open_reviews: int


def sync_state() -> SyncState:
    """The state of all sources together."""
    latest = list(PriceSync.objects.order_by("source", "-id").distinct("source"))
    return SyncState(
        max((sync.finished_at for sync in latest), default=None),
        tuple(sync.source for sync in latest if sync.status == PriceSync.Status.FAILED),
        PriceReview.objects.filter(status=PriceReview.Status.OPEN).count(),
    )
