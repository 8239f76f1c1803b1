"""Template filters for the numbers of pages."""

from datetime import date
from decimal import Decimal

from django import template
from django.conf import settings

from usage import formats
from usage.selectors import sums as sums_of
from usage.selectors.questions import UsageSums

register = template.Library()


@register.filter
def money(value: Decimal | None, places: int = 2) -> str:
    """An amount in the ledger currency."""
    return formats.money(value, settings.TALLYMAN_CURRENCY, places)


@register.filter
def signed_money(value: Decimal, places: int = 2) -> str:
    """A difference in the ledger currency, with its sign."""
    return formats.signed_money(value, settings.TALLYMAN_CURRENCY, places)


@register.filter
def money_in(value: Decimal | None, currency: str) -> str:
    """An amount in `currency`."""
    return formats.money(value, currency)


@register.filter
def known_cost(sums: UsageSums) -> Decimal | None:
    """The cost of these sums, None where nobody knows any of it."""
    return sums_of.known_cost(sums)


@register.filter
def compact(value: int) -> str:
    """A large count in a few figures."""
    return formats.compact(value)


@register.filter
def quantity(value: int | Decimal) -> str:
    """A count with thousands separated."""
    return formats.quantity(value)


@register.filter
def percent(value: Decimal | None, places: int = 0) -> str:
    """A percentage."""
    return formats.percent(value, places)


@register.filter
def duration(value: int | None) -> str:
    """Milliseconds as a length of time."""
    return formats.duration(value)


@register.filter
def day(value: date) -> str:
    """A day without its year."""
    return formats.day(value)


@register.simple_tag
def figure(value: Decimal | int, unit: str, currency: str) -> str:
    """A number of a chart: an amount in `currency` where `unit` is money, else a count.

    No amount is a dash: whether it is nothing or has no price, a chart does not know.
    """
    if unit == "money":
        return formats.money(Decimal(value), currency) if value else formats.UNKNOWN
    return formats.compact(int(value))
