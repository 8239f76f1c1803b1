"""Organizations' own rate cards: made and linked the first time they are written to."""

from django.db import transaction

from pricing.models import RateCard
from pricing.publishing import PriceError, PriceFault, contracted_card
from usage.models import Organization

_NAME_ROOM = 80


@transaction.atomic
def own_card(organization_id: int) -> RateCard:
    """The contracted card that one organization alone is priced by, made when it has none.

    Keeps the organization locked until the caller's transaction ends. Raises PriceError when its
    card is shared with others or is not a contracted one: only site staff may write to those.
    """
    organization = Organization.objects.select_for_update().get(pk=organization_id)
    card = organization.rate_card
    if card is None:
        card = contracted_card(_free_name(organization))
        organization.rate_card = card
        organization.save(update_fields=["rate_card"])
        return card
    if card.kind != RateCard.Kind.CONTRACTED:
        raise _refusal("The organization's rate card is no contract of its own.")
    if Organization.objects.filter(rate_card=card).exclude(pk=organization_id).exists():
        raise _refusal("The organization shares its rate card with others; ask the site's staff.")
    return card


def _free_name(organization: Organization) -> str:
    wanted = f"{organization.slug[:_NAME_ROOM]} contract"
    taken = RateCard.objects.filter(name=wanted).exists()
    return f"{wanted} {organization.pk}" if taken else wanted


def _refusal(message: str) -> PriceError:
    return PriceError(PriceFault("rate_card", "not_yours", message))
