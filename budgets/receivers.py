"""What budgets do when usage speaks: see usage.signals."""

from collections.abc import Sequence
from typing import Any

from django.dispatch import receiver

from budgets.feeding import feed_stored
from budgets.redefining import count_again, redefine_all
from budgets.reservations.offering import refuse_unsettleable
from usage.ingest.corrections import Superseded
from usage.ingest.prepare import Prepared
from usage.ingest.rows import Rated
from usage.ingest.values import Rejection
from usage.models import Organization, RatingRun
from usage.signals import calendar_changed, events_offered, events_rerated, events_stored


@receiver(events_offered, dispatch_uid="budgets")
def on_offered(*, prepared: Sequence[Prepared], **_: Any) -> dict[int, Rejection]:
    """Refuse events that cannot settle the reservation they name."""
    return refuse_unsettleable(prepared)


@receiver(events_stored, dispatch_uid="budgets")
def on_stored(*, rated: Sequence[Rated], superseded: Sequence[Superseded], **_: Any) -> None:
    """Count what was stored."""
    feed_stored(rated, superseded)


@receiver(events_rerated, dispatch_uid="budgets")
def on_rerated(*, run: RatingRun, **_: Any) -> None:
    """Count again what costs otherwise now."""
    count_again(run)


@receiver(calendar_changed, dispatch_uid="budgets")
def on_calendar_changed(*, organization: Organization, **_: Any) -> None:
    """Let windows begin where days and weeks do."""
    redefine_all(organization)
