"""Corrections: a later event takes the place of an earlier one, which stays readable."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from django.db import connection

from usage.ingest.claims import find_claims
from usage.ingest.prepare import Prepared, digest_of
from usage.ingest.values import FieldError, Rejection
from usage.models import UsageEvent

_SUPERSEDE = """
    UPDATE usage_usageevent SET state = %s, superseded_by = %s
    WHERE organization_id = %s AND occurred_at = %s AND event_id = %s AND state <> %s
"""
_REMOVE = """
    DELETE FROM usage_usageevent
    WHERE organization_id = %s AND occurred_at = %s AND event_id = %s
"""


class Superseded(NamedTuple):
    """An event that left the sums: whose it was and when it occurred."""

    organization_id: int
    occurred_at: datetime


def supersede(
    corrections: Sequence[Prepared],
) -> tuple[list[Superseded], dict[int, Rejection]]:
    """Mark each corrected event superseded; by index, corrections that cannot be applied.

    Runs in the storing transaction after the batch's own rows are in, so that an event
    and its correction may arrive together. A correction of an unknown event or of one
    that another event has already replaced is refused.
    """
    targets = {c.index: digest_of(c.tenant.id, c.event.corrects or "") for c in corrections}
    claims = find_claims(targets.values())
    superseded: list[Superseded] = []
    refused: dict[int, Rejection] = {}
    # In key order, so that two batches correcting the same events cannot deadlock.
    for correction in sorted(corrections, key=lambda c: (targets[c.index], c.index)):
        target = claims.get(targets[correction.index])
        if target is None:
            refused[correction.index] = _refusal(correction, "unknown_event", "is not known")
        elif not _mark(correction, target.occurred_at):
            refused[correction.index] = _refusal(
                correction, "already_superseded", "has already been replaced by another event"
            )
        else:
            superseded.append(Superseded(correction.tenant.id, target.occurred_at))
    return superseded, refused


def remove(prepared: Sequence[Prepared]) -> None:
    """Take rows of this transaction out again."""
    with connection.cursor() as cursor:
        for p in prepared:
            cursor.execute(_REMOVE, (p.tenant.id, p.event.occurred_at, p.event.event_id))


def _mark(correction: Prepared, occurred_at: datetime) -> bool:
    superseded = UsageEvent.State.SUPERSEDED.value
    with connection.cursor() as cursor:
        cursor.execute(
            _SUPERSEDE,
            (
                superseded,
                correction.event.event_id,
                correction.tenant.id,
                occurred_at,
                correction.event.corrects,
                superseded,
            ),
        )
        marked: int = cursor.rowcount
    return marked == 1


def _refusal(correction: Prepared, code: str, fault: str) -> Rejection:
    message = f"The event {correction.event.corrects!r} {fault}."
    return Rejection([FieldError("corrects", code, message)], correction.event.event_id)
