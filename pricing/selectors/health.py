"""What keeps prices from being right: syncs that fail, and exchange rates that are old."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from django.conf import settings
from django.db.models import Max, Min, Q

from pricing.catalogue import OPENROUTER
from pricing.models import ExchangeRate, PriceSync
from pricing.selectors.versions import live_versions


@dataclass(frozen=True, slots=True)
class FailingSync:
    """A source whose latest try failed, since its first failure in a row (UTC), and whether it
    had ever worked before."""

    source: str
    since: datetime
    error: str
    has_worked: bool


def failing_syncs() -> list[FailingSync]:
    """The sources whose latest try failed, by name, but for one that is switched off."""
    latest = PriceSync.objects.order_by("source", "-id").distinct("source")
    if not settings.TALLYMAN_OPENROUTER_URL:
        latest = latest.exclude(source=OPENROUTER)
    return [_failing(sync) for sync in latest if sync.status == PriceSync.Status.FAILED]


def priced_currencies() -> set[str]:
    """The ISO 4217 codes of prices that hold now."""
    rows = live_versions().filter(effective_to=None).order_by().values_list("currency", flat=True)
    return set(rows.distinct())


def latest_rate_days(currencies: Iterable[str]) -> dict[str, date | None]:
    """The last day (UTC) for which there is an exchange rate of each currency, None for never."""
    return {
        currency: ExchangeRate.objects.filter(Q(base=currency) | Q(quote=currency)).aggregate(
            day=Max("day")
        )["day"]
        for currency in currencies
    }


def _failing(latest: PriceSync) -> FailingSync:
    tries = PriceSync.objects.filter(source=latest.source)
    worked = tries.exclude(status=PriceSync.Status.FAILED).aggregate(last=Max("id"))["last"] or 0
    since: datetime = tries.filter(pk__gt=worked).aggregate(first=Min("finished_at"))["first"]
    return FailingSync(latest.source, since, latest.error, has_worked=bool(worked))
