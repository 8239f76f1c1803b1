"""What is read of a provider's report, whatever its shape."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from usage.models import BillDay
from usage.models.bills import DESCRIPTION_LENGTH, EXTERNAL_LENGTH, FAULT_LENGTH
from usage.models.events import NAME_LENGTH

_PLACES = Decimal("1e-10")
"""What columns of money hold; a report's finer amounts are rounded, half up, line by line."""
_TOO_MUCH = Decimal(10) ** 13
_MOST_COUNTED = 10**15
NAMED_LENGTH = 200
TIER_LENGTH = 64


class BillFault(Exception):
    """A report that cannot be read; says why in words that may be shown, never with a key."""

    def __init__(self, text: str) -> None:
        super().__init__(text[:FAULT_LENGTH])


@dataclass(frozen=True, slots=True)
class ReadLine:
    """One line, with the meaning that the fields of BillLine have."""

    day: date
    external_id: str = ""
    external_name: str = ""
    model: str = ""
    description: str = ""
    tier: str = ""
    quantities: Mapping[str, int] = field(default_factory=dict)
    meter: str = ""
    amount: Decimal | None = None
    currency: str = ""


@dataclass(slots=True)
class Reading:
    """What one report says of `days`, whether or not there are lines of them."""

    report: BillDay.Report
    days: set[date] = field(default_factory=set)
    lines: list[ReadLine] = field(default_factory=list)

    def within(self, first: date, last: date) -> "Reading":
        """The part on the days from `first` to `last`, both included."""
        return Reading(
            self.report,
            {day for day in self.days if first <= day <= last},
            [line for line in self.lines if first <= line.day <= last],
        )


def amount_of(value: Decimal, parts: int = 1) -> Decimal:
    """An amount told in so many parts of the currency's unit (100: cents), as it is stored.

    BillFault for one that cannot be one.
    """
    # Unlike abs(), this takes numbers that no arithmetic takes.
    if not value.is_finite() or value.copy_abs() >= _TOO_MUCH:
        raise BillFault(f"It holds an amount that cannot be one: {str(value)[:20]}.")
    return (value / parts).quantize(_PLACES, ROUND_HALF_UP)


def currency_of(text: str) -> str:
    """An ISO 4217 code in upper case; BillFault for what cannot be one."""
    code = text.strip().upper()
    if len(code) != 3 or not code.isascii() or not code.isalpha():
        raise BillFault(f"It holds a currency that is none: {text[:20]!r}.")
    return code


def model_of(text: str | None) -> str:
    """A provider's name of a model as it is stored, "" for none."""
    return _stored(text, NAME_LENGTH)


def external_of(text: str | None) -> str:
    """A provider's id of a project as it is stored, "" for none."""
    return _stored(text, EXTERNAL_LENGTH)


def named_as(text: str | None) -> str:
    """What a provider calls a project, as it is stored."""
    return _stored(text, NAMED_LENGTH)


def description_of(text: str | None) -> str:
    """What a provider calls a line, as it is stored."""
    return _stored(text, DESCRIPTION_LENGTH)


def tier_named(text: str | None) -> str:
    """A provider's word for a tier as it is stored, "" for none."""
    return _stored(text, TIER_LENGTH)


def _stored(text: str | None, length: int) -> str:
    # The database refuses the character of code 0.
    return (text or "").replace("\0", "").strip()[:length]


def counted(**counts: int) -> dict[str, int]:
    """The counts that are not zero; BillFault for one that cannot be one."""
    for count in counts.values():
        if not 0 <= count <= _MOST_COUNTED:
            raise BillFault(f"It holds a count that cannot be one: {str(count)[:20]}.")
    return {meter: count for meter, count in counts.items() if count}
