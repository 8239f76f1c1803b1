"""A configuration file: budgets, from where on they warn and who is told, and prices, kept as text.

Applying a file again changes nothing. What it does not name stays as it is.
"""

import tomllib
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Literal

import msgspec
from django.conf import settings
from django.db import transaction

from budgets.channels.defaults import set_target
from budgets.models import Budget, Channel
from budgets.plain import Plain, remove_plain, set_plain
from budgets.setting import Actor, Level
from budgets.targets import Target, find_target
from pricing.publishing import PriceItem, Provenance, set_prices
from pricing.selectors import MANUAL, named_card
from usage.ingest.explain import faults_of

ACTOR = Actor(name="manage.py configure")
_METERS = "input", "output", "cache_read", "cache_write", "cache_write_1h", "reasoning"
_ELSEWHERE = {"database": "the database is named by the environment: DATABASE_URL"}


class ConfigurationError(ValueError):
    """A file that cannot be applied; the text says all that is wrong. Nothing was changed."""


class Limits(msgspec.Struct, forbid_unknown_fields=True):
    """Limits of one target, in the ledger currency."""

    daily: Decimal | None = None
    weekly: Decimal | None = None
    monthly: Decimal | None = None
    yearly: Decimal | None = None
    enforcement: Literal["soft", "hard", ""] = ""

    @property
    def given(self) -> dict[str, Decimal]:
        """The limits that are named, by period."""
        named = {
            Budget.Period.DAY: self.daily,
            Budget.Period.WEEK: self.weekly,
            Budget.Period.MONTH: self.monthly,
            Budget.Period.YEAR: self.yearly,
        }
        return {period.value: limit for period, limit in named.items() if limit is not None}


class OrganizationLimits(Limits, forbid_unknown_fields=True):
    """Limits of the organization, and of its projects by slug."""

    projects: dict[str, Limits] = {}


class Warnings(msgspec.Struct, forbid_unknown_fields=True):
    """From which percentage of their limits the budgets of the file warn, and where alerts of the
    organization are sent besides: one address or URL of each kind, or several addresses."""

    threshold: Decimal | None = None
    email: str | list[str] = ""
    webhook: str = ""
    slack: str = ""

    @property
    def targets(self) -> dict[str, str]:
        """Where alerts go, by kind of channel."""
        named = {
            Channel.Kind.EMAIL: self.email if isinstance(self.email, str) else ",".join(self.email),
            Channel.Kind.WEBHOOK: self.webhook,
            Channel.Kind.SLACK: self.slack,
        }
        return {kind.value: target for kind, target in named.items() if target}


class ModelPrices(msgspec.Struct, forbid_unknown_fields=True):
    """Prices of 1,000,000 tokens; no currency is the ledger's."""

    input: Decimal | None = None
    output: Decimal | None = None
    cache_read: Decimal | None = None
    cache_write: Decimal | None = None
    cache_write_1h: Decimal | None = None
    reasoning: Decimal | None = None
    currency: str = ""


class Configuration(msgspec.Struct, forbid_unknown_fields=True):
    """What a file says. Not `enabled`, the budgets and channels it names are switched off."""

    enabled: bool = True
    organization: str = ""
    budget: OrganizationLimits = msgspec.field(default_factory=OrganizationLimits)
    alert: Warnings = msgspec.field(default_factory=Warnings)
    prices: dict[str, ModelPrices] = {}


def read_configuration(text: str) -> Configuration:
    """The configuration in TOML. Raises ConfigurationError."""
    try:
        said = tomllib.loads(text, parse_float=Decimal)
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(str(error)) from None
    elsewhere = [f"{name}: {reason}" for name, reason in _ELSEWHERE.items() if _has(said, name)]
    if elsewhere:
        raise ConfigurationError("; ".join(elsewhere))
    faults = faults_of(Configuration, said)
    faults_of_names = [name for name in said.get("prices", ()) if "/" not in name]
    told = [f"{fault.field}: {fault.message}" for fault in faults]
    told += [f"prices.{name}: name the provider too, as provider/model" for name in faults_of_names]
    if told:
        raise ConfigurationError("; ".join(told))
    return msgspec.convert(said, Configuration)


def apply_configuration(configuration: Configuration) -> list[str]:
    """Make it so, all or nothing; return what changed, a line each.

    Raises UnknownTargetError, ValidationError and PriceError.
    """
    with transaction.atomic():
        return [
            *_set_budgets(configuration),
            *_set_channels(configuration),
            *_set_prices(configuration),
        ]


def _set_budgets(configuration: Configuration) -> Iterator[str]:
    whole = configuration.budget
    if not (whole.given or whole.projects):
        return
    owner = find_target(configuration.organization)
    yield from _set_limits(configuration, owner, whole)
    for slug, limits in whole.projects.items():
        yield from _set_limits(configuration, find_target(owner.organization.slug, slug), limits)


def _set_channels(configuration: Configuration) -> Iterator[str]:
    targets = configuration.alert.targets
    if not targets:
        return
    owner = find_target(configuration.organization).organization
    for kind, target in targets.items():
        told = set_target(owner, kind, target, ACTOR, enabled=configuration.enabled)
        if told is not None and told.changed:
            yield told.text


def _set_limits(configuration: Configuration, target: Target, limits: Limits) -> Iterator[str]:
    percent = configuration.alert.threshold
    levels = None if percent is None else [Level(percent=percent)]
    for period, limit in limits.given.items():
        plain = Plain(target, period)
        if not configuration.enabled:
            removed = remove_plain(plain, ACTOR)
            if removed:
                yield removed
            continue
        enforcement = limits.enforcement or configuration.budget.enforcement
        told = set_plain(plain, limit, ACTOR, enforcement=enforcement, levels=levels)
        if told.changed:
            yield told.text


def _set_prices(configuration: Configuration) -> Iterator[str]:
    items = [
        PriceItem(
            provider=provider,
            model=model,
            meter=f"{meter}_tokens",
            unit_price=price,
            currency=prices.currency or settings.TALLYMAN_CURRENCY,
        )
        for name, prices in configuration.prices.items()
        for provider, _, model in (name.partition("/"),)
        for meter in _METERS
        if (price := getattr(prices, meter)) is not None
    ]
    if not items:
        return
    change = set_prices(named_card(MANUAL), items, Provenance("command", actor=ACTOR.name))
    if change.count:
        yield f"prices: {change.count:,} set"
    for warning in change.details["warnings"]:
        yield f"warning: {warning}"


def _has(said: dict[str, Any], name: str) -> bool:
    part, _, key = name.partition(".")
    found = said.get(part)
    return part in said if not key else isinstance(found, dict) and key in found
