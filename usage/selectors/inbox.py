"""What the inbox of unpriced usage shows beside each group: why it waits, what may price it."""

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from django.conf import settings

from pricing.models import PriceChange, PriceVersion
from pricing.price_book import PriceBook, current_book
from pricing.selectors import StoredVersion, stored_versions
from usage.models import PriceWatch, RatingRun
from usage.selectors.access import Viewer
from usage.selectors.unpriced import UnpricedGroup, unpriced_groups

_MILLION = 1_000_000
_IN_WORK = (RatingRun.Status.PLANNING, RatingRun.Status.APPLYING)


@dataclass(frozen=True, slots=True)
class KnownPrice:
    """What a million input and output tokens of a known model cost today, None: not priced."""

    input: Decimal | None
    output: Decimal | None
    currency: str


@dataclass(frozen=True, slots=True)
class InboxRow:
    """A group with the price of the model suggested for it.

    `lacks_rate_from` is a currency: there is a price in it, but no exchange rate to the ledger's.
    """

    group: UnpricedGroup
    suggested: KnownPrice | None
    lacks_rate_from: str

    @property
    def tokens(self) -> int:
        """Input plus output tokens."""
        return self.group.input_tokens + self.group.output_tokens


def inbox_rows(viewer: Viewer) -> list[InboxRow]:
    """Everything unpriced that a viewer may see, most events first."""
    book = current_book()
    groups = unpriced_groups(viewer)
    now = datetime.now(UTC)
    ids: dict[int, int] = {}
    for place, group in enumerate(groups):
        if group.suggestion is not None:
            price = book.find(group.suggestion.provider, group.suggestion.model, now)
            if price is not None:
                ids[place] = price.price_version_id
    versions = stored_versions(PriceVersion.objects.filter(pk__in=set(ids.values())))
    prices = {version.id: _known_price(version) for version in versions}
    return [
        InboxRow(
            group,
            prices.get(ids[place]) if place in ids else None,
            _lacking(book, group),
        )
        for place, group in enumerate(groups)
    ]


def new_prices_wait() -> bool:
    """Whether prices have been set whose effect on unpriced events is still to come."""
    latest = PriceChange.objects.order_by("-id").values_list("id", flat=True).first() or 0
    seen = PriceWatch.objects.values_list("price_change_id", flat=True).first() or 0
    if latest > seen:
        return True
    waiting = RatingRun.objects.filter(cause=RatingRun.Cause.WAITING, status__in=_IN_WORK)
    return waiting.exists()


def _lacking(book: PriceBook, group: UnpricedGroup) -> str:
    price = book.find(group.provider, group.model, group.last_at)
    ledger: str = settings.TALLYMAN_CURRENCY
    return price.currency if price is not None and price.currency != ledger else ""


def _known_price(version: StoredVersion) -> KnownPrice:
    by_meter = {
        price.meter: (price.unit_price * _MILLION / price.per).normalize()
        for price in version.prices
    }
    return KnownPrice(by_meter.get("input_tokens"), by_meter.get("output_tokens"), version.currency)
