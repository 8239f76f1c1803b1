"""Groups of charges → the columns of a FOCUS row, with everything they name looked up."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import NamedTuple, TypeVar
from zoneinfo import ZoneInfo

import msgspec
from django.db.models import Model, QuerySet

from pricing.compiled import EXACT, MeterPrice
from pricing.directory import ModelDirectory
from pricing.models import PriceVersion, Provider
from pricing.selectors import StoredVersion, stored_versions
from usage.focus.columns import (
    CONSTANT,
    CONSUMED_DECIMALS,
    CORRECTION,
    PRICING_DECIMALS,
    UNIT_PRICE_DECIMALS,
    Charge,
    Texts,
    plain,
    rounded,
)
from usage.focus.naming import (
    ADJUSTMENT,
    OTHER_COST,
    REPORTED_COST,
    as_id,
    meter_label,
    pricing_unit,
    service_name,
    unit_of,
)
from usage.focus.splitting import MAX_CACHED, Basis, Part, Words
from usage.focus.staging import Group
from usage.ingest.partitions import next_month
from usage.models import Organization, Project, Team
from usage.selectors.chargeback import Assigned
from usage.selectors.periods import midnight

_Named = TypeVar("_Named", bound=Model)
_UNKNOWN = "Unknown"
_LABELS = {
    Basis.REPORTED: REPORTED_COST,
    Basis.OTHER: OTHER_COST,
    Basis.ADJUSTMENT: ADJUSTMENT,
}
_VARIANTS = {Basis.FREE_TIER: "free", Basis.REPORTED: "reported", Basis.OTHER: "other"}


class _Seller(NamedTuple):
    """A provider; its slug is the reported word where nobody knows it."""

    slug: str
    name: str


class Names:
    """What ids and reported words stand for; for all organizations of one export."""

    def __init__(self, assigned: Assigned) -> None:
        """`assigned` knows the cost centres."""
        self.assigned = assigned
        self.projects: dict[int, Project] = {}
        self.teams: dict[int, Team] = {}
        self.versions: dict[int, StoredVersion] = {}
        self._directory = ModelDirectory()
        self._providers = dict(Provider.objects.values_list("slug", "name"))

    def learn(self, groups: Sequence[Group]) -> None:
        """Read what `groups` name that is new."""
        _learn(self.projects, Project.objects.all(), (group.project_id for group in groups))
        _learn(self.teams, Team.objects.all(), (group.team_id for group in groups))
        if len(self.versions) > MAX_CACHED:
            self.versions.clear()
        named = {group.part.version_id for group in groups if group.part.version_id}
        wanted = named.difference(self.versions)
        if wanted:
            found = stored_versions(PriceVersion.objects.filter(pk__in=wanted))
            self.versions |= {version.id: version for version in found}

    def seller(self, word: str, otherwise: str) -> _Seller:
        """The provider that a call names, else the one whose slug is `otherwise`."""
        slug = self._directory.provider(word.strip().lower()) if word else otherwise
        if slug is None:
            return _Seller(word, word)
        return _Seller(slug, self._providers.get(slug) or slug or _UNKNOWN)


def _learn(known: dict[int, _Named], rows: QuerySet[_Named], ids: Iterable[int | None]) -> None:
    if len(known) > MAX_CACHED:
        known.clear()
    wanted = {pk for pk in ids if pk}.difference(known)
    if wanted:
        known |= {row.pk: row for row in rows.filter(pk__in=wanted)}


class Describer:
    """Describes the charges of one organization."""

    def __init__(self, organization: Organization, names: Names, ledger: str) -> None:
        """`ledger` is the currency of costs, which FOCUS calls the billing currency."""
        self._names = names
        self._slug = organization.slug
        self._zone = ZoneInfo(organization.time_zone)
        self._described_day: date | None = None
        self._described_periods: Texts = {}
        self._products: dict[tuple[object, ...], Texts] = {}
        self._always: Texts = {
            **CONSTANT,
            "BillingAccountId": organization.slug,
            "BillingAccountName": organization.name or organization.slug,
            "BillingCurrency": ledger,
        }

    def charges(self, groups: Sequence[Group]) -> Iterator[Charge]:
        """The charges of `groups`, each billed in the month of its day."""
        self._names.learn(groups)
        return (self._charge(group) for group in groups)

    def billing_period(self, month: date) -> Texts:
        """The columns of the billing period that begins on the first day `month`."""
        return {
            "BillingPeriodStart": _spelled(midnight(month, self._zone)),
            "BillingPeriodEnd": _spelled(midnight(next_month(month), self._zone)),
        }

    def _charge(self, group: Group) -> Charge:
        part = group.part
        texts = {
            **self._always,
            **self._periods(group.day),
            "x_ServiceTier": group.words.service_tier,
            "x_BillingScope": group.words.billing_scope,
            **self._owner(group),
            **self._priced_product(group.words, part),
        }
        if group.tags and group.tags != "{}":
            texts["Tags"] = group.tags
        counted = part.basis in (Basis.PRICE, Basis.FREE_TIER)
        consumed = group.quantity if counted else Decimal(group.calls)
        pricing = EXACT.divide(group.quantity, Decimal(part.per))
        return Charge(
            group.day,
            texts,
            rounded(consumed, CONSUMED_DECIMALS),
            rounded(pricing, PRICING_DECIMALS),
            group.cost,
            group.calls,
        )

    def _periods(self, day: date) -> Texts:
        if self._described_day != day:
            self._described_day = day
            self._described_periods = {
                **self.billing_period(day.replace(day=1)),
                "ChargePeriodStart": _spelled(midnight(day, self._zone)),
                "ChargePeriodEnd": _spelled(midnight(day + timedelta(days=1), self._zone)),
            }
        return self._described_periods

    def _priced_product(self, words: Words, part: Part) -> Texts:
        key = (words.provider, words.model, *part.as_key())
        known = self._products.get(key)
        if known is None:
            if len(self._products) > MAX_CACHED:
                self._products.clear()
            known = self._products[key] = {**self._product(words, part), **_prices(part)}
        return known

    def _owner(self, group: Group) -> Texts:
        texts: Texts = {}
        project = self._names.projects.get(group.project_id or 0)
        team = self._names.teams.get(group.team_id or 0)
        if project is not None:
            texts |= {
                "ResourceId": project.slug,
                "ResourceName": project.name or project.slug,
                "ResourceType": "Application",
                "x_Project": project.slug,
            }
        if team is not None:
            texts |= {
                "SubAccountId": team.slug,
                "SubAccountName": team.name or team.slug,
                "SubAccountType": "Team",
            }
        account = self._names.assigned.account(
            self._slug,
            project.slug if project else None,
            team.slug if team else None,
            group.day.replace(day=1),
        )
        return texts | {"x_CostCentre": account.code} if account.code else texts

    def _product(self, words: Words, part: Part) -> Texts:
        version = self._names.versions.get(part.version_id or 0)
        seller = self._names.seller(words.provider, version.provider if version else "")
        model = version.model if version else words.model
        vendor = version.provider if version else seller.slug
        label = _LABELS.get(part.basis) or meter_label(vendor, part.meter)
        texts = {
            "ProviderName": seller.name,
            "PublisherName": self._names.seller("", vendor).name if version else seller.name,
            "ServiceProviderName": seller.name,
            "HostProviderName": seller.name,
            "InvoiceIssuerName": seller.name,
            "ServiceName": service_name(seller.slug, seller.name),
            "ChargeDescription": f"{model} {label}",
            "SkuId": f"{vendor or as_id(_UNKNOWN)}/{model}",
            "SkuMeter": label,
            "x_Model": model,
            "x_ReportedModel": words.model,
            "x_TokenType": label,
        }
        if part.basis is Basis.ADJUSTMENT:
            return texts | {
                "ChargeClass": CORRECTION,
                "ChargeDescription": f"{model} {label} of {_month_name(part.meter)}",
                "x_AdjustedMonth": part.meter,
            }
        return texts | _sku_price(part, version, texts["SkuId"], label, model)


def _sku_price(
    part: Part, version: StoredVersion | None, sku: str, label: str, model: str
) -> Texts:
    variant = version.service_tier if version else _VARIANTS.get(part.basis, "standard")
    names = [sku, as_id(label), variant]
    details: dict[str, object] = {"x_Model": model, "x_ServiceTier": variant}
    above = _tier_reached(part, version.prices) if version else None
    if above is not None:
        names.append(f"above_{above}")
        details["x_Above"] = above
    metered = part.basis in (Basis.PRICE, Basis.FREE_TIER)
    unit = unit_of(part.meter) if metered else "Requests"
    return {
        "SkuPriceId": "/".join(names),
        "SkuPriceDetails": _json(details),
        "ConsumedUnit": unit,
        "PricingUnit": pricing_unit(part.per, unit) if metered else part.currency,
        "PricingCategory": "Standard" if metered else "Other",
    }


def _tier_reached(part: Part, prices: Sequence[MeterPrice]) -> int | None:
    """The bound of the tier that gave the unit price; None for the plain price."""
    for price in prices:
        if price.meter == part.meter and price.unit_price != part.unit_price:
            reached = (above for above, unit_price in price.tiers if unit_price == part.unit_price)
            return next(reached, None)
    return None


def _prices(part: Part) -> Mapping[str, str]:
    if part.basis is Basis.ADJUSTMENT:
        return {"PricingCurrency": part.currency}
    rate = part.exchange_rate
    unit_price = part.unit_price
    billed = unit_price if rate is None else EXACT.multiply(unit_price, rate)
    listed = part.list_price
    texts = {
        "ContractedUnitPrice": _number(billed),
        "ListUnitPrice": _number(listed.billed if listed else billed),
        "PricingCurrency": part.currency,
        "PricingCurrencyContractedUnitPrice": _number(unit_price),
        "PricingCurrencyListUnitPrice": _number(listed.priced if listed else unit_price),
    }
    return texts if rate is None else texts | {"x_ExchangeRate": _number(rate)}


def _number(value: Decimal) -> str:
    return f"{plain(rounded(value, UNIT_PRICE_DECIMALS)):f}"


def _spelled(instant: datetime) -> str:
    return instant.isoformat().replace("+00:00", "Z")


def _month_name(month: str) -> str:
    return f"{date.fromisoformat(f'{month}-01'):%B %Y}"


def _json(value: object) -> str:
    return msgspec.json.format(msgspec.json.encode(value), indent=0).decode()
