"""The genai-prices snapshot as plain values of this app: providers, rules, models, periods."""

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from itertools import groupby
from typing import TypeAlias

from genai_prices.data_snapshot import DataSnapshot, get_snapshot
from genai_prices.data_units import unit_data
from genai_prices.types import (
    ClauseAnd,
    ClauseContains,
    ClauseEndsWith,
    ClauseEquals,
    ClauseOr,
    ClauseRegex,
    ClauseStartsWith,
    MatchLogic,
    ModelInfo,
    ModelPrice,
    StartDateConstraint,
    TieredPrices,
    TimeOfDateConstraint,
)
from genai_prices.types import Provider as SnapshotProvider

from pricing.catalogue.listing import ListedModel, ListedPeriod, ListedProvider
from pricing.meters import METERS, USAGE_KEY_METERS
from pricing.models.rates import BEGINNING
from pricing.rating import MeterPrice, quantize

TIER_CONTEXTS: dict[str, dict[str, str]] = {
    "standard": {},
    "batch": {"processing": "batch"},
    "flex": {"service_tier": "flex"},
    "priority": {"service_tier": "priority"},
    "fast": {"service_tier": "fast", "speed": "fast"},
}
"""Service tier → the request context under which genai-prices keeps its prices."""

_METERS = {
    unit["price_key"]: USAGE_KEY_METERS.get(usage_key, usage_key)
    for usage_key, unit in unit_data.items()
}


def listed_providers(snapshot: DataSnapshot | None = None) -> list[ListedProvider]:
    """Everything in `snapshot` (default: the one that ships with the package), in its order."""
    return [_provider(provider) for provider in (snapshot or get_snapshot()).providers]


def _provider(provider: SnapshotProvider) -> ListedProvider:
    return ListedProvider(
        slug=provider.id,
        name=provider.name,
        fallbacks=tuple(provider.fallback_model_providers or ()),
        provider_rules=_rules(provider.provider_match),
        model_rules=_rules(provider.model_match),
        models=tuple(
            ListedModel(model.id, _rules(model.match), tuple(_periods(model)))
            for model in provider.models
        ),
    )


def _rules(clause: MatchLogic | None) -> tuple[tuple[str, str], ...]:
    return tuple(dict.fromkeys(_alternatives(clause))) if clause is not None else ()


def _alternatives(clause: MatchLogic) -> Iterator[tuple[str, str]]:
    match clause:
        case ClauseOr(or_=clauses):
            for part in clauses:
                yield from _alternatives(part)
        case ClauseAnd():
            yield "pattern", _pattern(clause)
        case ClauseRegex(regex=regex):
            yield "pattern", regex
        case ClauseEquals(equals=text):
            yield "exact", text.lower()
        case ClauseStartsWith(starts_with=text):
            yield "prefix", text.lower()
        case ClauseEndsWith(ends_with=text):
            yield "suffix", text.lower()
        case ClauseContains(contains=text):
            yield "contains", text.lower()


def _pattern(clause: MatchLogic) -> str:
    """A regular expression that finds something in exactly the lower-case names that match."""
    match clause:
        case ClauseOr(or_=clauses):
            return "(?:" + "|".join(_pattern(part) for part in clauses) + ")"
        case ClauseAnd(and_=clauses):
            return r"\A" + "".join(f"(?=(?s:.*?){_pattern(part)})" for part in clauses)
        case ClauseRegex(regex=regex):
            return f"(?:{regex})"
        case ClauseEquals(equals=text):
            return rf"\A{re.escape(text.lower())}\Z"
        case ClauseStartsWith(starts_with=text):
            return rf"\A{re.escape(text.lower())}"
        case ClauseEndsWith(ends_with=text):
            return rf"{re.escape(text.lower())}\Z"
        case ClauseContains(contains=text):
            return re.escape(text.lower())
    raise ValueError(f"unknown clause: {clause!r}")


