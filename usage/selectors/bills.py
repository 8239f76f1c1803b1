"""What providers billed, as it is compared with what was recorded."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from usage.models import BillDay, BillLine, BillSource

_Place = tuple[date, str, str]

_AMOUNTS = (BillDay.Report.COST, BillDay.Report.ACTIVITY)
_UNBILLED_TIERS = {BillSource.Kind.ANTHROPIC: "priority"}
"""Tiers whose usage a provider reports but bills by contract, outside of its report of costs."""


@dataclass(slots=True)
class BillCell:
    """What a provider says of one UTC day, one project of its own and one of its models.

    `quantities` counts by the meters of events: a whole includes its parts, as in rollups.
    `amounts` is what is billed, by what it is billed for, in `currency`: a meter without its
    parts ("input_tokens" pays for uncached input), or "" for what is not told by meter.
    `unbilled` counts usage, by meter, whose cost is never in the report; it is not in
    `quantities`.
    `model` "" is for what belongs to no model; `descriptions` says what that was. `currency`
    "" and no amounts: only usage is known of it.
    """

    day: date
    external_id: str
    project_id: int | None
    model: str
    currency: str = ""
    quantities: dict[str, int] = field(default_factory=dict)
    amounts: dict[str, Decimal] = field(default_factory=dict)
    unbilled: dict[str, int] = field(default_factory=dict)
    descriptions: list[str] = field(default_factory=list)

    @property
    def total(self) -> Decimal:
        """All that is billed."""
        return sum(self.amounts.values(), Decimal())


def bill_cells(source_id: int, first: date, last: date) -> list[BillCell]:
    """What a source says of the UTC days from `first` to `last`, both included, in their order.

    Lines that agree in day, project, model and currency are one cell, whichever report they
    are of; usage joins the amounts of the same day, project and model. Should those come in
    two currencies, it joins the first.
    """
    rows = BillLine.objects.filter(
        bill_day__source_id=source_id, bill_day__day__gte=first, bill_day__day__lte=last
    )
    # Days and projects are few and lines are many: each is read once.
    lines = rows.prefetch_related("bill_day__source", "bill_project").order_by("pk")
    cells: dict[_Place, dict[str, BillCell]] = defaultdict(dict)
    usage = [line for line in lines if not line.currency]
    for line in (*(line for line in lines if line.currency), *usage):
        _add(_cell(cells, line), line)
    return [cells[place][currency] for place in sorted(cells) for currency in sorted(cells[place])]


def _cell(cells: dict[_Place, dict[str, BillCell]], line: BillLine) -> BillCell:
    project, day = line.bill_project, line.bill_day.day
    by_currency = cells[day, project.external_id, line.model]
    currency = line.currency or min(by_currency, default="")
    if currency not in by_currency:
        by_currency[currency] = BillCell(
            day, project.external_id, project.project_id, line.model, currency
        )
    return by_currency[currency]


def _add(cell: BillCell, line: BillLine) -> None:
    kind = BillSource.Kind(line.bill_day.source.kind)
    is_unbilled = line.tier and line.tier == _UNBILLED_TIERS.get(kind)
    counts = cell.unbilled if is_unbilled else cell.quantities
    for meter, count in line.quantities.items():
        counts[meter] = counts.get(meter, 0) + count
    if line.amount is not None:
        cell.amounts[line.meter] = cell.amounts.get(line.meter, Decimal()) + line.amount
    if not line.model and line.description not in cell.descriptions:
        cell.descriptions.append(line.description)


def billed_days(source_id: int, first: date, last: date) -> set[date]:
    """The UTC days from `first` to `last`, both included, of which amounts have been read.

    A day without any cost is among them once it was read; a day that was never read is not, so
    that nothing recorded on it can be called missing from the bill.
    """
    days = BillDay.objects.filter(
        source_id=source_id, day__gte=first, day__lte=last, report__in=_AMOUNTS
    )
    return set(days.values_list("day", flat=True))
