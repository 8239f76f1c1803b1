"""Releasing, extending and expiring: what is held is let go, or held for longer."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection

from budgets.models import Reservation
from budgets.reservations.settling import settle_at_estimate
from budgets.selectors.reservations import read_again

AT_ONCE = 500
LONGEST = timedelta(hours=24)
"""How long a reservation is held without being extended."""
_END = "SELECT budgets_end(%s::uuid[], %s, %s, %s)"


_WORDS = {
    Reservation.Status.SETTLED.value: "been settled",
    Reservation.Status.RELEASED.value: "been released",
    Reservation.Status.EXPIRED.value: "expired",
    Reservation.Status.HELD.value: "ended",
}


class WrongState(Exception):
    """The reservation has ended otherwise; the message may be shown to its holder."""


def release(reservation: Reservation, now: datetime) -> Reservation:
    """Let go of what is held; commit before returning. Again it does nothing.

    Raises WrongState where it has been settled.
    """
    _end([reservation.pk], Reservation.Status.RELEASED, now, only_due=False)
    read_again(reservation)
    if reservation.status == Reservation.Status.SETTLED:
        raise WrongState("It has been settled.")
    return reservation


def extend(reservation: Reservation, ttl: timedelta, now: datetime) -> Reservation:
    """Hold until `ttl` from `now`, for a call that takes longer; never for less than before.

    Raises WrongState where it has ended.
    """
    until = now + ttl
    rows = Reservation.objects.filter(pk=reservation.pk, status=Reservation.Status.HELD)
    if not rows.filter(expires_at__lt=until).update(expires_at=until) and not rows.exists():
        read_again(reservation)
        raise WrongState(f"It has {_WORDS[reservation.status]}.")
    read_again(reservation)
    return reservation


def expire_due(now: datetime, organization_id: int | None = None) -> int:
    """End the reservations that nobody has ended in time, of all organizations or of one; how
    many there were. Those that ask for it are settled at their estimate, the others released."""
    due = Reservation.objects.filter(status=Reservation.Status.HELD, expires_at__lte=now)
    if organization_id is not None:
        due = due.filter(organization_id=organization_id)
    ended = 0
    while rows := list(due.order_by("expires_at")[:AT_ONCE]):
        released = [row.pk for row in rows if row.on_expiry == Reservation.OnExpiry.RELEASE]
        if released:
            _end(released, Reservation.Status.EXPIRED, now, only_due=True)
        for row in rows:
            if row.on_expiry == Reservation.OnExpiry.SETTLE:
                settle_at_estimate(row, now, api_key_id=row.api_key_id)
                if row.status == Reservation.Status.HELD:
                    _end([row.pk], Reservation.Status.EXPIRED, now, only_due=True)
        ended += len(rows)
    return ended


def forget_old(now: datetime, keep: timedelta) -> int:
    """Drop reservations that ended longer ago than `keep`, with their keys; how many."""
    ended = Reservation.objects.exclude(status=Reservation.Status.HELD)
    return ended.filter(ended_at__lt=now - keep).delete()[0]


def _end(ids: Sequence[UUID], status: str, now: datetime, *, only_due: bool) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_END, (list(ids), status, now, only_due))
