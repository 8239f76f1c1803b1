"""How far the rollups are behind what is stored."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime

from django.db import connection
from django.db.models import Min

from usage.models import DirtyMark
from usage.replica import held_until
from usage.selectors.access import Viewer


@dataclass(frozen=True, slots=True)
class SystemState:
    """What waits to be rolled up; `oldest_mark_at` is None when nothing does."""

    pending_marks: int
    oldest_mark_at: datetime | None

    def lag_seconds(self, now: datetime | None = None) -> float:
        """How long the oldest waiting mark has waited."""
        if self.oldest_mark_at is None:
            return 0.0
        return max(((now or datetime.now(UTC)) - self.oldest_mark_at).total_seconds(), 0.0)


def as_of(organization_ids: Collection[int]) -> datetime:
    """The instant up to which rollups of these organizations hold everything stored."""
    now = held_until()
    oldest = _oldest_mark(organization_ids)
    return min(now, oldest) if oldest else now


def waiting_since(viewer: Viewer) -> datetime | None:
    """When the oldest usage a viewer may see arrived that no sum holds yet, None for none."""
    return _oldest_mark(viewer.organization_ids)


def system_state() -> SystemState:
    """What all organizations together have waiting."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*), min(created_at) FROM usage_dirtymark")
        return SystemState(*cursor.fetchone())


def _oldest_mark(organization_ids: Collection[int] | None) -> datetime | None:
    marks = DirtyMark.objects.all()
    if organization_ids is not None:
        marks = marks.filter(organization_id__in=organization_ids)
    oldest: datetime | None = marks.aggregate(oldest=Min("created_at"))["oldest"]
    return oldest
