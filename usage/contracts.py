"""Organizations' contracts: which rate card is theirs, made when first written to."""

from django.db import transaction
from django.db.models import Min

from pricing.models import PriceChange, RateCard
from pricing.publishing import (
    PriceError,
    PriceFault,
    Provenance,
    contracted_card,
    record_change,
)
from pricing.revision import begin_price_change
from pricing.selectors import live_versions
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


@transaction.atomic
def change_contract(
    organization: Organization, card: RateCard | None, source: Provenance
) -> PriceChange | None:
    """Let an organization be priced by another contracted card, or by none.

    It holds for calls of any time that the card's prices cover; those rated already stay as they
    are until somebody re-rates them. None when nothing changes.
    """
    locked = Organization.objects.select_for_update().get(pk=organization.pk)
    before = locked.rate_card
    organization.rate_card = card
    if before == card:
        return None
    begin_price_change()
    locked.rate_card = card
    locked.save(update_fields=["rate_card"])
    cards = [each for each in (before, card) if each is not None]
    starts = live_versions().filter(rate_card__in=cards).aggregate(first=Min("effective_from"))
    details = {
        "organization": organization.slug,
        "rate_card": (card or cards[0]).name,
        "before": before.name if before else "none",
        "after": card.name if card else "none",
    }
    return record_change(PriceChange.Action.CONTRACT, source, 1, starts["first"], details)


def _free_name(organization: Organization) -> str:
    wanted = f"{organization.slug[:_NAME_ROOM]} contract"
    taken = RateCard.objects.filter(name=wanted).exists()
    return f"{wanted} {organization.pk}" if taken else wanted


def _refusal(message: str) -> PriceError:
    return PriceError(PriceFault("rate_card", "not_yours", message))
