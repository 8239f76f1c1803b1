"""OpenRouter's list of models, read as listed prices. Pure.

The list tells US dollars per unit as decimal strings. `overrides` change single prices above a
number of prompt tokens or within a time of day; of several that apply the last one wins, price by
price. There are no dates: a price holds from when it was first seen.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import time
from decimal import Decimal, InvalidOperation
from itertools import pairwise
from typing import Any, NamedTuple

from pricing.catalogue.listing import ListedModel, ListedPeriod, SourceFault
from pricing.meters import METERS
from pricing.models.rates import BEGINNING
from pricing.rating import MeterPrice, quantize

PRICE_METERS: Mapping[str, str] = {
    "prompt": "input_tokens",
    "completion": "output_tokens",
    "request": "requests",
    "image_token": "input_image_tokens",
    "image_output": "output_image_tokens",
    "audio": "input_audio_tokens",
    "audio_output": "output_audio_tokens",
    "input_audio_cache": "cache_audio_read_tokens",
    "web_search": "web_searches",
    "internal_reasoning": "reasoning_tokens",
    "input_cache_read": "cache_read_tokens",
    "input_cache_write": "cache_write_tokens",
    "input_cache_write_1h": "cache_write_1h_tokens",
}
"""Key of the list → meter. The other keys price nothing that is metered here."""

_BASIC = frozenset(("prompt", "completion", "request"))
_PARENTS = {
    key: next(
        (whole for whole, meter in PRICE_METERS.items() if meter == METERS[name].parent), None
    )
    for key, name in PRICE_METERS.items()
}
_DAY = 24 * 60


class ModelList(NamedTuple):
    """What could be read: models, and how many were skipped by reason."""

    models: tuple[ListedModel, ...]
    skipped: Counter[str]


class _Skip(Exception):
    """A model whose prices cannot be expressed; says why."""


class _Override(NamedTuple):
    """Prices that replace others above `above` prompt tokens, within minutes of the UTC day."""

    above: int
    since: int
    until: int
    prices: dict[str, Decimal]

    def applies(self, above: int, minute: int) -> bool:
        if self.since < self.until:
            in_time = self.since <= minute < self.until
        else:
            in_time = minute >= self.since or minute < self.until
        return in_time and above >= self.above


def read_models(body: object) -> ModelList:
    """The models of an answer of `GET /models`, in its order.

    Skipped are prices that depend on the request, on the day of the week, and unreadable ones.
    Raises SourceFault when the answer is no list of models or a price is negative.
    """
    data = body.get("data") if isinstance(body, dict) else None
    if not isinstance(data, list) or not data:
        raise SourceFault("the answer holds no list of models")
    entries = {entry["id"]: entry for entry in data if _has_name(entry)}
    skipped = Counter({"unreadable": len(data) - len(entries)})
    models: list[ListedModel] = []
    for name, entry in entries.items():
        try:
            periods = tuple(_periods(entry.get("pricing")))
        except _Skip as reason:
            skipped[str(reason)] += 1
            continue
        models.append(ListedModel(name, tuple(_rules(name, entry, entries)), periods))
    return ModelList(tuple(models), +skipped)


def _has_name(entry: object) -> bool:
    name = entry.get("id") if isinstance(entry, dict) else None
    return isinstance(name, str) and 0 < len(name) <= 200 and name.isprintable()


def _rules(
    name: str, entry: Mapping[str, Any], entries: Mapping[str, Any]
) -> Iterator[tuple[str, str]]:
    yield "exact", name.lower()
    slug = entry.get("canonical_slug")
    # Variants such as `:free` carry the slug of the plain model, whose price is another one.
    if isinstance(slug, str) and slug and slug not in entries and ":" not in name:
        yield "exact", slug.lower()


def _periods(pricing: object) -> Iterator[ListedPeriod]:
    if not isinstance(pricing, dict):
        raise _Skip("unreadable")
    base = _amounts(pricing)
    if "prompt" not in base or "completion" not in base:
        raise _Skip("unreadable")
    given = pricing.get("overrides") or []
    if not isinstance(given, list):
        raise _Skip("unreadable")
    overrides = [_override(one) for one in given]
    for since, until, prices in _windows(base, overrides):
        yield ListedPeriod("standard", since, until, BEGINNING, None, prices)


def _amounts(given: Mapping[str, object]) -> dict[str, Decimal]:
    """The amounts in US dollars per unit, by key."""
    amounts: dict[str, Decimal] = {}
    for key in PRICE_METERS.keys() & given.keys():
        if given[key] is None:
            continue
        try:
            amount = Decimal(str(given[key]))
        except InvalidOperation:
            raise _Skip("unreadable") from None
        if not amount.is_finite():
            raise _Skip("unreadable")
        if amount == -1:
            raise _Skip("priced by the request")
        if amount < 0:
            raise SourceFault(f"a price is negative: {key} {amount}")
        amounts[key] = amount
    return amounts


def _override(given: object) -> _Override:
    if not isinstance(given, dict):
        raise _Skip("unreadable")
    if given.get("utc_days"):
        raise _Skip("priced by the day of the week")
    above = given.get("min_prompt_tokens") or 0
    if not isinstance(above, int) or above < 0:
        raise _Skip("unreadable")
    since, until = _minutes(given.get("utc_start"), 0), _minutes(given.get("utc_end"), _DAY)
    if since == until:
        raise _Skip("unreadable")
    return _Override(above, since, until, _amounts(given))


def _minutes(clock: object, default: int) -> int:
    """Minutes from midnight of a number such as 1630."""
    if clock is None:
        return default
    if not isinstance(clock, int) or not 0 <= clock <= 2400 or clock % 100 > 59:
        raise _Skip("unreadable")
    return clock // 100 * 60 + clock % 100


def _windows(
    base: Mapping[str, Decimal], overrides: Sequence[_Override]
) -> list[tuple[time | None, time | None, tuple[MeterPrice, ...]]]:
    starts = sorted({minute % _DAY for one in overrides for minute in (one.since, one.until)})
    prices = [_prices(base, overrides, minute) for minute in starts or [0]]
    if all(one == prices[0] for one in prices):
        return [(None, None, prices[0])]
    clocks = [time(minute // 60, minute % 60) for minute in starts]
    return list(zip(clocks, [*clocks[1:], clocks[0]], prices, strict=True))


def _prices(
    base: Mapping[str, Decimal], overrides: Sequence[_Override], minute: int
) -> tuple[MeterPrice, ...]:
    bounds = sorted({0, *(one.above for one in overrides)})
    steps = [_step(base, overrides, bound, minute) for bound in bounds]
    apart = {key for step in steps for key, amount in step.items() if amount or key in _BASIC}
    return tuple(
        sorted(
            _meter_price(key, list(zip(bounds, (_cost(key, step) for step in steps), strict=True)))
            for key in apart
        )
    )


def _step(
    base: Mapping[str, Decimal], overrides: Sequence[_Override], bound: int, minute: int
) -> dict[str, Decimal]:
    step = dict(base)
    for one in overrides:
        if one.applies(bound, minute):
            step |= one.prices
    return step


def _cost(key: str, step: Mapping[str, Decimal]) -> Decimal:
    """What a unit costs: zero and nothing said both mean that a part costs what its whole does."""
    amount, parent = step.get(key, Decimal(0)), _PARENTS[key]
    return amount if amount or parent is None else _cost(parent, step)


def _meter_price(key: str, steps: Sequence[tuple[int, Decimal]]) -> MeterPrice:
    meter = METERS[PRICE_METERS[key]]
    per = [(bound, quantize(_times(amount, meter.per))) for bound, amount in steps]
    tiers = tuple(
        (bound, amount) for (_, before), (bound, amount) in pairwise(per) if amount != before
    )
    return MeterPrice(meter.name, per[0][1], meter.per, tiers)


def _times(amount: Decimal, per: int) -> Decimal:
    """`amount` times a power of ten, exactly."""
    return amount.scaleb(len(str(per)) - 1)
