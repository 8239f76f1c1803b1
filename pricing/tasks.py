"""Periodic tasks of pricing. Each may run twice at once and at any time."""

import logging

from celery import shared_task
from django.conf import settings

from pricing import catalogue
from pricing.models import PriceSync

logger = logging.getLogger(__name__)


@shared_task
def sync_prices() -> None:
    """Bring the catalogue's prices up to date."""
    _sync(catalogue.GENAI_PRICES)


@shared_task
def sync_openrouter() -> None:
    """Bring OpenRouter's prices up to date, unless that source is switched off."""
    if settings.TALLYMAN_OPENROUTER_URL:
        _sync(catalogue.OPENROUTER)


def _sync(source: str) -> None:
    row = catalogue.sync_prices(source)
    if row.status == PriceSync.Status.FAILED:
        logger.warning("syncing prices from %s failed: %s", source, row.error)
