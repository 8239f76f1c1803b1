"""Rating: quantities times prices give charges and cost. Pure: no database, no clock, no float.

Amounts are exact integers of 10^-10 currency units until the very end, which makes rounding
(half up, per charge) independent of any Decimal context and keeps rating quick.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import MAX_EMAX, MAX_PREC, MIN_EMIN, ROUND_HALF_UP, Context, Decimal
from typing import NamedTuple, TypeAlias

from pricing.meters import METERS, Quantity, Side

DECIMALS = 10
"""Decimals of every amount and unit price."""

_EXACT = Context(prec=min(MAX_PREC, 100), Emax=MAX_EMAX, Emin=MIN_EMIN, rounding=ROUND_HALF_UP)
_shift = _EXACT.scaleb
_POINT = Decimal(-DECIMALS)
_ZERO = Decimal(0).scaleb(-DECIMALS, _EXACT)
_INPUT, _CACHE, _OUTPUT, _OTHER = range(4)


class MeterPrice(NamedTuple):
    """What `per` units of a meter cost; `tiers` are `(above, unit_price)`, ascending.

    When an event's total input tokens exceed `above`, all its units cost that tier's price.
    """

    meter: str
    unit_price: Decimal
    per: int
    tiers: tuple[tuple[int, Decimal], ...] = ()


class Charge(NamedTuple):
    """One priced quantity of a rated event, `amount` in the currency of the price."""

    meter: str
    side: Side
    quantity: Quantity
    unit_price: Decimal
    per: int
    amount: Decimal


class Rating(NamedTuple):
    """What an event costs, in the currency of the price, 10 decimals.

    `cost` is the sum of all charges, `input_cost` of those of the input side (caching included),
    `cache_cost` of cache reads and writes alone; charges of neither side are in `cost` only.
    """

    price_version_id: int
    cost: Decimal
    input_cost: Decimal
    output_cost: Decimal
    cache_cost: Decimal


class _Line(NamedTuple):
    """One priced meter, compiled: `doubled` is twice the price in 10^-10 units."""

    meter: str
    group: int
    doubled: int
    per: int
    wholes: tuple[str, ...]
    unit_price: Decimal


_Plan: TypeAlias = tuple[_Line, ...]


@dataclass(frozen=True, slots=True)
class PriceValue:
    """All prices of one model at one time, compiled for rating; made by `compile_price`."""

    price_version_id: int
    provider: str
    model: str
    service_tier: str
    currency: str
    prices: tuple[MeterPrice, ...]
    plan: _Plan
    steps: tuple[tuple[int, _Plan], ...]


def quantize(amount: Decimal) -> Decimal:
    """`amount` with 10 decimals, rounded half up."""
    return amount.quantize(_ZERO, context=_EXACT)


def compile_price(
    *,
    price_version_id: int,
    provider: str,
    model: str,
    service_tier: str,
    currency: str,
    prices: Iterable[MeterPrice],
) -> PriceValue:
    """The rating form of a version's prices. Meters outside the registry raise KeyError."""
    given = tuple(prices)
    complete = {price.meter: price for price in given}
    complete |= {price.meter: price for price in _shared_parts(complete)}
    thresholds = sorted({above for price in given for above, _ in price.tiers}, reverse=True)
    return PriceValue(
        price_version_id=price_version_id,
        provider=provider,
        model=model,
        service_tier=service_tier,
        currency=currency,
        prices=given,
        plan=_plan(complete, None),
        steps=tuple((above, _plan(complete, above)) for above in thresholds),
    )


def _shared_parts(priced: Mapping[str, MeterPrice]) -> Iterable[MeterPrice]:
    # A part of two priced meters (audio read from the cache) would be taken off the whole twice
    # unless it has a price of its own: it gets the price of the kind of token it is.
    for meter in METERS.values():
        if meter.parent is None or meter.parent not in priced or meter.name in priced:
            continue
        other_wholes = meter.wholes - METERS[meter.parent].wholes - {meter.parent}
        if not other_wholes.isdisjoint(priced):
            yield priced[meter.parent]._replace(meter=meter.name)


def _plan(priced: Mapping[str, MeterPrice], threshold: int | None) -> _Plan:
    most_specific_first = sorted(priced, key=lambda name: (-len(METERS[name].wholes), name))
    return tuple(_line(priced[name], priced, threshold) for name in most_specific_first)


