"""Both sides of a range of days, matched."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from hashlib import sha256
from typing import NamedTuple

from pricing.compiled import EXACT, quantize
from pricing.exchange_rates import current_rates
from pricing.meters import meter_named
from usage.formats import dated
from usage.models import BillSource
from usage.reconciling.classing import NOTHING, Cell, Side, value
from usage.reconciling.ledger import Recorded, recorded_side, token_parts
from usage.reconciling.matching import Matching, Place
from usage.reconciling.rates import CACHE_PARTS, OurRates
from usage.selectors.bills import BillCell, bill_cells, billed_days
from usage.selectors.currency import ledger_currency

_TELLING = frozenset((BillSource.Kind.ANTHROPIC, BillSource.Kind.OPENAI))
"""Kinds whose bills tell caching, and have lines of their own for what no tokens cost."""
_CENTS = 2
_LAST_PLACE = Decimal("1E-10")
_CHARGES_OF_A_CALL = 5
_ONE_DAY = timedelta(days=1)


class Matched(NamedTuple):
    """A cell and what is told of it besides."""

    cell: Cell
    model: str
    description: str
    recorded_models: list[str]
    unpriced_events: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """What is compared: the days asked for, `compared` of them, and a day before and after.

    `left_out` says in words which of the days asked for are not compared, and why; `is_whole`
    is False as long as days are to come. `digest` hashes both sides of the days asked for.
    """

    first: date
    last: date
    matched: list[Matched]
    compared: int
    left_out: list[str]
    is_whole: bool
    digest: str

    def asked_for(self, day: date) -> bool:
        """Whether it is one of the days asked for, and not just a neighbour of them."""
        return self.first <= day <= self.last


@dataclass(slots=True)
class _Billed:
    """One side of a cell while it is put together; `slack` is what rounding can hide.

    `tokens` include those `unbilled`, which a contract pays for outside of the bill.
    """

    tokens: dict[str, int] = field(default_factory=dict)
    cost: Decimal = Decimal(0)
    extras: Decimal = Decimal(0)
    unbilled: dict[str, int] = field(default_factory=dict)
    slack: Decimal = Decimal(0)
    descriptions: dict[str, None] = field(default_factory=dict)


def compare(source: BillSource, first: date, last: date) -> Comparison:
    """Both sides of the UTC days from `first` to `last`, as far as the bill is there.

    A day that is billed in a currency without a rate to the ledger's is left out whole.
    """
    ledger = ledger_currency()
    exchange = _Exchange(ledger)
    cells = bill_cells(source.pk, first - _ONE_DAY, last + _ONE_DAY)
    told = billed_days(source.pk, first - _ONE_DAY, last + _ONE_DAY)
    unrated = {
        (cell.currency, cell.day) for cell in cells if cell.amounts and not exchange.rate(cell)
    }
    days = told - {day for _, day in unrated}
    matching = Matching(source)
    billed = _billed_side([cell for cell in cells if cell.day in days], matching, exchange)
    recorded = recorded_side(source.organization_id, days, matching)
    tells = source.kind in _TELLING
    if not (tells or any(_tells_caching(cell) for cell in cells)):
        for sums in recorded.values():
            sums.without_caching()
    extras_apart = tells or any(_extras(cell) for cell in cells if cell.model)
    rates = OurRates(source.organization.rate_card_id, ledger)
    matched = _matched(billed, recorded, matching, rates, extras_apart=extras_apart)
    wanted = {first + _ONE_DAY * number for number in range((last - first).days + 1)}
    return Comparison(
        first,
        last,
        matched,
        len(wanted & days),
        [*_unrated(unrated, wanted, ledger), *_untold(wanted - told)],
        is_whole=wanted <= told,
        digest=_digest(entry for entry in matched if entry.cell.day in wanted),
    )


class _Exchange:
    """Rates of the currencies of a bill to the ledger's, as of one moment."""

    def __init__(self, ledger: str) -> None:
        self._ledger = ledger
        self._rates = current_rates()
        self._known: dict[tuple[str, date], Decimal | None] = {}

    def rate(self, cell: BillCell) -> Decimal | None:
        """The rate of the cell's day, None without any."""
        key = (cell.currency, cell.day)
        if key not in self._known:
            self._known[key] = self._rates.on(cell.currency, self._ledger, cell.day)
        return self._known[key]


def _tells_caching(cell: BillCell) -> bool:
    return any(meter in cell.quantities for meter in (*CACHE_PARTS, "cache_write_tokens"))


def _extras(cell: BillCell) -> list[Decimal]:
    """What is billed for no tokens, in the currency of the bill."""
    return [
        amount
        for meter, amount in cell.amounts.items()
        if not cell.model or (meter and meter_named(meter).side == "other")
    ]


