"""`manage.py prices sync`: its arguments and what it prints."""

from argparse import ArgumentParser
from collections.abc import Iterator

from django.core.management.base import CommandError

from pricing.catalogue import GENAI_PRICES, OPENROUTER, sync_prices
from pricing.models import PriceReview, PriceSync


def add_sync_arguments(parser: ArgumentParser) -> None:
    """Declare the options of `sync`."""
    parser.add_argument(
        "--source",
        choices=[GENAI_PRICES, OPENROUTER],
        default=GENAI_PRICES,
        help="where to get prices from (default: %(default)s)",
    )


def sync_lines(source: str) -> Iterator[str]:
    """Sync prices from `source` and tell what happened, refused prices one a line.

    Raises CommandError when the sync failed; nothing has changed then.
    """
    row = sync_prices(source)
    if row.status == PriceSync.Status.FAILED:
        raise CommandError(f"{source}: {row.error}")
    refused = f", {row.refused:,} refused" if row.refused else ""
    yield (
        f"prices: {row.added:,} added, {row.closed:,} closed, {row.unchanged:,} unchanged{refused}"
    )
    if row.error:
        yield row.error
    reviews = PriceReview.objects.filter(source=source, status=PriceReview.Status.OPEN)
    for review in reviews.order_by("provider", "model", "service_tier"):
        yield f"refused: {_told(review)}"


def _told(review: PriceReview) -> str:
    known = "" if review.known_price is None else f"{review.known_price.normalize():f} -> "
    return (
        f"{review.provider}/{review.model} {review.service_tier} {review.meter}"
        f" {known}{review.listed_price.normalize():f} {review.currency} per {review.per:,}:"
        f" {review.get_fault_display().lower()}"
    )
