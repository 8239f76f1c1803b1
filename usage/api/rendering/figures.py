"""Numbers of ready-made reads: money as strings with 10 decimals, percentages as numbers."""

from decimal import Decimal
from typing import Any

import msgspec

from usage.formats import rounded, share
from usage.selectors.questions import UsageRow, UsageSums
from usage.selectors.usage import sums_as_json

MONEY_PLACES = 10
SHARE_PLACES = 2


def money_text(value: Decimal) -> str:
    """An amount with 10 decimals, half up."""
    return f"{rounded(value, MONEY_PLACES):f}"


def average_text(value: Decimal | None, places: int) -> str | None:
    """An average as an exact string with `places` decimals; None stays None."""
    return None if value is None else f"{rounded(value, places):f}"


def percentage(value: Decimal | None) -> msgspec.Raw | None:
    """A percentage as a number with two decimals, half up; None where there is no whole."""
    if value is None:
        return None
    return msgspec.Raw(f"{rounded(value, SHARE_PLACES):f}".encode())


def part_as_json(sums: UsageSums, whole: UsageSums) -> dict[str, Any]:
    """Sums with the part their cost is of the whole."""
    return {**sums_as_json(sums), "percent_of_total": percentage(share(sums.cost, whole.cost))}


def group_as_json(row: UsageRow, whole: UsageSums) -> dict[str, Any]:
    """A group by its names, with its sums and part."""
    return {**row.group, **part_as_json(row.sums, whole)}