_Window: TypeAlias = tuple[time | None, time | None, tuple[MeterPrice, ...]]
_Timeline: TypeAlias = list[tuple[datetime, list[_Window]]]


def _periods(model: ModelInfo) -> Iterator[ListedPeriod]:
    standard = _timeline(model, {})
    yield from _merged("standard", standard)
    contexts = [variant.when for variant in model.price_variants or ()]
    for tier, context in TIER_CONTEXTS.items():
        if any(when.items() <= context.items() for when in contexts):
            special = _timeline(model, context)
            yield from _merged(
                tier,
                [
                    (start, [] if windows == plain else windows)
                    for (start, windows), (_, plain) in zip(special, standard, strict=True)
                ],
            )


def _timeline(model: ModelInfo, context: dict[str, str]) -> _Timeline:
    return [(start, _windows(model, start, context)) for start in _start_dates(model)]


def _merged(tier: str, timeline: _Timeline) -> Iterator[ListedPeriod]:
    runs = [next(run) for _, run in groupby(timeline, key=lambda step: step[1])]
    ends = [*(start for start, _ in runs[1:]), None]
    for (start, windows), end in zip(runs, ends, strict=True):
        for utc_from, utc_until, prices in windows:
            yield ListedPeriod(tier, utc_from, utc_until, start, end, prices)


def _windows(model: ModelInfo, day: datetime, context: dict[str, str]) -> list[_Window]:
    times = _times(model)
    windows: list[_Window] = [
        (since, until, _prices(model, model.get_prices(_at(day, since), context)))
        for since, until in zip(times, [*times[1:], *times[:1]], strict=True)
    ]
    if not windows:
        windows = [(None, None, _prices(model, model.get_prices(day, context)))]
    elif all(prices == windows[0][2] for *_, prices in windows):
        windows = [(None, None, windows[0][2])]
    return [window for window in windows if window[2]]


def _at(day: datetime, since: time) -> datetime:
    return day + timedelta(hours=since.hour, minutes=since.minute, seconds=since.second)


def _constraints(model: ModelInfo) -> Iterator[object]:
    if not isinstance(model.prices, ModelPrice):
        yield from (row.constraint for row in model.prices)
    yield from (variant.constraint for variant in model.price_variants or ())


def _start_dates(model: ModelInfo) -> list[datetime]:
    days = {
        constraint.start_date
        for constraint in _constraints(model)
        if isinstance(constraint, StartDateConstraint)
    }
    return [BEGINNING, *(datetime.combine(day, time(), tzinfo=UTC) for day in sorted(days))]


def _times(model: ModelInfo) -> Sequence[time]:
    found = (
        (constraint.start_time, constraint.end_time)
        for constraint in _constraints(model)
        if isinstance(constraint, TimeOfDateConstraint)
    )
    return sorted({_utc(moment) for pair in found for moment in pair})


def _utc(moment: time) -> time:
    if moment.tzinfo is None:
        return moment
    return datetime.combine(BEGINNING, moment).astimezone(UTC).time()


def _prices(model: ModelInfo, price: ModelPrice) -> tuple[MeterPrice, ...]:
    rates = {key: rate for key, rate in price.__dict__.items() if rate is not None}
    if not rates and model.id.endswith(":free"):
        # No rates at all means "unknown" elsewhere; these models are free by name.
        rates = {"input_mtok": Decimal(0), "output_mtok": Decimal(0)}
    return tuple(sorted(_meter_prices(rates.items())))


def _meter_prices(rates: Iterable[tuple[str, Decimal | TieredPrices]]) -> Iterator[MeterPrice]:
    for key, rate in rates:
        meter = METERS.get(_METERS.get(key, ""))
        if meter is None:
            continue
        if isinstance(rate, TieredPrices):
            tiers = tuple(sorted((tier.start, quantize(tier.price)) for tier in rate.tiers))
            yield MeterPrice(meter.name, quantize(rate.base), meter.per, tiers)
        else:
            yield MeterPrice(meter.name, quantize(rate), meter.per)
