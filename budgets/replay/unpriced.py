"""What stored calls without a price would have been taken for."""

from collections.abc import Iterable
from decimal import Decimal

from django.conf import settings
from django.db.models import F

from pricing.dearest import dearest_cost
from pricing.models import Provider
from pricing.price_book import current_book
from usage.models import UsageEvent
from usage.selectors.past_calls import PastCall, time_of
from usage.selectors.quotes import stored_counts


def dearest_costs(calls: Iterable[PastCall]) -> dict[int, Decimal]:
    """By id what unpriced calls would cost at the dearest price of their provider then.

    Amounts are in the ledger currency; calls whose provider had no price are left out.
    """
    wanted = [(call[0], call[1]) for call in calls]
    if not wanted:
        return {}
    # Found by their times alone, as in usage.selectors.events.
    rows = UsageEvent.objects.alias(row=F("id") + 0).filter(
        occurred_at__in={time_of(at) for at, _ in wanted}, row__in=[pk for _, pk in wanted]
    )
    book, ledger = current_book(), settings.TALLYMAN_CURRENCY
    sellers = set(Provider.objects.filter(models__isnull=False).values_list("slug", flat=True))
    found: dict[int, Decimal] = {}
    for event in rows.select_related("kind", "organization"):
        provider = event.kind.provider.strip().lower()
        if provider not in sellers:
            continue
        cost = dearest_cost(
            book, provider, stored_counts(event), event.occurred_at, ledger,
            event.organization.rate_card_id,
        )  # fmt: skip
        if cost is not None:
            found[event.pk] = cost
    return found
