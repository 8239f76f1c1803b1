"""Template filters for budgets."""

from datetime import datetime
from decimal import Decimal

from django import template
from django.utils import timezone

from budgets import amounts
from budgets.links import (
    alert_url,
    budget_change_url,
    budget_url,
    channel_url,
    decision_url,
    events_url,
    notice_url,
    reservation_url,
)
from budgets.notices.findings import chance_text
from budgets.selectors.alert_facts import level_of
from usage.formats import length

register = template.Library()
register.filter("budget_url", budget_url)
register.filter("budget_change_url", budget_change_url)
register.filter("budget_events_url", events_url)
register.filter("alert_url", alert_url)
register.filter("channel_url", channel_url)
register.filter("notice_url", notice_url)
register.filter("alert_level", level_of)
register.filter("chance", chance_text)
register.filter("decision_url", decision_url)
register.filter("reservation_url", reservation_url)


@register.filter
def time_left(at: datetime) -> str:
    """How long it is until an aware time."""
    return length(at - timezone.now())


@register.filter
def time_since(at: datetime) -> str:
    """How long ago an aware time was."""
    return length(timezone.now() - at)


@register.filter
def amount(value: Decimal, measure: str) -> str:
    """An amount of a budget: in the ledger currency, or tokens or requests."""
    return amounts.amount_text(value, measure)


@register.filter
def remaining(value: Decimal | None, measure: str) -> str:
    """What is left in the ledger currency, tokens or requests, or by how much it is exceeded."""
    return amounts.remaining_text(value, measure)


@register.filter
def limit(value: Decimal | None, measure: str) -> str:
    """A limit in the ledger currency, tokens or requests; None is no limit."""
    return amounts.limit_text(value, measure)
