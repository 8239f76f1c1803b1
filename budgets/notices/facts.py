"""Reading the facts of alerts: JSON, of which any may be missing. Pure."""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

Facts = Mapping[str, Any]


def amount_of(facts: Facts, name: str) -> Decimal | None:
    """A number; None where there is none."""
    try:
        number = Decimal(str(facts.get(name)))
    except ArithmeticError:
        return None
    return number if number.is_finite() else None


def count_of(facts: Facts, name: str) -> int:
    """A count; 0 where there is none."""
    return int(amount_of(facts, name) or 0)


def text_of(facts: Facts, name: str) -> str:
    """A text; "" where there is none."""
    value = facts.get(name)
    return "" if value is None else str(value)


def time_of(facts: Facts, name: str) -> datetime | None:
    """A moment, aware; None where there is none."""
    try:
        at = datetime.fromisoformat(text_of(facts, name))
    except ValueError:
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)
