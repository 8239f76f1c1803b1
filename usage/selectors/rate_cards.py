"""Which rate cards somebody may see: contracts are between an organization and its provider."""

from django.db.models import Exists, OuterRef, Q, QuerySet

from pricing.directory import CONTRACT_NAME
from pricing.models import AIModel, ModelAlias, PriceVersion, RateCard
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


def visible_models(models: QuerySet[AIModel], viewer: Viewer) -> QuerySet[AIModel]:
    """`models` without those that only contracts which `viewer` may not see have a name for."""
    if viewer.organization_ids is None:
        return models
    known = ModelAlias.objects.filter(model=OuterRef("pk")).exclude(origin=CONTRACT_NAME)
    priced = PriceVersion.objects.filter(
        model=OuterRef("pk"), rate_card__in=visible_cards(viewer).values("pk")
    )
    return models.filter(Exists(known) | Exists(priced))
