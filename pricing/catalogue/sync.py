"""Syncing prices from their sources: every try leaves a row, and a failed one changes nothing."""

from collections import Counter
from datetime import datetime
from typing import NamedTuple

from django.conf import settings
from django.db import DataError, IntegrityError
from django.utils import timezone

from pricing.catalogue.fetching import fetch_json, fetch_snapshot
from pricing.catalogue.listing import SourceFault
from pricing.catalogue.loading import (
    GENAI_PRICES,
    load_catalogue,
    load_listed,
    shipped_version,
)
from pricing.catalogue.openrouter import read_models
from pricing.catalogue.openrouter_loading import OPENROUTER, load_models
from pricing.catalogue.snapshot import listed_providers
from pricing.catalogue.storing import CatalogueResult
from pricing.models import CatalogueSource, PriceSync


class _Outcome(NamedTuple):
    """What was loaded, and a line about it where there is something to say."""

    result: CatalogueResult
    version: str
    note: str = ""


def sync_prices(source: str = GENAI_PRICES) -> PriceSync:
    """Bring prices up to date from `source` and return the row that tells how it went.

    Faults of the network and of the data end in a failed row whose `error` is one line; other
    rows may say something there too. Raises ValueError for a source that there is not.
    """
    started = timezone.now()
    if source not in _SOURCES:
        raise ValueError(f"there is no price source {source!r}")
    try:
        outcome = _SOURCES[source](started)
    except SourceFault as fault:
        return _failed(source, started, str(fault))
    except (DataError, IntegrityError, ArithmeticError, ValueError) as fault:
        lines = str(fault).splitlines() or [type(fault).__name__]
        return _failed(source, started, f"the data cannot be stored: {lines[0]}")
    result = outcome.result
    return PriceSync.objects.create(
        source=source,
        source_version=outcome.version,
        status=PriceSync.Status.CHANGED if result.changed else PriceSync.Status.UNCHANGED,
        started_at=started,
        added=result.added,
        closed=result.closed,
        unchanged=result.unchanged,
        refused=result.refused,
        error=outcome.note,
    )


def _failed(source: str, started: datetime, error: str) -> PriceSync:
    return PriceSync.objects.create(
        source=source, status=PriceSync.Status.FAILED, started_at=started, error=error
    )


def _sync_genai_prices(started: datetime) -> _Outcome:
    url: str | None = settings.TALLYMAN_PRICES_URL
    shipped = shipped_version()
    if url == "":
        result = load_catalogue()
        return _Outcome(result, CatalogueSource.objects.get(name=GENAI_PRICES).version)
    try:
        providers = listed_providers(fetch_snapshot(url))
        version = f"{shipped} fetched {started:%Y-%m-%d}"
        return _Outcome(load_listed(providers, version, started), version)
    except SourceFault as fault:
        result = load_catalogue()
        if not result.changed:
            raise
        note = f"{fault}; loaded the prices shipped with genai-prices {shipped} instead"
        return _Outcome(result, shipped, note)


def _sync_openrouter(started: datetime) -> _Outcome:
    url: str = settings.TALLYMAN_OPENROUTER_URL
    if not url:
        raise SourceFault("switched off: TALLYMAN_OPENROUTER_URL is empty")
    models, skipped = read_models(fetch_json(url))
    version = f"fetched {started:%Y-%m-%d}"
    return _Outcome(load_models(models, version, started), version, _skipped(skipped))


def _skipped(reasons: Counter[str]) -> str:
    told = ", ".join(f"{count:,} {reason}" for reason, count in sorted(reasons.items()))
    return f"skipped: {told}" if told else ""


_SOURCES = {GENAI_PRICES: _sync_genai_prices, OPENROUTER: _sync_openrouter}
