"""Which reservations events may settle: asked before they are stored."""

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from django.db import connection

from budgets.models import Reservation
from usage.ingest.prepare import Prepared
from usage.ingest.values import EventValue, FieldError, Rejection

_FIELD = "reservation"
_FIND = """
    SELECT id, organization_id, status, is_estimated, event_id
    FROM budgets_reservation WHERE id = ANY(%s)
"""


class _Known(NamedTuple):
    id: UUID
    organization_id: int
    status: str
    is_estimated: bool
    event_id: str


def refuse_unsettleable(prepared: Sequence[Prepared]) -> dict[int, Rejection]:
    """By index, events that name a reservation which is unknown or ended otherwise.

    An event about a reservation that was settled at its estimate corrects that estimate.
    """
    known = _find(prepared)
    refused: dict[int, Rejection] = {}
    settling: dict[UUID, str] = {}
    for p in prepared:
        reservation = known.get(str(p.event.reservation))
        if reservation is None or reservation.organization_id != p.tenant.id:
            message = f"There is no reservation {p.event.reservation!r}."
            refused[p.index] = _refusal(p, "unknown_reservation", message)
            continue
        first = settling.setdefault(reservation.id, p.event.event_id)
        if first != p.event.event_id:
            refused[p.index] = _conflict(p, f"is settled by {first} of this batch")
        elif why := _ended(reservation, p.event):
            refused[p.index] = _conflict(p, why)
        elif reservation.is_estimated and p.event.event_id != reservation.event_id:
            p.event.corrects = reservation.event_id
    return refused


def _find(prepared: Sequence[Prepared]) -> dict[str, _Known]:
    ids = []
    for p in prepared:
        try:
            ids.append(UUID(p.event.reservation or ""))
        except ValueError:
            continue
        # However it was written, it is stored in one form.
        p.event.reservation = str(ids[-1])
    with connection.cursor() as cursor:
        cursor.execute(_FIND, (ids,))
        return {str(row[0]): _Known(*row) for row in cursor.fetchall()}


def _ended(reservation: _Known, event: EventValue) -> str | None:
    if reservation.status == Reservation.Status.RELEASED:
        return "has been released"
    if reservation.status != Reservation.Status.SETTLED or event.event_id == reservation.event_id:
        return None
    if reservation.is_estimated:
        other = event.corrects not in (None, reservation.event_id)
        return f"has been settled by {reservation.event_id}, which is to correct" if other else None
    return f"has been settled by {reservation.event_id}"


def _conflict(p: Prepared, why: str) -> Rejection:
    message = f"The reservation {p.event.reservation} {why}. Send the event without it."
    rejection = _refusal(p, "wrong_state", message)
    rejection.conflict = True
    return rejection


def _refusal(p: Prepared, code: str, message: str) -> Rejection:
    return Rejection([FieldError(_FIELD, code, message)], p.event.event_id)
