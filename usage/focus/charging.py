"""The charges of an organization's days: as events make them now, as kept, and the differences."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from hashlib import blake2b
from itertools import islice
from typing import Any
from uuid import UUID

import msgspec
from django.conf import settings
from django.db import connection

from pricing.price_book import current_book
from usage.focus.columns import CORRECTION, Charge, Texts
from usage.focus.describing import Describer, Names
from usage.focus.naming import ADJUSTMENT
from usage.focus.splitting import Splitter
from usage.focus.staging import NEAR_DAYS, Days, grouped_charges, temporary_table
from usage.models import Organization, UsageEvent
from usage.rerating.copying import copy_rows
from usage.selectors.access import Viewer
from usage.selectors.chargeback import Assigned

CHARGES_AT_ONCE = 2_000
# Whoever stored something just before charges were kept may have committed it just after.
_LONGEST_STORING = timedelta(hours=1)

# What a charge is, without what may be called differently later: names, cost centres, list prices.
_IDENTITY = (
    "SubAccountId", "ResourceId", "SkuId", "SkuMeter", "SkuPriceId", "ContractedUnitPrice",
    "PricingUnit", "PricingCurrency", "x_ExchangeRate", "x_ReportedModel", "x_ServiceTier",
    "x_BillingScope", "Tags",
)  # fmt: skip
_STAGED = {
    "day": "date",
    "identity": "uuid",
    "is_live": "boolean",
    "texts": "text",
    "consumed_quantity": "numeric",
    "pricing_quantity": "numeric",
    "effective_cost": "numeric",
    "request_count": "bigint",
}
_FIGURES = "consumed_quantity, pricing_quantity, effective_cost, request_count"
_SUMS = ", ".join(f"sum({name})" for name in _FIGURES.split(", "))
_KEPT = f"""
    SELECT charge_day, columns, {_FIGURES} FROM usage_frozencharge
    WHERE organization_id = %s AND charge_day >= %s AND charge_day < %s
    ORDER BY charge_day, id
"""
_DIFFERENCES = f"""
    SELECT day, coalesce(max(texts) FILTER (WHERE is_live), max(texts)), {_SUMS}
    FROM {{table}} GROUP BY day, identity
    HAVING {" OR ".join(f"sum({name}) <> 0" for name in _FIGURES.split(", "))}
    ORDER BY day, identity
"""
_MAY_DIFFER = f"""
    SELECT EXISTS (
        SELECT FROM usage_usageevent e
        WHERE {NEAR_DAYS}
          AND (e.received_at >= %(since)s OR e.state = {UsageEvent.State.SUPERSEDED.value})
    )
"""


class Charger:
    """Makes the charges of one organization; runs in a transaction."""

    def __init__(self, organization: Organization, names: Names | None = None) -> None:
        """`names` may be shared by several organizations."""
        ledger = str(settings.TALLYMAN_CURRENCY)
        if names is None:
            names = Names(Assigned(Viewer(frozenset((organization.pk,)))))
        self._splitter = Splitter(current_book(), ledger)
        self._describer = Describer(organization, names, ledger)

    def live(self, days: Days) -> Iterator[Charge]:
        """The charges of `days` as the stored events make them now, by day."""
        for groups in grouped_charges(days, self._splitter):
            yield from self._describer.charges(groups)

    def kept(self, days: Days) -> Iterator[Charge]:
        """The charges of `days` as they were kept, whichever month they were billed in."""
        with connection.chunked_cursor() as cursor:
            cursor.execute(_KEPT, (days.organization_id, days.first, days.end))
            while rows := cursor.fetchmany(CHARGES_AT_ONCE):
                for row in rows:
                    yield _charge(row)

    def may_differ(self, days: Days, kept_at: datetime) -> bool:
        """Whether events of `days` may have come or gone since their charges were kept.

        False is certain, and found without reading what each event costs. Where no event is left,
        what was kept stands.
        """
        parameters = {**days.as_parameters(), "since": kept_at - _LONGEST_STORING}
        with connection.cursor() as cursor:
            cursor.execute(_MAY_DIFFER, parameters)
            return bool(cursor.fetchone()[0])

    def differences(self, days: Days, billing_month: date) -> Iterator[Charge]:
        """What `live` says more or less than `kept`, as corrections billed in `billing_month`."""
        period = self._describer.billing_period(billing_month)
        with temporary_table(_STAGED) as table:
            for charges, is_live in ((self.live(days), True), (self.kept(days), False)):
                _stage(table, charges, is_live=is_live)
            with connection.chunked_cursor() as cursor:
                cursor.execute(_DIFFERENCES.format(table=table))
                while rows := cursor.fetchmany(CHARGES_AT_ONCE):
                    for row in rows:
                        yield _correction(_charge(row), period)


def _stage(table: str, charges: Iterator[Charge], *, is_live: bool) -> None:
    while some := list(islice(charges, CHARGES_AT_ONCE)):
        rows = [
            (
                charge.day,
                _identity(charge.texts),
                is_live,
                msgspec.json.encode(charge.texts).decode(),
                *_figures(charge, is_live=is_live),
            )
            for charge in some
        ]
        copy_rows(table, tuple(_STAGED), rows)


def _figures(charge: Charge, *, is_live: bool) -> tuple[Decimal | int, ...]:
    """The figures of a charge as they are, or to be taken off. Copied, never calculated, so that
    no context rounds them."""
    decimals = (charge.consumed_quantity, charge.pricing_quantity, charge.effective_cost)
    if is_live:
        return (*decimals, charge.request_count)
    return (*(figure.copy_negate() for figure in decimals), -charge.request_count)


def _identity(texts: Texts) -> UUID:
    parts: list[str | None] = [texts.get(name) for name in _IDENTITY]
    if texts["SkuMeter"] == ADJUSTMENT:
        parts.append(texts["x_AdjustedMonth"])
    return UUID(bytes=blake2b(msgspec.json.encode(parts), digest_size=16).digest())


def _charge(row: Sequence[Any]) -> Charge:
    day, texts, consumed, pricing, cost, requests = row
    return Charge(
        day, msgspec.json.decode(texts, type=Texts), consumed, pricing, cost, int(requests)
    )


def _correction(charge: Charge, period: Texts) -> Charge:
    texts = charge.texts
    model, meter = texts["x_Model"], texts["SkuMeter"]
    texts |= {
        **period,
        "ChargeClass": CORRECTION,
        "ChargeDescription": f"{model} {meter}, correction of {charge.day:%B %Y}",
    }
    texts.setdefault("x_AdjustedMonth", f"{charge.day:%Y-%m}")
    return charge
