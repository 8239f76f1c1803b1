"""Signing a reconciliation off."""

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from usage.models import Reconciliation

_State = Reconciliation.State


class SigningRefused(Exception):
    """A reconciliation cannot be signed off; the text is a sentence for people."""


@transaction.atomic
def sign_off(reconciliation: Reconciliation, user: User, note: str, *, figures: str) -> None:
    """Keep a reconciliation as it is for ever, in the name of `user`.

    `figures` are the ones that were looked at, as the reconciliation marks them. Raises
    SigningRefused when others have been computed since, when days are missing, when it is
    signed off already, and when it is out of tolerance and no note says why that is in order.
    """
    row = Reconciliation.objects.select_for_update().filter(pk=reconciliation.pk).first()
    if row is None or row.figures != figures:
        raise SigningRefused("It has been computed anew meanwhile: look at the new figures first.")
    match row.state:
        case _State.SIGNED:
            raise SigningRefused("It is signed off already.")
        case _State.OPEN:
            raise SigningRefused("Not all of its days are billed yet.")
    if row.state == _State.LOOK and not note.strip():
        raise SigningRefused("It is out of tolerance: say in the note why that is in order.")
    row.state, row.note = _State.SIGNED, note.strip()
    row.signed_by, row.signed_at = user, timezone.now()
    row.save(update_fields=["state", "note", "signed_by", "signed_at"])
