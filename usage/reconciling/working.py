"""Computing reconciliations and keeping them, one per bill and range of days."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

from django.db import transaction
from django.db.models import Max
from django.db.models.functions import TruncMonth
from django.utils import timezone

from usage.ingest.partitions import month_of, next_month
from usage.models import BillDay, BillSource, Reconciliation, ReconciliationLine
from usage.models.reconciliations import CLASSES
from usage.reconciling.classing import Split, classify
from usage.reconciling.comparing import Comparison, Matched, compare
from usage.selectors.currency import ledger_currency

_State = Reconciliation.State
_ONE_DAY = timedelta(days=1)
_LINES_AT_ONCE = 1000
_SUMMED = ("billed", "recorded", "gap", *CLASSES, "unpriced_events")


class Tolerance(NamedTuple):
    """What a gap, and each class of it, may be: the larger of the two.

    `percent` is of what is billed, `amount` in the ledger currency.
    """

    percent: Decimal
    amount: Decimal


USUAL = Tolerance(Decimal(1), Decimal(1))
"""The tolerance of a bill for which nobody has chosen one."""


@transaction.atomic
def reconcile(
    source: BillSource,
    first: date,
    last: date,
    *,
    tolerance: Tolerance | None = None,
    now: datetime | None = None,
) -> Reconciliation:
    """Compare a bill with the ledger over UTC days, both included, and keep the result.

    One that is not signed off is replaced. One that is signed off stays: it is the answer as
    long as both sides are what they were, else another one is kept beside it meanwhile. Without a
    `tolerance` that of the bill's latest reconciliation holds. `now` (aware) is when it is
    computed. Raises ValueError for a range that ends before it begins.
    """
    if last < first:
        raise ValueError("a range of days ends before it begins")
    # Two computing at once would keep two; what only refers to the bill need not wait.
    locked = BillSource.objects.select_for_update(of=("self",), no_key=True)
    source = locked.select_related("organization").get(pk=source.pk)
    comparison = compare(source, first, last)
    kept = Reconciliation.objects.filter(source=source, first_day=first, last_day=last)
    unsigned = kept.exclude(state=_State.SIGNED)
    signed = kept.filter(state=_State.SIGNED).first()
    if signed is not None and signed.digest == comparison.digest:
        unsigned.delete()
        return signed
    row = unsigned.first() or Reconciliation(source=source, first_day=first, last_day=last)
    row.organization = source.organization
    chosen = tolerance or tolerance_of(source)
    row.tolerance_percent, row.tolerance_amount = chosen
    _fill(row, comparison, now or timezone.now())
    return row


def reconcile_month(
    source: BillSource,
    month: date,
    *,
    tolerance: Tolerance | None = None,
    now: datetime | None = None,
) -> Reconciliation:
    """`reconcile` over the UTC month that `month` lies in."""
    first = month.replace(day=1)
    last = next_month(first) - _ONE_DAY
    return reconcile(source, first, last, tolerance=tolerance, now=now)


def reconcile_source(source: BillSource, now: datetime) -> list[Reconciliation]:
    """Compute what may have changed: the present month and the one before, and every other
    month with days of the bill that were read since it was computed."""
    days = BillDay.objects.filter(source=source).order_by()
    months = days.annotate(month=TruncMonth("day")).values_list("month")
    recent = (month_of(now) - _ONE_DAY).replace(day=1)
    done = []
    for month, changed_at in months.annotate(Max("changed_at")).order_by("month"):
        last = next_month(month) - _ONE_DAY
        kept = Reconciliation.objects.filter(source=source, first_day=month, last_day=last)
        computed_at = kept.aggregate(last=Max("computed_at"))["last"]
        if month >= recent or computed_at is None or computed_at < changed_at:
            done.append(reconcile_month(source, month, now=now))
    return done


def tolerance_of(
    source: BillSource, percent: Decimal | None = None, amount: Decimal | None = None
) -> Tolerance:
    """What is chosen; for None what the bill's latest reconciliation has, at first the usual."""
    latest = Reconciliation.objects.filter(source=source).order_by("-computed_at", "-pk").first()
    usual = Tolerance(latest.tolerance_percent, latest.tolerance_amount) if latest else USUAL
    return Tolerance(
        usual.percent if percent is None else percent, usual.amount if amount is None else amount
    )


def _fill(row: Reconciliation, comparison: Comparison, now: datetime) -> None:
    lines = _lines(comparison)
    for name in _SUMMED:
        setattr(row, name, sum((getattr(line, name) for line in lines), _nothing(name)))
    row.currency = ledger_currency()
    row.days_compared = comparison.compared
    row.left_out = comparison.left_out
    row.digest = comparison.digest
    row.computed_at = now
    row.state = _state(row, comparison)
    row.save()
    row.lines.all().delete()
    for line in lines:
        line.reconciliation = row
    ReconciliationLine.objects.bulk_create(lines, batch_size=_LINES_AT_ONCE)


def _nothing(name: str) -> Decimal | int:
    return 0 if name == "unpriced_events" else Decimal(0)


def _lines(comparison: Comparison) -> list[ReconciliationLine]:
    # The days around are classified too: usage of the first day may be billed on the day before.
    splits = classify([matched.cell for matched in comparison.matched])
    return [
        _line(matched, split)
        for matched, split in zip(comparison.matched, splits, strict=True)
        if comparison.asked_for(matched.cell.day)
    ]


def _line(matched: Matched, split: Split) -> ReconciliationLine:
    cell = matched.cell
    return ReconciliationLine(
        day=cell.day,
        model=matched.model,
        project_id=cell.project,
        description=matched.description,
        billed=cell.billed.cost,
        recorded=cell.recorded.cost,
        gap=cell.gap,
        billed_tokens=_told(cell.billed.tokens.items()),
        recorded_tokens=_told(cell.recorded.tokens.items()),
        recorded_models=matched.recorded_models,
        unpriced_events=matched.unpriced_events,
        **split._asdict(),
    )


def _told(tokens: Iterable[tuple[str, int]]) -> dict[str, int]:
    return {part: count for part, count in tokens if count}


def _state(row: Reconciliation, comparison: Comparison) -> Reconciliation.State:
    if not comparison.is_whole:
        return _State.OPEN
    if comparison.left_out:
        return _State.LOOK
    allowed = allowance(row)
    within = all(abs(getattr(row, name)) <= allowed for name in ("gap", *CLASSES))
    return _State.WITHIN if within else _State.LOOK


def allowance(row: Reconciliation) -> Decimal:
    """What the gap, and each class of it, may be, in the ledger currency."""
    return max(row.tolerance_amount, abs(row.billed) * row.tolerance_percent / 100)
