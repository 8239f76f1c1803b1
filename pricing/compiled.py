"""Prices compiled for rating: what of each meter is charged, at which exact whole numbers.

Pure: no database, no clock, no float. Amounts are exact integers of 10^-10 currency units.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import MAX_EMAX, MAX_PREC, MIN_EMIN, ROUND_HALF_UP, Context, Decimal
from typing import NamedTuple, TypeAlias

from pricing.meters import METERS, meter_named

DECIMALS = 10
"""Decimals of every amount and unit price."""

EXACT = Context(prec=min(MAX_PREC, 100), Emax=MAX_EMAX, Emin=MIN_EMIN, rounding=ROUND_HALF_UP)
"""The context of every Decimal operation here, whatever the caller's own is."""

INPUT, CACHE, OUTPUT, OTHER = range(4)
"""The groups that amounts are summed in."""

_ZERO = Decimal(0).scaleb(-DECIMALS, EXACT)


class MeterPrice(NamedTuple):
    """What `per` units of a meter cost; `tiers` are `(above, unit_price)`, ascending.

    When an event's total input tokens exceed `above`, all its units cost that tier's price.
    `graduated`, only those of the meter's own units that exceed `above` do.
    """

    meter: str
    unit_price: Decimal
    per: int
    tiers: tuple[tuple[int, Decimal], ...] = ()
    graduated: bool = False


class Step(NamedTuple):
    """The units of a meter from `above` (exclusive) to `upto` (inclusive, None: all the rest)."""

    above: int
    upto: int | None
    doubled: int
    unit_price: Decimal


class Line(NamedTuple):
    """One priced meter, compiled: units times `doubled` / 2 / `divisor` are its 10^-10 units."""

    meter: str
    group: int
    doubled: int
    divisor: int
    wholes: tuple[str, ...]
    steps: tuple[Step, ...]
    unit_price: Decimal
    per: int


Plan: TypeAlias = tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class PriceValue:
    """All prices of one model at one time, compiled for rating; made by `compile_price`.

    Amounts come out in `currency`. `exchange_rate` is what one unit of `price_currency`, which
    the prices are in, buys of it; None when both are the same.
    """

    price_version_id: int
    provider: str
    model: str
    service_tier: str
    currency: str
    price_currency: str
    prices: tuple[MeterPrice, ...]
    plan: Plan
    steps: tuple[tuple[int, Plan], ...]
    exchange_rate: Decimal | None = None


def quantize(amount: Decimal) -> Decimal:
    """`amount` with 10 decimals, rounded half up."""
    return amount.quantize(_ZERO, context=EXACT)


def compile_price(
    *,
    price_version_id: int,
    provider: str,
    model: str,
    service_tier: str,
    currency: str,
    prices: Iterable[MeterPrice],
) -> PriceValue:
    """The rating form of a version's prices, which are in `currency`.

    A meter outside the registry is counted in the cost only and is part of no other.
    """
    given = tuple(prices)
    complete = {price.meter: price for price in given}
    complete |= {price.meter: price for price in _shared_parts(complete)}
    cliffs = {above for price in given if not price.graduated for above, _ in price.tiers}
    return PriceValue(
        price_version_id=price_version_id,
        provider=provider,
        model=model,
        service_tier=service_tier,
        currency=currency,
        price_currency=currency,
        prices=given,
        plan=_plan(complete, None),
        steps=tuple((above, _plan(complete, above)) for above in sorted(cliffs, reverse=True)),
    )


def converted(price: PriceValue, currency: str, rate: Decimal) -> PriceValue:
    """`price` with amounts in `currency`, of which one unit of the price's own buys `rate`.

    Each charge is converted and rounded once, half up. Raises ValueError for a rate that is not
    positive and for a price that is converted already.
    """
    if rate <= 0 or price.exchange_rate is not None:
        raise ValueError("a price is converted once, at a positive rate")
    numerator, denominator = rate.as_integer_ratio()
    return replace(
        price,
        currency=currency,
        exchange_rate=rate,
        plan=_converted_plan(price.plan, numerator, denominator),
        steps=tuple(
            (above, _converted_plan(plan, numerator, denominator)) for above, plan in price.steps
        ),
    )


def _converted_plan(plan: Plan, numerator: int, denominator: int) -> Plan:
    return tuple(
        line._replace(
            doubled=line.doubled * numerator,
            divisor=line.divisor * denominator,
            steps=tuple(step._replace(doubled=step.doubled * numerator) for step in line.steps),
        )
        for line in plan
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


def _plan(priced: Mapping[str, MeterPrice], threshold: int | None) -> Plan:
    most_specific_first = sorted(priced, key=lambda name: (-len(meter_named(name).wholes), name))
    return tuple(_line(priced[name], priced, threshold) for name in most_specific_first)


def _line(price: MeterPrice, priced: Mapping[str, MeterPrice], threshold: int | None) -> Line:
    meter = meter_named(price.meter)
    unit_price = price.unit_price
    if threshold is not None and not price.graduated:
        reached = [tier_price for above, tier_price in price.tiers if above <= threshold]
        unit_price = reached[-1] if reached else unit_price
    group = {"input": INPUT, "output": OUTPUT, "other": OTHER}[meter.side]
    return Line(
        meter=price.meter,
        group=CACHE if meter.is_cache else group,
        doubled=_doubled(unit_price),
        divisor=price.per,
        wholes=tuple(sorted(meter.wholes.intersection(priced))),
        steps=tuple(_graduated_steps(price)) if price.graduated and price.tiers else (),
        unit_price=unit_price,
        per=price.per,
    )


def _graduated_steps(price: MeterPrice) -> Iterable[Step]:
    starts = ((0, price.unit_price), *price.tiers)
    ends = (*(above for above, _ in price.tiers), None)
    for (above, unit_price), upto in zip(starts, ends, strict=True):
        yield Step(above, upto, _doubled(unit_price), unit_price)


def _doubled(unit_price: Decimal) -> int:
    return 2 * int(quantize(unit_price).scaleb(DECIMALS, EXACT))
