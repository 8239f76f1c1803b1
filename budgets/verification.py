"""Drift of budgets: do windows say what usage and open reservations come to, and were the levels
told that they have reached?

History is left out: windows of budgets that are off, and those before a budget was made another.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.models import F, QuerySet, Sum

from budgets.counting import count_windows, held_of, recount
from budgets.models import BudgetChange, BudgetWindow, Hold, Reservation
from budgets.selectors.scopes import name_members
from budgets.setting import Actor
from budgets.spans import BEGINNING
from usage.verification import Drift

CHECK = "windows"
# A level that is reached has an alert, open or ended by people or with its period; one that is
# not will be noticed when it is, or is still to be resolved. Of periods that ended so long ago
# that alerts of them have been dropped, nothing is known.
_UNSEEN = """
    SELECT w.id, count(*)
    FROM budgets_budgetwindow w
    JOIN budgets_budget b ON b.id = w.budget_id AND b.enabled AND w.start >= b.counts_since
    CROSS JOIN LATERAL budgets_levels(w.budget_id, w."limit", w.rate) l
    LEFT JOIN budgets_alert a ON a.kind = 'threshold' AND a.budget_id = w.budget_id
        AND a.member = w.member AND a.window_start = w.start
        AND a.percent IS NOT DISTINCT FROM l.percent AND a.amount IS NOT DISTINCT FROM l.amount
    CROSS JOIN LATERAL (SELECT w.spent + w.overage + w.reserved AS taken) AS u
    WHERE (w."end" IS NULL OR w."end" > now() - make_interval(days => %s))
      AND (a.state IS NULL OR a.state = 'resolved' AND a.resolution NOT IN ('hand', 'window'))
      AND (u.taken > 0 AND u.taken >= l.level OR coalesce(w.alert_at > l.level, true))
    GROUP BY w.id
"""


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
    stale, unseen = _stale_holds(), unseen_levels()
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
            ("levels without an alert", Decimal(0), Decimal(unseen.get(window.pk, 0))),
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


def unseen_levels() -> dict[int, int]:
    """How many levels of windows, by window, were reached without an alert or would not be
    noticed; windows that miss none are left out."""
    with connection.cursor() as cursor:
        cursor.execute(_UNSEEN, (settings.TALLYMAN_ALERT_DAYS,))
        return dict(cursor.fetchall())


def repair(window_ids: Collection[int], actor: Actor) -> int:
    """Count these windows anew, let go of what ended reservations hold of them, and open alerts
    that are missing; each budget's record tells it. How many say something else now."""
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
    unseen = unseen_levels()
    return {
        window.pk: {
            "start": window.start.isoformat(),
            "member": window.member,
            "used": f"{window.spent + window.overage:f}",
            "reserved": f"{window.reserved:f}",
            "unpriced_events": window.unpriced_events,
            "levels_without_an_alert": unseen.get(window.pk, 0),
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
