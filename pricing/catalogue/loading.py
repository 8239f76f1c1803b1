"""Loading what genai-prices lists: one transaction, a handful of bulk statements, repeatable."""

import hashlib
import re
from collections.abc import Sequence
from datetime import datetime

import genai_prices
from django.db import connection, transaction

from pricing.catalogue.checking import check_listed, check_size
from pricing.catalogue.listing import ListedProvider
from pricing.catalogue.names import TELEMETRY_NAMES, store_names
from pricing.catalogue.refusals import open_reviews
from pricing.catalogue.snapshot import listed_providers
from pricing.catalogue.storing import CatalogueResult, Offer, standing, store_prices
from pricing.models import CatalogueSource
from pricing.publishing import Provenance
from pricing.revision import begin_price_change
from pricing.selectors import CATALOGUE, named_card

GENAI_PRICES = "genai-prices"


def load_catalogue(now: datetime | None = None) -> CatalogueResult:
    """Bring the database to the prices that ship with the genai-prices package; no network.

    Does nothing where fetched prices are newer: where the last fetch was made by this version of
    the package or a later one. `now` (default: the present) is when changed prices without a
    start date begin to hold. Raises SourceFault when the data cannot be used.
    """
    if not _shipped_is_newer():
        return unchanged(GENAI_PRICES, CATALOGUE)
    return load_listed(listed_providers(), genai_prices.__version__, None, now)


def shipped_version() -> str:
    """The version of the genai-prices package, and so of the prices it ships."""
    return genai_prices.__version__


@transaction.atomic
def load_listed(
    providers: Sequence[ListedProvider],
    version: str,
    fetched_at: datetime | None,
    now: datetime | None = None,
) -> CatalogueResult:
    """Bring the catalogue's card, models and rules to `providers`; see `load_catalogue`.

    `fetched_at` is None for the prices that ship with the package. Raises SourceFault for prices
    that cannot be, and for a fetched list of far fewer models than the last one.
    """
    digest = hashlib.sha256(repr((providers, TELEMETRY_NAMES)).encode()).hexdigest()
    if is_loaded(GENAI_PRICES, digest):
        result = unchanged(GENAI_PRICES, CATALOGUE)
    else:
        begin_price_change()
        card = named_card(CATALOGUE)
        check_listed(providers)
        if fetched_at is not None:
            check_size(card, GENAI_PRICES, sum(len(provider.models) for provider in providers))
        names = store_names(providers, GENAI_PRICES)
        offers = [
            Offer(names.model_ids[vendor.slug, model.name], vendor.slug, model.name, model.periods)
            for vendor in providers
            for model in vendor.models
        ]
        source = Provenance(GENAI_PRICES, version, "catalogue sync", actor="prices sync")
        result = store_prices(card, offers, source, now or present(), names.changed)
    remember(GENAI_PRICES, version, digest, fetched_at)
    return result


def present() -> datetime:
    """The database server's time: later than the start of any transaction that has committed."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        (now,) = cursor.fetchone()
    at: datetime = now
    return at


def is_loaded(source: str, digest: str) -> bool:
    """Whether exactly this was the last that was loaded from `source`."""
    return CatalogueSource.objects.filter(name=source, digest=digest).exists()


def remember(source: str, version: str, digest: str, fetched_at: datetime | None) -> None:
    """Note what was loaded last, and when it was fetched (None: as shipped)."""
    facts = {"version": version, "digest": digest, "fetched_at": fetched_at}
    if not CatalogueSource.objects.filter(name=source, **facts).exists():
        CatalogueSource.objects.update_or_create(name=source, defaults=facts)


def unchanged(source: str, card: str) -> CatalogueResult:
    """The result of a load that found nothing new."""
    return CatalogueResult(0, 0, standing(named_card(card)), open_reviews(source))


def _shipped_is_newer() -> bool:
    last = CatalogueSource.objects.filter(name=GENAI_PRICES).first()
    if last is None or last.fetched_at is None:
        return True
    return _numbers(genai_prices.__version__) > _numbers(last.version.split()[0])


def _numbers(version: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", version)]