def _billed_side(
    cells: Sequence[BillCell], matching: Matching, exchange: _Exchange
) -> dict[tuple[date, Place], _Billed]:
    step = _smallest_step(cells)
    found: dict[tuple[date, Place], _Billed] = {}
    for cell in cells:
        place = matching.billed(cell.model, cell.project_id)
        side = found.setdefault((cell.day, place), _Billed())
        rate = exchange.rate(cell) or Decimal(1)
        side.cost += sum((_times(amount, rate) for amount in cell.amounts.values()), Decimal(0))
        side.extras += sum((_times(amount, rate) for amount in _extras(cell)), Decimal(0))
        side.slack += EXACT.multiply(step * len(cell.amounts), rate) / 2
        side.descriptions |= dict.fromkeys(cell.descriptions)
        _count(side.tokens, cell.quantities)
        _count(side.tokens, cell.unbilled)
        _count(side.unbilled, cell.unbilled)
    return found


def _count(tokens: dict[str, int], meters: Mapping[str, int]) -> None:
    for part, count in token_parts(meters).items():
        tokens[part] = tokens.get(part, 0) + count


def _paid_elsewhere(bill: _Billed, rates: Mapping[str, Decimal]) -> Decimal:
    """What a contract pays for, at our rates: no tokens of the bill cost it."""
    known = (part for part in bill.unbilled if part in rates)
    return sum((value(bill.unbilled[part], rates[part]) for part in known), Decimal(0))


def _times(amount: Decimal, rate: Decimal) -> Decimal:
    return quantize(EXACT.multiply(amount, rate))


def _smallest_step(cells: Iterable[BillCell]) -> Decimal:
    """The last decimal that the bill tells anywhere; at least hundredths are told."""
    places = _CENTS
    for cell in cells:
        for amount in cell.amounts.values():
            exponent = amount.normalize().as_tuple().exponent
            places = max(places, -exponent if isinstance(exponent, int) else 0)
    return Decimal(1).scaleb(-places)


def _matched(
    billed: dict[tuple[date, Place], _Billed],
    recorded: dict[tuple[date, Place], Recorded],
    matching: Matching,
    rates: OurRates,
    *,
    extras_apart: bool,
) -> list[Matched]:
    found = []
    for key in sorted({*billed, *recorded}, key=_order):
        day, place = key
        bill, sums = billed.get(key, _Billed()), recorded.get(key)
        known = rates.of(*matching.told_as(place.model), day, sums) if place.model else {}
        events = sums.events if sums else 0
        cell = Cell(
            day,
            place.model,
            place.project,
            Side(bill.tokens, bill.cost, bill.extras - _paid_elsewhere(bill, known)),
            sums.side(extras_apart=extras_apart) if sums else NOTHING,
            known,
            bill.slack + _LAST_PLACE * _CHARGES_OF_A_CALL * (events + 1) / 2,
        )
        found.append(
            Matched(
                cell,
                matching.name_of(place.model),
                ", ".join(bill.descriptions)[:300],
                sorted(sums.models) if sums else [],
                sums.unpriced_events if sums else 0,
            )
        )
    return found


def _order(key: tuple[date, Place]) -> tuple[date, str, int]:
    day, place = key
    return day, place.model, place.project or 0


def _unrated(
    unrated: Collection[tuple[str, date]], wanted: Collection[date], ledger: str
) -> list[str]:
    texts = []
    for currency in sorted({currency for currency, day in unrated if day in wanted}):
        days = sorted(day for code, day in unrated if code == currency and day in wanted)
        texts.append(
            f"There is no exchange rate from {currency} to {ledger} for {_told_days(days)}."
        )
    return texts


def _untold(days: Collection[date]) -> list[str]:
    return [f"The bill is not there yet for {_told_days(sorted(days))}."] if days else []


def _told_days(days: Sequence[date]) -> str:
    if (days[-1] - days[0]).days == len(days) - 1:
        return dated(days[0], days[-1])
    return f"{len(days)} days of {dated(days[0], days[-1])}"


def _digest(matched: Iterable[Matched]) -> str:
    """A hash of both sides. The rates are not in it: they follow from what was recorded."""
    known = sha256()
    for entry in matched:
        cell = entry.cell
        sides = [
            (
                sorted(side.tokens.items()),
                f"{side.cost.normalize():f}",
                f"{side.extras.normalize():f}",
            )
            for side in (cell.billed, cell.recorded)
        ]
        known.update(repr((cell.day, entry.model, cell.project, sides)).encode())
    return known.hexdigest()
