"""Reconciliations as people and clients read them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Literal

from django.db.models import Count, F, QuerySet, Sum
from django.db.models.functions import Abs

from usage.models import Reconciliation, ReconciliationLine
from usage.models.reconciliations import CLASSES
from usage.reconciling.comparing import compare
from usage.selectors.access import Viewer
from usage.selectors.cursors import bad_cursor, fingerprint, pack, unpack
from usage.selectors.overview import visible

AMOUNTS = ("billed", "recorded", "gap", *CLASSES)
"""The amounts of a reconciliation and of each of its lines."""
MONTHS = 6
"""How many other months are offered beside one."""
Grouping = Literal["model", "project", "day"]


@dataclass(frozen=True, slots=True)
class LineGroup:
    """The lines of one model, project or day together, in the ledger currency.

    `name` is the model's, "" for none, the project's slug, None for what is matched to none,
    or the day.
    """

    name: str | date | None
    lines: int
    billed: Decimal
    recorded: Decimal
    gap: Decimal
    missing_here: Decimal
    missing_there: Decimal
    price: Decimal
    cache: Decimal
    timing: Decimal
    rounding: Decimal
    other: Decimal
    recorded_models: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class ReconciliationPage:
    """Reconciliations, the latest months first, and the cursor of the next page."""

    rows: list[Reconciliation]
    next: str | None


def visible_reconciliations(viewer: Viewer) -> QuerySet[Reconciliation]:
    """Those of the organizations that a viewer may see, the latest months first."""
    rows = Reconciliation.objects.select_related("organization", "source", "signed_by")
    return visible(rows, viewer).order_by("-first_day", "-pk")


def list_reconciliations(
    viewer: Viewer,
    *,
    organizations: Sequence[str] = (),
    source: str = "",
    month: date | None = None,
    state: str = "",
    limit: int,
    cursor: str = "",
) -> ReconciliationPage:
    """A page of them; empty filters mean any. Raises QuestionError for a foreign cursor."""
    rows = visible_reconciliations(viewer)
    if organizations:
        rows = rows.filter(organization__slug__in=organizations)
    if source:
        rows = rows.filter(source__name=source)
    if month is not None:
        rows = rows.filter(first_day=month)
    if state:
        rows = rows.filter(state=state)
    question = fingerprint("reconciliations", sorted(organizations), source, month, state)
    if cursor:
        rows = _after(rows, *unpack(cursor, question, 2))
    found = list(rows[: limit + 1])
    last = found[limit - 1] if len(found) > limit else None
    place = [last.first_day.isoformat(), str(last.pk)] if last else []
    return ReconciliationPage(found[:limit], pack(question, place) if last else None)


def _after(rows: QuerySet[Reconciliation], day: str, pk: str) -> QuerySet[Reconciliation]:
    try:
        first, number = date.fromisoformat(day), int(pk)
    except ValueError as error:
        raise bad_cursor() from error
    return rows.filter(first_day__lte=first).exclude(first_day=first, pk__gte=number)


def find_reconciliation(viewer: Viewer, pk: int) -> Reconciliation | None:
    """One that a viewer may see."""
    return visible_reconciliations(viewer).filter(pk=pk).first()


def lines_of(
    reconciliation: Reconciliation,
    *,
    model: str | None = None,
    day: date | None = None,
    project: str | None = None,
) -> QuerySet[ReconciliationLine]:
    """Its lines, the largest gaps first; a project "" is what is matched to none."""
    rows = reconciliation.lines.select_related("project")
    if model is not None:
        rows = rows.filter(model=model)
    if day is not None:
        rows = rows.filter(day=day)
    if project is not None:
        rows = rows.filter(project__slug=project) if project else rows.filter(project=None)
    return rows.order_by(Abs("gap").desc(), "day", "model", "pk")


def groups_of(reconciliation: Reconciliation, by: Grouping) -> list[LineGroup]:
    """Its lines by model, project or day, the largest gaps first."""
    column = {"model": "model", "project": "project__slug", "day": "day"}[by]
    rows = (
        reconciliation.lines.order_by()
        .annotate(group=F(column))
        .values("group")
        .annotate(lines=Count("pk"), **{f"sum_{name}": Sum(name) for name in AMOUNTS})
        .values_list("group", "lines", *(f"sum_{name}" for name in AMOUNTS))
    )
    groups = [LineGroup(*row) for row in rows]
    if by == "model":
        names = _recorded_models(reconciliation)
        groups = [
            replace(group, recorded_models=sorted(names.get(str(group.name), ())))
            for group in groups
        ]
    return sorted(groups, key=lambda group: (-abs(group.gap), str(group.name)))


def _recorded_models(reconciliation: Reconciliation) -> dict[str, set[str]]:
    names: dict[str, set[str]] = {}
    for model, told in reconciliation.lines.values_list("model", "recorded_models"):
        names.setdefault(model, set()).update(told)
    return names


def has_changed(reconciliation: Reconciliation) -> bool:
    """Whether the bill or the ledger says something else by now: late events, other prices."""
    now = compare(reconciliation.source, reconciliation.first_day, reconciliation.last_day)
    return now.digest != reconciliation.digest


def same_days(reconciliation: Reconciliation) -> list[Reconciliation]:
    """The other reconciliations of the same bill and days, the latest first."""
    rows = Reconciliation.objects.select_related("signed_by").filter(
        source=reconciliation.source_id,
        organization=reconciliation.organization_id,
        first_day=reconciliation.first_day,
        last_day=reconciliation.last_day,
    )
    return list(rows.exclude(pk=reconciliation.pk).order_by("-computed_at", "-pk"))


def other_months(reconciliation: Reconciliation) -> list[Reconciliation]:
    """The latest reconciliations of the same bill, itself among them, in the order of days."""
    rows = Reconciliation.objects.filter(
        source=reconciliation.source_id, organization=reconciliation.organization_id
    )
    latest = rows.order_by("-first_day", "-pk")[:MONTHS]
    found = {row.pk: row for row in (reconciliation, *latest)}
    by_days = {(row.first_day, row.last_day): row for row in sorted(found.values(), key=_age)}
    by_days[reconciliation.first_day, reconciliation.last_day] = reconciliation
    return [by_days[days] for days in sorted(by_days)]


def _age(row: Reconciliation) -> int:
    return row.pk
