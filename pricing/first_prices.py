"""First prices for what calls name and nobody knew: another model's, prices of its own, or free."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from django.db import transaction

from pricing.directory import GATEWAY, ModelDirectory
from pricing.models import AIModel, MatchRule, PriceChange, PriceVersion
from pricing.price_book import current_book
from pricing.publishing import PriceItem, Provenance, add_alias, ensure_model, set_prices
from pricing.revision import begin_price_change
from pricing.selectors import MANUAL, named_card, stored_versions

FREE: Mapping[str, Decimal] = {"input_tokens": Decimal(0), "output_tokens": Decimal(0)}


class NotPriced(Exception):
    """A first price that cannot be given; the text says why, for people."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """A provider and model as calls name them; `since` is when they were first seen (aware)."""

    provider: str
    model: str
    since: datetime


def home_of(unknown: Unknown) -> tuple[str, str]:
    """The provider's slug ("" where only people can know) and the name its model is sought by."""
    given = unknown.provider.strip().lower()
    directory = ModelDirectory()
    slug, sought = directory.sought_as(given, unknown.model)
    name = unknown.model[-len(sought) :]
    if slug is not None:
        return slug, name
    if given not in ("", GATEWAY):
        return given, name
    prefix, _, rest = name.partition("/")
    if prefix and rest:
        return directory.provider(prefix) or prefix, rest
    return "", name


@transaction.atomic
def use_price_of(unknown: Unknown, known: AIModel, source: Provenance) -> PriceChange:
    """Price `unknown` like `known`: by a further name of it, or a copy under another provider.

    A further name follows every later price of `known`; a copy keeps the prices of today.
    Raises NotPriced.
    """
    # Before the change begins: a book of its unfinished revision would stay in the process.
    price = current_book().find(known.provider.slug, known.name, datetime.now(UTC))
    begin_price_change()
    slug, name = home_of(unknown)
    if slug in ("", known.provider.slug):
        change = add_alias(known, MatchRule.Kind.EXACT, name, source)
        _check_found(unknown, known)
        return change
    if price is None:
        raise NotPriced(f"{known.provider} / {known} has no price either.")
    versions = PriceVersion.objects.filter(pk=price.price_version_id)
    items = [
        PriceItem(
            slug,
            name,
            meter.meter,
            meter.unit_price,
            version.currency,
            per=meter.per,
            effective_from=unknown.since,
            tiers=meter.tiers,
            graduated=meter.graduated,
        )
        for version in stored_versions(versions)
        for meter in version.prices
    ]
    return set_prices(named_card(MANUAL), items, source)


@transaction.atomic
def set_first_prices(
    unknown: Unknown,
    provider: str,
    prices: Mapping[str, Decimal],
    currency: str,
    since: datetime,
    source: Provenance,
) -> PriceChange:
    """Give `unknown` prices of its own on the manual card, by meter for a million units.

    `provider` is who sells it where calls do not tell; they hold from `since`, inclusive. Raises
    NotPriced.
    """
    begin_price_change()
    slug, name = home_of(unknown)
    slug = slug or provider.strip().lower()
    if not slug:
        raise NotPriced("Calls do not say which provider sells this model: name one.")
    items = [
        PriceItem(slug, name, meter, amount, currency, effective_from=since)
        for meter, amount in prices.items()
    ]
    change = set_prices(named_card(MANUAL), items, source)
    _check_found(unknown, ensure_model(slug, name))
    return change


def _check_found(unknown: Unknown, model: AIModel) -> None:
    meant = ModelDirectory().models(unknown.provider, unknown.model)
    if all(found.model_id != model.pk for found in meant):
        raise NotPriced(
            f"Calls that name {unknown.model} do not lead to {model.provider} / {model}."
        )
