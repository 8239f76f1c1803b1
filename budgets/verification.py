"""Drift of budgets: do windows say what usage and open reservations come to?

History is left out: windows of budgets that are off, and those before a budget was made another.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import F, QuerySet, Sum

from budgets.counting import count_windows, held_of, recount
from budgets.models import BudgetChange, BudgetWindow, Hold, Reservation
from budgets.selectors.scopes import name_members
from budgets.setting import Actor
from budgets.spans import BEGINNING
from usage.verification import Drift

CHECK = "windows"


@dataclass(frozen=True, slots=True)
class Windows:
    """What was found: ids of the windows that `drifts` are about, of `count` compared."""

    drifts: list[Drift]
    ids: list[int]
    count: int


def verify_windows() -> Windows:
    """Compare every window that counts with usage and with what is held of it.

    Of one moment if the transaction it runs in is.
    """
    windows = list(counting_windows().select_related("budget__organization"))
    counted = count_windows(windows)
    held = held_of([window.pk for window in windows])
    stale = _stale_holds()
    names = name_members((window.budget.per, window.member) for window in windows)
    drifts: list[Drift] = []
    ids: list[int] = []
    for window in windows:
        used, unpriced = counted[window.pk]
        reserved = held.get(window.pk, Decimal(0))
        found = window.spent + window.overage
        figures = (
            ("used", used, found),
            ("unpriced events", Decimal(unpriced), Decimal(window.unpriced_events)),
            ("reserved", reserved, window.reserved),
            ("held by ended reservations", Decimal(0), stale.get(window.pk, Decimal(0))),
            ("beyond the hard limit", Decimal(0), _excess(window)),
        )
        wrong = [figure for figure in figures if figure[1] != figure[2]]
        if wrong:
            ids.append(window.pk)
            who = names.get((window.budget.per, window.member), "")
            drifts += _drifts(window, who, wrong)
    return Windows(drifts, ids, len(windows))


def counting_windows() -> QuerySet[BudgetWindow]:
    """The windows that usage is counted in."""
    return BudgetWindow.objects.filter(
        budget__enabled=True, start__gte=F("budget__counts_since")
    ).order_by("budget_id", "member", "start")


def repair(window_ids: Collection[int], actor: Actor) -> int:
    """Count these windows anew and let go of what ended reservations hold of them; each budget's
    record tells it. How many say something else now."""
    with transaction.atomic():
        # Before any window is locked, as those who end reservations do.
        ended = Hold.objects.exclude(reservation__status=Reservation.Status.HELD)
        ended.filter(window__in=window_ids).delete()
        before = _said(window_ids)
        recount(window_ids)
        after = _said(window_ids)
        changed = {pk for pk, said in after.items() if said != before[pk]}
        owners = BudgetWindow.objects.filter(pk__in=changed).values_list("pk", "budget_id")
        by_budget: dict[int, list[int]] = {}
        for pk, budget_id in owners.order_by("pk"):
            by_budget.setdefault(budget_id, []).append(pk)
        for budget_id, pks in by_budget.items():
            BudgetChange.objects.create(
                budget_id=budget_id, action=BudgetChange.Action.REPAIR,
                made_by_id=actor.user_id, actor=actor.name,
                before={"windows": [before[pk] for pk in pks]},
                after={"windows": [after[pk] for pk in pks]},
            )  # fmt: skip
    return len(changed)


def _said(window_ids: Collection[int]) -> dict[int, dict[str, Any]]:
    return {
        window.pk: {
            "start": window.start.isoformat(),
            "member": window.member,
            "used": f"{window.spent + window.overage:f}",
            "reserved": f"{window.reserved:f}",
            "unpriced_events": window.unpriced_events,
        }
        for window in BudgetWindow.objects.filter(pk__in=window_ids)
    }


def _stale_holds() -> dict[int, Decimal]:
    rows = Hold.objects.exclude(reservation__status=Reservation.Status.HELD)
    return dict(rows.order_by().values_list("window_id").annotate(held=Sum("amount")))


def _excess(window: BudgetWindow) -> Decimal:
    if not window.is_hard or window.limit is None or window.is_overcommitted:
        return Decimal(0)
    return max(window.spent + window.reserved - window.limit, Decimal(0))


def _drifts(
    window: BudgetWindow, who: str, figures: Iterable[tuple[str, Decimal, Decimal]]
) -> Iterator[Drift]:
    budget = window.budget
    title = f"{budget} ({who})" if who else str(budget)
    day = None if window.start == BEGINNING else window.start.astimezone(UTC).date()
    since = f" from {day}" if day else ""
    for figure, expected, found in figures:
        yield Drift(
            CHECK,
            budget.organization.slug if budget.organization else None,
            day,
            f"{figure} of {title}{since}",
            expected,
            found,
        )
