"""What an event's own page shows: the event, found by its key, and how its cost came about."""

from datetime import timedelta
from decimal import Decimal
from functools import reduce
from operator import or_

from django.db.models import Q, QuerySet

from pricing.models import PriceVersion
from pricing.rating import Charge, charges, compile_price
from pricing.selectors import stored_versions
from usage.ingest.claims import find_claims
from usage.ingest.prepare import digest_of
from usage.ingest.validate import counts_of
from usage.ingest.values import EventValue
from usage.models import Organization, RunRollup, SessionRollup, UsageEvent
from usage.selectors.access import Viewer
from usage.selectors.overview import visible

MARGIN = timedelta(hours=1)


def event_by_key(organization_id: int, event_id: str) -> UsageEvent | None:
    """The stored event, found through its claim: ids alone have no index."""
    digest = digest_of(organization_id, event_id)
    claim = find_claims([digest]).get(digest)
    if claim is None:
        return None
    return (
        UsageEvent.objects.filter(
            organization_id=organization_id, occurred_at=claim.occurred_at, event_id=event_id
        )
        .select_related("organization", "project", "team", "subject", "api_key", "kind")
        .first()
    )


def near_episode(
    rows: QuerySet[UsageEvent], viewer: Viewer, name: str, episode: str
) -> QuerySet[UsageEvent]:
    """`rows` around the time of a session or run (`name`), which alone no index finds.

    An hour to either side allows for events that the roll up has not seen; where it knows
    nothing of the episode, the rows stay as they are.
    """
    model = SessionRollup if name == "session" else RunRollup
    known = model._default_manager.filter(
        organization_id__in=list(
            visible(Organization.objects.all(), viewer, "pk").values_list("pk", flat=True)
        ),
        **{f"{name}_id": episode},
    ).values_list("organization_id", "started_at", "ended_at")
    spans = [
        Q(organization_id=owner, occurred_at__gte=start - MARGIN, occurred_at__lte=end + MARGIN)
        for owner, start, end in known
    ]
    return rows.filter(reduce(or_, spans)) if spans else rows


def charges_of(event: UsageEvent) -> tuple[Charge, ...]:
    """The charges, in the currency of the price, of the price version that rated the event.

    Empty for an event without one: unpriced, or free.
    """
    if event.price_version_id is None:
        return ()
    found = stored_versions(PriceVersion.objects.filter(pk=event.price_version_id))
    if not found:
        return ()
    version = found[0]
    price = compile_price(
        price_version_id=version.id,
        provider=version.provider,
        model=version.model,
        service_tier=version.service_tier,
        currency=version.currency,
        prices=version.prices,
    )
    return charges(counts_of(_value_of(event)), price)


def _value_of(event: UsageEvent) -> EventValue:
    meters = {name: Decimal(str(value)) for name, value in (event.meters or {}).items()}
    return EventValue(
        event_id=event.event_id,
        occurred_at=event.occurred_at,
        model=event.kind.model,
        input_tokens=event.input_tokens,
        output_tokens=event.output_tokens,
        cache_read_tokens=event.cache_read_tokens,
        cache_write_tokens=event.cache_write_tokens,
        cache_write_1h_tokens=event.cache_write_1h_tokens,
        reasoning_tokens=event.reasoning_tokens,
        meters=meters or None,
    )
