"""What happens to windows when what they count, or how much they allow, becomes another.

Another limit, enforcement or raise changes the present windows in place. Another scope, measure,
period, zone or week replaces them: they are counted anew and open reservations are held again,
while earlier windows stay as they were. All of it under the exclusive lock of `budgets.locks`.
"""

from collections import defaultdict
from datetime import datetime, timedelta

from django.db import connection
from django.db.models import Q, QuerySet
from django.utils import timezone

from budgets.alerts.resolving import settle_budget
from budgets.book import new_edition
from budgets.counting import amount_of, count_members, recount, windows_over
from budgets.limits import allowed_at, ledger_rate
from budgets.locks import exclude
from budgets.matching import COLUMNS, BudgetValue, CallScope
from budgets.models import Budget, BudgetWindow, Hold, Reservation
from budgets.opening import WindowKey, open_windows
from budgets.spans import Span
from usage.models import Organization, RatingRun
from usage.rerating.summing import organizations_of

_ADJUST = """
    UPDATE budgets_budgetwindow w SET
        is_hard = d.is_hard, "limit" = d."limit", limit_until = d.until, rate = d.rate,
        alert_at = 0,
        spent = budgets_spent(d.is_hard, d."limit", w.spent + w.overage, w.reserved),
        overage = w.spent + w.overage
            - budgets_spent(d.is_hard, d."limit", w.spent + w.overage, w.reserved),
        is_overcommitted = d.is_hard AND w.reserved > coalesce(d."limit", w.reserved)
    FROM unnest(%s::bigint[], %s::boolean[], %s::numeric[], %s::timestamptz[], %s::numeric[])
        AS d (id, is_hard, "limit", until, rate)
    WHERE w.id = d.id
"""
_AN_INSTANT = timedelta(microseconds=1)


def redefine(budget: Budget, now: datetime) -> None:
    """Replace the windows of a budget that have not ended at `now`, or that began in the period
    it has now, by those of that period."""
    value = BudgetValue.from_budget(budget)
    span = value.span(now)
    live_windows(budget, now).delete()
    BudgetWindow.objects.filter(budget=budget, start__gte=span.start).delete()
    # Before there are windows again: what they reach is news of another budget.
    settle_budget(budget, now)
    budget.counts_since = value.counts_since = span.start
    budget.save(update_fields=["counts_since"])
    if not budget.enabled:
        return
    held = _open_calls(value, span)
    members = set(count_members(value, span)) if value.per else {0}
    keys = [WindowKey(budget.pk, member, span.start) for member in members | set(held)]
    open_windows(keys, now)
    _hold_again(value, span, held)


def adjust(budget: Budget, now: datetime) -> None:
    """Let the windows of a budget that have not ended at `now` allow what it allows now."""
    raises = list(budget.raises.all())
    windows = list(live_windows(budget, now))
    allowed = [allowed_at(budget, raises, w.member, now, w.start) for w in windows]
    with connection.cursor() as cursor:
        cursor.execute(
            _ADJUST,
            (
                [window.pk for window in windows],
                [budget.is_hard] * len(windows),
                [limit for limit, _ in allowed],
                [until for _, until in allowed],
                [ledger_rate(budget, window.start, now) for window in windows],
            ),
        )
    settle_budget(budget, now)


def redefine_all(organization: Organization) -> None:
    """Replace the windows of an organization whose days or weeks begin elsewhere now."""
    now = timezone.now()
    exclude([organization.pk])
    for budget in Budget.objects.filter(organization=organization, enabled=True).order_by("pk"):
        budget.organization = organization
        redefine(budget, now)
    new_edition()


def count_again(run: RatingRun) -> None:
    """Count the windows anew that hold usage which a re-rating has changed.

    Runs in the re-rating's transaction, after its sums are up to date.
    """
    owners = organizations_of(run)
    # Of the site too: its windows that are just being opened have not seen this re-rating.
    exclude([None, *owners])
    touched = set(windows_over(owners, run.start, run.end))
    if run.applied_at is not None:
        touched |= set(windows_over(owners, run.applied_at, run.applied_at + _AN_INSTANT))
    recount(touched)


def live_windows(budget: Budget, now: datetime) -> QuerySet[BudgetWindow]:
    """The windows of a budget that have not ended at `now` and are not history."""
    return BudgetWindow.objects.filter(
        Q(end=None) | Q(end__gt=now), budget=budget, start__gte=budget.counts_since
    ).order_by("pk")


def _open_calls(budget: BudgetValue, span: Span) -> dict[int, list[Reservation]]:
    """Open reservations made in a span for calls that count against a budget, by member."""
    asked = {
        column: part for column, part in zip(COLUMNS, budget.scope, strict=True) if part is not None
    }
    rows = Reservation.objects.filter(
        **asked, status=Reservation.Status.HELD, held_at__gte=span.start
    )
    if span.end is not None:
        rows = rows.filter(held_at__lt=span.end)
    found: dict[int, list[Reservation]] = defaultdict(list)
    for row in rows.order_by("pk"):
        member = budget.member_of(scope_of(row))
        if member is not None:
            found[member].append(row)
    return found


def scope_of(reservation: Reservation) -> CallScope:
    """The scope of the call that a reservation is for."""
    return CallScope(*(getattr(reservation, column) for column in COLUMNS))


def _hold_again(budget: BudgetValue, span: Span, held: dict[int, list[Reservation]]) -> None:
    windows = dict(
        BudgetWindow.objects.filter(
            budget_id=budget.id, start=span.start, member__in=held
        ).values_list("member", "pk")
    )
    Hold.objects.bulk_create(
        Hold(
            reservation=row,
            window_id=windows[member],
            amount=amount_of(budget.measure, row.amount, row.tokens),
        )
        for member, rows in held.items()
        for row in rows
    )
    recount(windows.values())