def _line(price: MeterPrice, priced: Mapping[str, MeterPrice], threshold: int | None) -> _Line:
    meter = METERS[price.meter]
    unit_price = price.unit_price
    for above, tier_price in price.tiers:
        if threshold is not None and above <= threshold:
            unit_price = tier_price
    group = {"input": _INPUT, "output": _OUTPUT, "other": _OTHER}[meter.side]
    return _Line(
        meter=price.meter,
        group=_CACHE if meter.is_cache else group,
        doubled=2 * int(quantize(unit_price).scaleb(DECIMALS, _EXACT)),
        per=price.per,
        wholes=tuple(sorted(meter.wholes.intersection(priced))),
        unit_price=unit_price,
    )


def _stepped_plan(counts: Mapping[str, Quantity], price: PriceValue) -> _Plan:
    total_input = counts.get("input_tokens", 0)
    for above, plan in price.steps:
        if total_input > above:
            return plan
    return price.plan


def _priced_lines(
    counts: Mapping[str, Quantity], price: PriceValue
) -> list[tuple[_Line, Quantity, int]]:
    """Each priced meter with what is left of it after its priced parts, and its amount."""
    plan = _stepped_plan(counts, price) if price.steps else price.plan
    count = counts.get
    taken: dict[str, Quantity] = {}
    lines: list[tuple[_Line, Quantity, int]] = []
    for line in plan:
        meter, _, doubled, per, wholes, _ = line
        quantity = count(meter)
        if not quantity:
            if quantity is not None or meter != "requests" or not any(counts.values()):
                continue
            quantity = 1
        if meter in taken:
            quantity -= taken[meter]
            if quantity <= 0:
                continue
        for whole in wholes:
            taken[whole] = quantity + taken[whole] if whole in taken else quantity
        if isinstance(quantity, int):
            amount = (quantity * doubled + per) // (per + per)
        else:
            amount = _fractional_amount(quantity, doubled, per)
        lines.append((line, quantity, amount))
    return lines


def _fractional_amount(quantity: Decimal, doubled: int, per: int) -> int:
    numerator, denominator = quantity.as_integer_ratio()
    return (numerator * doubled + per * denominator) // (2 * per * denominator)


class Units(NamedTuple):
    """A rating in whole units of 10^-10 of the price's currency, as `Rating` names them."""

    price_version_id: int
    cost: int
    input_cost: int
    output_cost: int
    cache_cost: int

    def in_currency(self) -> Rating:
        """The same amounts as decimals."""
        return Rating(self.price_version_id, *(_shift(amount, _POINT) for amount in self[1:]))


def rate(counts: Mapping[str, Quantity], price: PriceValue) -> Rating:
    """The cost of `counts` (meter → quantity) at `price`, in `price.currency`; see `rate_units`."""
    return rate_units(counts, price).in_currency()


def rate_units(counts: Mapping[str, Quantity], price: PriceValue) -> Units:
    """The cost of `counts` (meter → quantity) at `price`, in 10^-10 of `price.currency`.

    A part without a price of its own costs what its whole costs; a meter priced nowhere costs
    nothing (see `unpriced_meters`). A price per request counts one request when anything was
    counted, unless `counts` has `requests`. Parts that exceed their whole are charged in full and
    leave nothing of it: reject them earlier with `parts_larger_than_whole`.
    """
    sums = [0, 0, 0, 0]
    for line, _, amount in _priced_lines(counts, price):
        sums[line.group] += amount
    plain_input, cache, output, other = sums
    whole_input = plain_input + cache
    return Units(price.price_version_id, whole_input + output + other, whole_input, output, cache)


def charges(counts: Mapping[str, Quantity], price: PriceValue) -> tuple[Charge, ...]:
    """The charges whose amounts add up to `rate(counts, price).cost`, most specific first."""
    return tuple(
        Charge(
            meter=line.meter,
            side=METERS[line.meter].side,
            quantity=quantity,
            unit_price=line.unit_price,
            per=line.per,
            amount=_shift(amount, _POINT),
        )
        for line, quantity, amount in _priced_lines(counts, price)
    )


def unpriced_meters(counts: Mapping[str, Quantity], price: PriceValue) -> tuple[str, ...]:
    """Meters of `counts`, not zero, that neither `price` nor a whole of theirs puts a price on."""
    priced = {line.meter for line in price.plan}
    return tuple(
        name
        for name, quantity in counts.items()
        if quantity
        and name not in priced
        and (name not in METERS or METERS[name].wholes.isdisjoint(priced))
    )
