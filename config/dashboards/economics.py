"""Unit economics: what a request and a token cost, and how well the cache is used."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal

from config.dashboards.cards import moved
from pricing.rating import MeterPrice
from usage.formats import UNKNOWN, compact, duration, money, percent, rounded, share
from usage.selectors.questions import UsageSums

_THOUSAND, _MILLION = 1000, 1_000_000
_Figure = Decimal | None


@dataclass(frozen=True, slots=True)
class Ratio:
    """One figure with that of the period before and how far it has gone from there."""

    label: str
    value: str
    before: str
    change: str


def read_ratios(now: UsageSums, before: UsageSums | None, currency: str) -> list[Ratio]:
    """The figures of `now` beside those of the period before, None for no exchange rate.

    Costs are in `currency` and rest on priced requests alone, tokens on all of them.
    """
    ways: tuple[tuple[str, Callable[[UsageSums], _Figure], Callable[[Decimal], str]], ...] = (
        ("Cost of 1,000 requests", _per_thousand, lambda value: money(value, currency)),
        ("Cost of 1 M tokens, blended", _per_million, lambda value: money(value, currency)),
        ("Input from cache", lambda s: share(s.cache_read_tokens, s.input_tokens), percent),
        ("Output per input token", _output, lambda value: f"{rounded(value, 2):f}"),
        ("Tokens of a request", _tokens, lambda value: compact(int(rounded(value, 0)))),
        ("Mean duration", _duration, lambda value: duration(int(rounded(value, 0)))),
        ("Failed requests", lambda s: share(s.errors, s.events), lambda v: percent(v, 1)),
    )
    return [_ratio(label, of, shown, now, before) for label, of, shown in ways]


def cache_saving(sums: UsageSums, prices: Iterable[MeterPrice]) -> Decimal | None:
    """What reading from the cache saved beyond what writing to it cost, by these prices.

    Below all tiers, in the prices' currency; None where the cache has no price of its own.
    """
    units = {price.meter: price.unit_price / price.per for price in prices}
    plain, read = units.get("input_tokens"), units.get("cache_read_tokens")
    if plain is None or read is None:
        return None
    write = units.get("cache_write_tokens", units.get("cache_write_5m_tokens", plain))
    long_write = units.get("cache_write_1h_tokens", write)
    short = sums.cache_write_tokens - sums.cache_write_1h_tokens
    return (
        sums.cache_read_tokens * (plain - read)
        - short * (write - plain)
        - sums.cache_write_1h_tokens * (long_write - plain)
    )


def _ratio(
    label: str,
    of: Callable[[UsageSums], _Figure],
    shown: Callable[[Decimal], str],
    now: UsageSums,
    before: UsageSums | None,
) -> Ratio:
    value, was = of(now), of(before) if before else None
    return Ratio(
        label,
        UNKNOWN if value is None else shown(value),
        UNKNOWN if was is None else shown(was),
        moved(value, was) if value is not None and was else "",
    )


def _over(part: Decimal | int, whole: int) -> _Figure:
    return Decimal(part) / whole if whole else None


def _per_thousand(sums: UsageSums) -> _Figure:
    return _over(sums.cost * _THOUSAND, sums.events - sums.unpriced_events)


def _per_million(sums: UsageSums) -> _Figure:
    unknown = sums.events == sums.unpriced_events
    return None if unknown else _over(sums.cost * _MILLION, sums.total_tokens)


def _output(sums: UsageSums) -> _Figure:
    return _over(sums.output_tokens, sums.input_tokens)


def _tokens(sums: UsageSums) -> _Figure:
    return _over(sums.total_tokens, sums.events)


def _duration(sums: UsageSums) -> _Figure:
    return _over(sums.duration_ms, sums.events) if sums.duration_ms else None
