"""Whether the data of a source can be used at all. One fault, and nothing of it is."""

import re
from collections import Counter
from collections.abc import Sequence
from decimal import Decimal

from pricing.catalogue.listing import ListedModel, ListedProvider, SourceFault
from pricing.models import MatchRule, PriceChange, RateCard
from pricing.rating import MeterPrice
from pricing.selectors import live_versions

LEAST_PART = 2
"""A list that names fewer than one in so many of the models of the last one is broken."""


def check_listed(providers: Sequence[ListedProvider]) -> None:
    """Raise SourceFault for what is listed twice, a negative price, a pattern that is none."""
    _check_once([provider.slug for provider in providers], "providers")
    for provider in providers:
        _check_once([model.name for model in provider.models], provider.slug)
        _check_rules((*provider.provider_rules, *provider.model_rules), provider.slug)
        for model in provider.models:
            place = f"{provider.slug}/{model.name}"
            _check_rules(model.rules, place)
            _check_prices(model, place)


def check_size(card: RateCard, origin: str, listed: int) -> None:
    """Raise SourceFault when `listed` models are fewer than half of those listed last time."""
    if not live_versions().filter(rate_card=card).exists():
        return
    changes = PriceChange.objects.filter(action=PriceChange.Action.SYNC, origin=origin)
    last = changes.order_by("-id").first()
    known = last.details.get("listed", 0) if last else 0
    if listed * LEAST_PART < known:
        raise SourceFault(f"lists {listed:,} models, {known:,} before: too few to be true")


def _check_once(names: Sequence[str], place: str) -> None:
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise SourceFault(f"{place}: {twice[0]} is listed twice")


def _check_prices(model: ListedModel, place: str) -> None:
    for price in (price for period in model.periods for price in period.prices):
        if any(amount < 0 for amount in _amounts(price)):
            raise SourceFault(f"{place}: the price of {price.meter} is negative")


def _amounts(price: MeterPrice) -> list[Decimal]:
    return [price.unit_price, *(unit_price for _, unit_price in price.tiers)]


def _check_rules(rules: Sequence[tuple[str, str]], place: str) -> None:
    for kind, text in rules:
        if kind == MatchRule.Kind.PATTERN:
            try:
                re.compile(text)
            except re.error as error:
                raise SourceFault(f"{place}: the pattern {text!r} is wrong: {error}") from None
