"""Planning: a dry run that writes down what each event of a run would change to."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

import msgspec
from django.conf import settings
from django.db import connection

from pricing.meters import Quantity
from pricing.price_book import PriceBook, current_book
from pricing.rating import Units
from usage.ingest.rating import MAX_UNITS, StoredCall, rate_call
from usage.ingest.validate import MAX_COST, counts_by_meter
from usage.models import CallKind, Organization, RatingChange, RatingRun
from usage.rerating.copying import copy_rows
from usage.rerating.ratings import CHANGE_COLUMNS
from usage.rerating.reading import UNRESTRICTED, Restriction, Row, stored_calls
from usage.rerating.refusal import RatingRefused
from usage.rerating.withdrawing import plan_withdrawals

_PLANNED = RatingChange.Outcome.PLANNED.value
_UNPRICED = (None,) * 6
_ZERO = Decimal(0)
_read_meters = msgspec.json.Decoder(dict[str, Decimal], float_hook=Decimal).decode

Words = tuple[str, str, str, str, bool]


@dataclass(slots=True)
class Figures:
    """What a plan has come to so far; costs are those of the events that change."""

    examined: int = 0
    changed: int = 0
    before_cost: Decimal = _ZERO
    after_cost: Decimal = _ZERO
    before_unpriced: int = 0
    after_unpriced: int = 0

    def add(self, before: Decimal | None, after: Decimal | None) -> None:
        """Count one event that changes; None means unpriced."""
        self.changed += 1
        if before is None:
            self.before_unpriced += 1
        else:
            self.before_cost += before
        if after is None:
            self.after_unpriced += 1
        else:
            self.after_cost += after


def plan(run: RatingRun, restriction: Restriction = UNRESTRICTED) -> None:
    """Rate the events of `run` by the present prices and keep every difference.

    Runs in a transaction that has the right to work on the run; a changed price version counts
    as a difference although the cost be the same. Raises RatingRefused when an event would cost
    more than a column of money holds; one that waits for a price is then left waiting.
    """
    book = current_book()
    figures = Figures()
    rater = _Rater(run, book)
    with connection.cursor() as cursor:
        # Else the check of every row's run would wait in memory for the end.
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    with stored_calls(run, restriction) as chunks:
        for rows in chunks:
            figures.examined += len(rows)
            rater.learn(rows)
            changes = list(rater.changes(rows, figures))
            if changes:
                copy_rows("usage_ratingchange", CHANGE_COLUMNS, changes)
    for before, after in plan_withdrawals(run, restriction):
        figures.add(before, after)
    run.price_revision = book.revision
    for name in figures.__slots__:
        setattr(run, name, getattr(figures, name))


class _Rater:
    """Rates stored rows; knows the words of kinds and the rate cards of organizations."""

    def __init__(self, run: RatingRun, book: PriceBook) -> None:
        self._run_id = run.pk
        self._is_waiting = run.cause == RatingRun.Cause.WAITING
        self._book = book
        self._ledger: str = settings.TALLYMAN_CURRENCY
        self._words: dict[int, Words] = {}
        self._cards: Mapping[int, int | None] = dict(
            Organization.objects.values_list("pk", "rate_card_id")
        )

    def learn(self, rows: Iterable[Row]) -> None:
        """Read the kinds of calls that are new."""
        new = {row[3] for row in rows}.difference(self._words)
        if new:
            for kind in CallKind.objects.filter(pk__in=new):
                self._words[kind.pk] = (
                    kind.provider,
                    kind.model,
                    kind.response_model,
                    kind.service_tier,
                    kind.free_tier,
                )

    def changes(self, rows: Iterable[Row], figures: Figures) -> Iterator[Row]:
        """The rows of CHANGE_COLUMNS for those events whose rating differs."""
        for row in rows:
            pk, occurred_at, organization_id, kind_id = row[:4]
            before = row[-6:]
            after = self._rate(row)
            if after != before:
                figures.add(before[2], after[2])
                head = (self._run_id, organization_id, kind_id, occurred_at, pk)
                yield (*head, *before, *after, _PLANNED)

    def _rate(self, row: Row) -> Row:
        provider, model, response_model, tier, free = self._words[row[3]]
        call = StoredCall(provider, model, response_model, row[1], tier, free, row[11], row[12])
        card = self._cards.get(row[2])
        outcome = rate_call(call, card, _counts(row), self._book, self._ledger)
        if outcome.rating is None:
            return _UNPRICED
        if self._is_waiting and outcome.rating.cost > MAX_UNITS:
            # One call that no column can hold the cost of must not keep all others waiting.
            return _UNPRICED
        return _as_stored(outcome.rating, outcome.exchange_rate)


def _as_stored(rating: Units, exchange_rate: Decimal | None) -> Row:
    if rating.cost > MAX_UNITS:
        raise RatingRefused(f"An event would cost over {MAX_COST:f}; look at the prices.")
    version, *costs = rating.in_currency()
    return (version or None, exchange_rate, *costs)


def _counts(row: Row) -> dict[str, Quantity]:
    meters = row[10]
    return counts_by_meter(*row[4:10], meters=_read_meters(meters) if meters else None)
