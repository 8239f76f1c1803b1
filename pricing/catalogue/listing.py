"""What a price source lists, as plain values: providers, rules, models and dated prices."""

from dataclasses import dataclass
from datetime import datetime, time

from pricing.rating import MeterPrice


class SourceFault(Exception):
    """A source cannot be reached or its data cannot be used; the message is one line."""


@dataclass(frozen=True, slots=True)
class ListedPeriod:
    """Prices of a service tier from `effective_from` until before `effective_to`, in USD."""

    service_tier: str
    utc_from: time | None
    utc_until: time | None
    effective_from: datetime
    effective_to: datetime | None
    prices: tuple[MeterPrice, ...]


@dataclass(frozen=True, slots=True)
class ListedModel:
    """A model with its rules as `(kind, text)`."""

    name: str
    rules: tuple[tuple[str, str], ...]
    periods: tuple[ListedPeriod, ...]


@dataclass(frozen=True, slots=True)
class ListedProvider:
    """A provider with rules on provider names and on model names, and its models in order."""

    slug: str
    name: str
    fallbacks: tuple[str, ...]
    provider_rules: tuple[tuple[str, str], ...]
    model_rules: tuple[tuple[str, str], ...]
    models: tuple[ListedModel, ...]
