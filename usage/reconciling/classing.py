"""Why a bill and the ledger differ: every gap divided into classes that sum to it exactly.

Pure: no database, no clock. All amounts are in the ledger currency with at most 10 decimals; a
gap is billed less recorded. Quantities are compared before prices, in this order:

1. other: what no tokens cost (searches, storage, support), and amounts without any tokens told.
2. timing: tokens of one part, model and project that one day has too many and a neighbouring
   day too few, at our rate of the earlier day: over both days it is nothing.
3. missing: a day that only one side has any of is missing on the other as a whole. Where both
   have some, tokens that one side has more of, at our rate of the day.
4. cache: input tokens that are of another kind (uncached, read from or written to a cache),
   their total being equal.
5. rounding or price: the rest. It is rounding where it is less than what the bill's own last
   decimal can hide, else the price.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import NamedTuple

from pricing.compiled import EXACT, quantize

INPUT_PARTS = (
    "uncached_tokens",
    "cache_read_tokens",
    "cache_write_5m_tokens",
    "cache_write_1h_tokens",
)
"""What input tokens are, each only once."""
PARTS = (*INPUT_PARTS, "output_tokens")
"""What is compared; no token is in two of them."""

_ZERO = Decimal(0)
_ONE_DAY = timedelta(days=1)


class Side(NamedTuple):
    """What one side says of a day, model and project.

    `tokens` counts by PARTS. `extras` is the part of `cost` that no tokens cost.
    """

    tokens: Mapping[str, int] = {}
    cost: Decimal = _ZERO
    extras: Decimal = _ZERO

    @property
    def counts(self) -> bool:
        """Whether any tokens are told."""
        return any(self.tokens.values())

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing but what no tokens cost."""
        return not self.counts and self.cost == self.extras


NOTHING = Side()


@dataclass(frozen=True, slots=True)
class Cell:
    """Both sides of one UTC day, model and project, as far as the names of both were matched.

    `rates` is what one token of a part costs by our prices of the day; a part without one is
    not valued, so that what it explains is left to the price. `slack` is the most that rounding
    can explain. Model "" is for what belongs to none.
    """

    day: date
    model: str
    project: int | None
    billed: Side
    recorded: Side
    rates: Mapping[str, Decimal]
    slack: Decimal = _ZERO

    @property
    def gap(self) -> Decimal:
        """Billed less recorded."""
        return self.billed.cost - self.recorded.cost

    @property
    def compares_tokens(self) -> bool:
        """Whether both sides tell tokens, as far as they have anything at all."""
        sides = (self.billed, self.recorded)
        return bool(self.model) and all(side.counts or side.is_empty for side in sides)


class Split(NamedTuple):
    """A gap by class."""

    missing_here: Decimal = _ZERO
    missing_there: Decimal = _ZERO
    price: Decimal = _ZERO
    cache: Decimal = _ZERO
    timing: Decimal = _ZERO
    rounding: Decimal = _ZERO
    other: Decimal = _ZERO


def classify(cells: Sequence[Cell]) -> list[Split]:
    """The split of each cell's gap, in the order of `cells`, of which no two are of one place.

    The sum of a split is its gap, to the last digit. With both sides exchanged every class
    changes its sign and the two that are missing change places.
    """
    surplus = [_surplus(cell) for cell in cells]
    timed = _take_timing(cells, surplus)
    return [
        _split(cell, rest, moved) for cell, rest, moved in zip(cells, surplus, timed, strict=True)
    ]


def _surplus(cell: Cell) -> dict[str, int]:
    """By how many tokens of each part the bill has more; none where they cannot be compared."""
    if not cell.compares_tokens:
        return dict.fromkeys(PARTS, 0)
    billed, recorded = cell.billed.tokens, cell.recorded.tokens
    return {part: billed.get(part, 0) - recorded.get(part, 0) for part in PARTS}


def _take_timing(cells: Sequence[Cell], surplus: Sequence[dict[str, int]]) -> list[Decimal]:
    """What timing explains of each gap; the tokens are taken out of `surplus`."""
    timed = [_ZERO] * len(cells)
    for early, late in _neighbours(cells):
        for part in PARTS:
            first, second = surplus[early][part], surplus[late][part]
            if (first > 0) == (second > 0) or not first or not second:
                continue
            moved = min(abs(first), abs(second)) * (1 if first > 0 else -1)
            surplus[early][part] -= moved
            surplus[late][part] += moved
            rate = cells[early].rates.get(part, cells[late].rates.get(part, _ZERO))
            amount = value(moved, rate)
            timed[early] += amount
            timed[late] -= amount
    return timed


def _neighbours(cells: Sequence[Cell]) -> Iterable[tuple[int, int]]:
    """Pairs of one model and project on days that follow each other, the earliest first."""
    places: dict[tuple[str, int | None], dict[date, int]] = defaultdict(dict)
    for index, cell in enumerate(cells):
        places[cell.model, cell.project][cell.day] = index
    for days in places.values():
        for day in sorted(days):
            if day + _ONE_DAY in days:
                yield days[day], days[day + _ONE_DAY]


def _split(cell: Cell, surplus: Mapping[str, int], timed: Decimal) -> Split:
    billed, recorded = cell.billed, cell.recorded
    if not cell.model:
        return Split(other=cell.gap)
    extras = billed.extras - recorded.extras
    rest = cell.gap - extras - timed
    known = Split(timing=timed, other=extras)
    if recorded.is_empty and _is_missing(billed, surplus):
        return known._replace(missing_here=rest)
    if billed.is_empty and _is_missing(recorded, surplus):
        return known._replace(missing_there=rest)
    if not cell.compares_tokens:
        return Split(other=rest + extras)
    here, there, cache = _explained(surplus, cell.rates)
    rest -= here + there + cache
    known = known._replace(missing_here=here, missing_there=there, cache=cache)
    return known._replace(rounding=rest) if abs(rest) <= cell.slack else known._replace(price=rest)


def _is_missing(side: Side, surplus: Mapping[str, int]) -> bool:
    """Whether what only one side has anything of is missing on the other, not just a day off."""
    return any(surplus.values()) or (not side.counts and side.cost > side.extras)


def _explained(
    surplus: Mapping[str, int], rates: Mapping[str, Decimal]
) -> tuple[Decimal, Decimal, Decimal]:
    """What tokens missing here, missing there and of another kind of input explain."""
    apart = {part: value(surplus[part], rates.get(part, _ZERO)) for part in INPUT_PARTS}
    total = sum(surplus[part] for part in INPUT_PARTS)
    # Of the parts that differ in the direction of the total, the total is missing and the rest
    # of them has moved, each in the same proportion.
    along = [part for part in INPUT_PARTS if surplus[part] * total > 0]
    moved_to = sum(surplus[part] for part in along)
    missing = _share(sum((apart[part] for part in along), _ZERO), total, moved_to)
    output = value(surplus["output_tokens"], rates.get("output_tokens", _ZERO))
    both = (missing, output)
    here = sum((amount for amount in both if amount > 0), _ZERO)
    there = sum((amount for amount in both if amount < 0), _ZERO)
    return here, there, sum(apart.values(), _ZERO) - missing


def _share(amount: Decimal, part: int, whole: int) -> Decimal:
    if not whole or part == whole:
        return amount if part else _ZERO
    return quantize(EXACT.divide(EXACT.multiply(amount, Decimal(part)), Decimal(whole)))


def value(tokens: int, rate: Decimal) -> Decimal:
    """What `tokens` cost at `rate` each, with 10 decimals, rounded half up."""
    return quantize(EXACT.multiply(Decimal(tokens), rate))
