"""Rating: quantities times prices give charges and cost. Pure: no database, no clock, no float.

Amounts are exact integers of 10^-10 currency units until the very end, which makes rounding
(half up, per charge) independent of any Decimal context and keeps rating quick.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import NamedTuple, TypeAlias

from pricing.compiled import (
    DECIMALS,
    EXACT,
    Line,
    MeterPrice,
    Plan,
    PriceValue,
    compile_price,
    converted,
    quantize,
)
from pricing.meters import METERS, Meter, Quantity, Side, meter_named

__all__ = [
    "DECIMALS",
    "Charge",
    "MeterPrice",
    "PriceValue",
    "Rating",
    "Units",
    "charges",
    "compile_price",
    "converted",
    "fallback_meters",
    "quantize",
    "rate",
    "rate_units",
    "unpriced_meters",
]

_shift = EXACT.scaleb
_POINT = Decimal(-DECIMALS)
_PRICED_APART = frozenset(("audio", "image", "video", "cache_read", "cache_write", "1h"))


class Charge(NamedTuple):
    """One priced quantity of a rated event.

    `amount` is in `PriceValue.currency`, `unit_price` in `PriceValue.price_currency`: they are
    the same unless the price was converted.
    """

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


_Priced: TypeAlias = tuple[Line, Quantity, Decimal, int]


def _stepped_plan(counts: Mapping[str, Quantity], price: PriceValue) -> Plan:
    total_input = counts.get("input_tokens", 0)
    for above, plan in price.steps:
        if total_input > above:
            return plan
    return price.plan


def _amounts(
    counts: Mapping[str, Quantity], price: PriceValue, priced: list[_Priced] | None
) -> list[int]:
    """The sums of amounts by group; adds each amount, with what it is for, to `priced`."""
    plan = _stepped_plan(counts, price) if price.steps else price.plan
    count = counts.get
    taken: dict[str, Quantity] = {}
    sums = [0, 0, 0, 0]
    for line in plan:
        meter, group, doubled, divisor, wholes, steps, _, _ = line
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
        if steps:
            sums[group] += _stepped_amount(line, quantity, priced)
            continue
        if type(quantity) is int:
            amount = (quantity * doubled + divisor) // (divisor + divisor)
        else:
            amount = _fractional_amount(quantity, doubled, divisor)
        sums[group] += amount
        if priced is not None:
            priced.append((line, quantity, line.unit_price, amount))
    return sums


def _stepped_amount(line: Line, quantity: Quantity, priced: list[_Priced] | None) -> int:
    whole = 0
    for above, upto, doubled, unit_price in line.steps:
        if quantity <= above:
            break
        units = (quantity if upto is None else min(quantity, upto)) - above
        amount = _fractional_amount(units, doubled, line.divisor)
        whole += amount
        if priced is not None:
            priced.append((line, units, unit_price, amount))
    return whole


def _fractional_amount(quantity: Quantity, doubled: int, divisor: int) -> int:
    numerator, denominator = quantity.as_integer_ratio()
    return (numerator * doubled + divisor * denominator) // (2 * divisor * denominator)


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
    plain_input, cache, output, other = _amounts(counts, price, None)
    whole_input = plain_input + cache
    return Units(price.price_version_id, whole_input + output + other, whole_input, output, cache)


def charges(counts: Mapping[str, Quantity], price: PriceValue) -> tuple[Charge, ...]:
    """The charges whose amounts add up to `rate(counts, price).cost`, most specific first.

    A graduated meter has one charge for each step it reaches, the lowest first.
    """
    priced: list[_Priced] = []
    _amounts(counts, price, priced)
    return tuple(
        Charge(
            meter=line.meter,
            side=meter_named(line.meter).side,
            quantity=quantity,
            unit_price=unit_price,
            per=line.per,
            amount=_shift(amount, _POINT),
        )
        for line, quantity, unit_price, amount in priced
    )


def unpriced_meters(counts: Mapping[str, Quantity], price: PriceValue) -> tuple[str, ...]:
    """Meters of `counts`, not zero, that neither `price` nor a whole of theirs puts a price on."""
    priced = {line.meter for line in price.plan}
    return tuple(
        name
        for name, quantity in counts.items()
        if quantity and name not in priced and meter_named(name).wholes.isdisjoint(priced)
    )


def fallback_meters(counts: Mapping[str, Quantity], price: PriceValue) -> tuple[str, ...]:
    """Meters of `counts`, not zero, that vendors price apart and `price` prices as their whole.

    Audio priced as text is one, cached tokens priced as fresh ones are another; reasoning
    without a price of its own is none: it costs what output costs everywhere.
    """
    own = {item.meter for item in price.prices}
    return tuple(
        name
        for name, quantity in counts.items()
        if quantity and name not in own and _is_fallback(meter_named(name), own)
    )


def _is_fallback(meter: Meter, priced: set[str]) -> bool:
    wholes = [METERS[name] for name in meter.wholes & priced]
    if not wholes:
        return False
    nearest = max(wholes, key=lambda whole: (len(whole.traits), whole.name == meter.parent))
    added = meter.traits - nearest.traits
    return not meter.traits or not _PRICED_APART.isdisjoint(added)
