"""Deciding on prices that a sync has refused."""

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.utils import timezone

from pricing.catalogue import sync_prices
from pricing.models import CatalogueSource, PriceReview, PriceSync


class AlreadyDecided(Exception):
    """The review was decided the other way before; the message is for people."""


def accept(review: PriceReview, user: AbstractBaseUser) -> PriceSync:
    """Let the refused prices in and sync at once; the answer tells whether that worked.

    Where that sync fails (no network) the prices are stored by the next one that works, unless
    the source tells others by then. Prices dismissed before can still be accepted.
    """
    with transaction.atomic():
        row = PriceReview.objects.select_for_update().get(pk=review.pk)
        if row.status != PriceReview.Status.ACCEPTED:
            _decide(row, PriceReview.Status.ACCEPTED, user)
            # What is listed may be what was loaded last, yet now it means another thing.
            CatalogueSource.objects.filter(name=row.source).update(digest="")
    review.refresh_from_db()
    return sync_prices(row.source)


def dismiss(review: PriceReview, user: AbstractBaseUser) -> None:
    """Keep the refused prices out, until the source tells others.

    Raises AlreadyDecided when they were accepted.
    """
    with transaction.atomic():
        row = PriceReview.objects.select_for_update().get(pk=review.pk)
        if row.status == PriceReview.Status.ACCEPTED:
            raise AlreadyDecided("these prices were accepted; set a price by hand to replace them")
        if row.status == PriceReview.Status.OPEN:
            _decide(row, PriceReview.Status.DISMISSED, user)
    review.refresh_from_db()


def _decide(row: PriceReview, status: PriceReview.Status, user: AbstractBaseUser) -> None:
    row.status = status
    row.decided_at = timezone.now()
    row.decided_by_id = user.pk
    row.save(update_fields=["status", "decided_at", "decided_by"])
