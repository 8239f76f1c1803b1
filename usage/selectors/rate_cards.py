"""Which rate cards somebody may see: contracts are between an organization and its provider."""

from django.db.models import Q, QuerySet

from pricing.models import RateCard
from usage.models import Organization
from usage.selectors.access import Viewer


def visible_cards(viewer: Viewer) -> QuerySet[RateCard]:
    """Lists, the manual card, and the contracts of organizations that `viewer` may see."""
    cards = RateCard.objects.all()
    if viewer.organization_ids is None:
        return cards
    theirs = Organization.objects.filter(
        pk__in=viewer.organization_ids, rate_card__isnull=False
    ).values("rate_card")
    return cards.filter(~Q(kind=RateCard.Kind.CONTRACTED) | Q(pk__in=theirs))
