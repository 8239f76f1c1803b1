"""What a report says, before anybody decides how it looks: facts and tables with typed values.

Values are exact. People see the columns and facts marked `people`, rounded half up; JSON and CSV
have those marked `data`, in full.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from usage.formats import UNPRICED, rounded
from usage.selectors.questions import SUM_NAMES, UsageSums

ESTIMATE = "Costs are estimates of the provider's bill, which may differ by rounding and batching."
MONEY_PLACES = 10


class Kind(StrEnum):
    """What a value is: str, int, Decimal money in the document's currency, percent as Decimal,
    Decimal number, one that keeps the decimals it has, milliseconds, aware datetime, date, for a
    bar its percentage of the longest one, or a figure that is text already. Each may be None."""

    TEXT = "text"
    COUNT = "count"
    MONEY = "money"
    PERCENT = "percent"
    NUMBER = "number"
    EXACT = "exact"
    DURATION = "duration"
    INSTANT = "instant"
    DATE = "date"
    BAR = "bar"
    FIGURE = "figure"


@dataclass(frozen=True, slots=True)
class Fact:
    """One figure with its label; `share` in percent and `note` stand behind it."""

    name: str
    label: str
    kind: Kind
    value: object
    share: Decimal | None = None
    note: str = ""
    people: bool = True
    data: bool = True


@dataclass(frozen=True, slots=True)
class Facts:
    """Figures under a title; in JSON an object called `name`, or the top level without one."""

    facts: Sequence[Fact]
    name: str = ""
    title: str = ""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a sheet; a `spare` one is left out where a terminal is too narrow."""

    name: str
    heading: str
    kind: Kind
    people: bool = True
    data: bool = True
    spare: bool = False


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table. People see its first `most` rows and are told how many there are more.

    A `single` one has one row, in JSON an object instead of a list.
    """

    name: str
    title: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[object]]
    people: bool = True
    data: bool = True
    single: bool = False
    most: int = 50
    empty: str = "nothing in this period"


@dataclass(frozen=True, slots=True)
class Document:
    """A whole report; `line` is its short form, totals only, where facts do not tell them."""

    title: str
    currency: str
    parts: Sequence[Facts | Sheet]
    notes: Sequence[str] = ()
    subtitle: str = ""
    line: str = ""


SUM_COLUMNS = tuple(
    Column(
        name,
        name,
        Kind.MONEY if name == "cost" or name.endswith("_cost") else Kind.COUNT,
        people=False,
    )
    for name in SUM_NAMES
)


def sum_values(sums: UsageSums) -> tuple[object, ...]:
    """The values of SUM_COLUMNS."""
    return tuple(getattr(sums, name) for name in SUM_NAMES)


def exact_text(value: Decimal, places: int = MONEY_PLACES) -> str:
    """A number as data has it: at most that many decimals, never an exponent."""
    return f"{rounded(value, places):f}"


def unpriced_note(sums: UsageSums) -> str:
    """What costs leave out, such as "+ 3 unpriced"; nothing where all is priced."""
    return f"+ {sums.unpriced_events:,} {UNPRICED}" if sums.unpriced_events else ""


def labels(named: Sequence[tuple[str | None, str | None]], missing: str) -> list[str]:
    """Names as people read them: (owner, name) is the name alone unless two owners share it."""
    owners: dict[str | None, set[str | None]] = {}
    for owner, name in named:
        owners.setdefault(name, set()).add(owner)
    return [
        f"{owner}/{name or missing}" if owner and len(owners[name]) > 1 else name or missing
        for owner, name in named
    ]
