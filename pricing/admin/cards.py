"""Which rate cards the pages of a user know of, and whose change it is."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django_stubs_ext import StrOrPromise

from pricing.models import RateCard
from pricing.publishing import Provenance

ORIGIN = "admin"


class CardsSeen:
    """An admin class that shows prices of certain rate cards only.

    Contracts belong to organizations, which this app knows nothing of: who knows them narrows it.
    """

    def cards_seen(self, request: HttpRequest) -> QuerySet[RateCard]:
        """The rate cards the user may see: all of them, unless narrowed."""
        return RateCard.objects.all()


class CardFilter(admin.RelatedFieldListFilter):
    """Choices of rate cards, only those the user may see."""

    def field_choices(
        self, field: Any, request: HttpRequest, model_admin: admin.ModelAdmin[Any]
    ) -> list[tuple[str, StrOrPromise]]:
        """The visible cards by name."""
        if not isinstance(model_admin, CardsSeen):
            return []
        cards = model_admin.cards_seen(request).order_by("name")
        return [(str(card.pk), str(card)) for card in cards]


def by_user(request: HttpRequest, reason: str = "") -> Provenance:
    """The provenance of what the signed-in user does on a page."""
    return Provenance(ORIGIN, reason=reason, created_by_id=request.user.pk)
