"""`manage.py prices list`: its arguments and the table it prints."""

from argparse import ArgumentParser

from django.core.management.base import CommandError
from django.utils import timezone
from rich import box
from rich.table import Table

from pricing.models import RateCard
from pricing.rating import MeterPrice
from pricing.selectors import ListedPrice, PriceQuestion, StoredVersion, list_prices

EVERY_PRICE = 1_000_000


def add_list_arguments(parser: ArgumentParser) -> None:
    """Declare the options of `list`."""
    parser.add_argument("--provider", default="", help="a provider's slug, such as openai")
    parser.add_argument("--model", default="", help="part of a model's name")
    parser.add_argument("--card", default="", help="a rate card's name, such as manual")


def price_table(provider: str, model: str, card: str) -> Table:
    """The prices in force now, one meter a row. Raises CommandError when none match."""
    filters = {"provider": provider, "model": model, "rate_card": card}
    question = PriceQuestion(timezone.now(), RateCard.objects.all(), filters, EVERY_PRICE)
    rows = list_prices(question).rows
    if not rows:
        raise CommandError("no prices match; `prices sync` loads the catalogue")
    table = Table(box=box.SIMPLE_HEAD)
    for heading in ("provider", "model", "tier", "meter"):
        table.add_column(heading, overflow="fold")
    for heading in ("price", "per"):
        table.add_column(heading, justify="right", no_wrap=True)
    for heading in ("since", "card", "origin"):
        table.add_column(heading, no_wrap=True)
    for row in rows:
        table.add_row(*_cells(row))
    return table


def _cells(row: ListedPrice) -> tuple[str, ...]:
    version, price = row.version, row.price
    return (
        version.provider,
        version.model,
        _tier(version),
        price.meter,
        _amount(price, version.currency),
        f"{price.per:,}",
        _since(version),
        row.facts.rate_card,
        row.facts.origin,
    )


def _tier(version: StoredVersion) -> str:
    if version.utc_from is None or version.utc_until is None:
        return version.service_tier
    return f"{version.service_tier} {version.utc_from:%H:%M}-{version.utc_until:%H:%M} UTC"


def _amount(price: MeterPrice, currency: str) -> str:
    steps = (f"; above {above:,}: {unit.normalize():f}" for above, unit in price.tiers)
    kind = " (graduated)" if price.graduated else ""
    return f"{price.unit_price.normalize():f} {currency}" + "".join(steps) + kind


def _since(version: StoredVersion) -> str:
    return f"{version.effective_from:%Y-%m-%d}" if version.effective_from.year > 1970 else "always"
