"""What alerts are called: one line, without a statement."""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from budgets.amounts import amount_text, limit_text, used_percent
from budgets.models import Alert, Budget
from budgets.models.budgets import read_as
from budgets.notices.facts import amount_of, count_of, text_of, time_of
from budgets.notices.fitting import TITLE_LENGTH, one_line
from usage.formats import money, quantity, rounded, share
from usage.selectors.currency import ledger_currency

SITE = "The whole site"


def alert_title(alert: Alert, member: str = "", facts: Mapping[str, Any] | None = None) -> str:
    """One line that says what is so; `alert` comes with its budget and organization.

    `member` is the name of the one that the budget has a limit for, "" where there is none. The
    figures are those of the moment it was seen, or of `facts`.
    """
    said = _said(alert, alert.facts if facts is None else facts)
    subject = one_line(_subject(alert, member), max(TITLE_LENGTH - len(said) - 2, 1))
    return one_line(f"{subject}: {said}", TITLE_LENGTH)


def _subject(alert: Alert, member: str) -> str:
    if alert.budget is None:
        return str(alert.organization.slug) if alert.organization else SITE
    whom = f", {read_as(alert.budget.per)} {member}" if member else ""
    return f"{alert.budget}{whom}"


def _said(alert: Alert, facts: Mapping[str, Any]) -> str:
    if alert.budget is not None:
        return _of_window(alert, alert.budget, facts)
    if alert.kind == Alert.Kind.UNPRICED:
        calls = count_of(facts, "calls")
        how_many = f" ({quantity(calls)} call{'' if calls == 1 else 's'})" if calls else ""
        return f"no price for {named_model(facts)}{how_many}"
    if alert.kind == Alert.Kind.STALE:
        last = time_of(facts, "last_seen")
        since = f" since {_minute(last)}" if last else ""
        return f"no usage from {text_of(facts, 'name') or 'a source'}{since}"
    if alert.kind == Alert.Kind.ANOMALY:
        return _unusual(facts)
    return text_of(facts, "what") or alert.get_kind_display().lower()


def named_model(facts: Mapping[str, Any]) -> str:
    """The provider and model of facts, such as anthropic / claude-x."""
    parts = [text_of(facts, "provider"), text_of(facts, "model")]
    return " / ".join(part for part in parts if part) or "a model"


def _of_window(alert: Alert, budget: Budget, facts: Mapping[str, Any]) -> str:
    used = _used_of_limit(budget, facts)
    if alert.kind == Alert.Kind.BLOCKED:
        return f"calls are blocked, {used}" if used else "calls are blocked"
    expected = amount_of(facts, "expected")
    if alert.kind == Alert.Kind.FORECAST and expected is not None:
        limit = limit_text(amount_of(facts, "limit"), budget.measure)
        return f"{amount_text(expected, budget.measure)} expected, {limit} allowed"
    return used or alert.get_kind_display().lower()


def _used_of_limit(budget: Budget, facts: Mapping[str, Any]) -> str:
    """Such as 92 % of $200 used; with what is held, and without a percentage where there is no
    limit. "" where the facts do not tell what is used."""
    used, limit = amount_of(facts, "used"), amount_of(facts, "limit")
    if used is None:
        return ""
    held = amount_of(facts, "reserved") or Decimal(0)
    how = "used or held" if held else "used"
    if not limit:
        beyond = "" if limit is None else ", nothing is allowed"
        return f"{amount_text(used + held, budget.measure)} {how}{beyond}"
    part = used_percent(share(used + held, limit))
    return f"{part} of {limit_text(limit, budget.measure)} {how}"


def _unusual(facts: Mapping[str, Any]) -> str:
    what, factor = text_of(facts, "what"), amount_of(facts, "factor")
    spent = amount_of(facts, "spent")
    parts = [
        "unusual spend" + (f" of {what}" if what else ""),
        "" if spent is None else money(spent, ledger_currency()),
        "" if factor is None else f"{rounded(factor, 1)} times the usual",
    ]
    return ", ".join(part for part in parts if part)


def _minute(at: datetime) -> str:
    local = at.astimezone(UTC)
    return f"{local.day} {local:%b %H:%M} UTC"
