"""Keeping the charges of closed months, so that every later export repeats them to the letter.

What becomes known of a closed month afterwards (late events, corrections) is the difference
between its charges as they are now and as they were kept. Differences are charges of class
Correction in the first later month that is still open, and are kept when that one closes.
"""

from collections.abc import Collection, Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import islice

import msgspec
from django.db import connection, transaction
from django.db.models import QuerySet

from usage.focus.charging import Charger
from usage.focus.columns import Charge
from usage.focus.staging import Days
from usage.ingest.partitions import next_month
from usage.models import ClosedMonth, FrozenCharge, Organization
from usage.rerating.copying import copy_rows

CHARGES_AT_ONCE = 5_000

LOCK = 0x7A18
"""The class of the advisory lock under which an organization's charges are kept."""
_COLUMNS = (
    "organization_id", "billing_month", "charge_day", "is_correction", "columns",
    "consumed_quantity", "pricing_quantity", "effective_cost", "request_count",
)  # fmt: skip


def freeze_closed_months(
    organization_ids: Collection[int] | None = None,
    since: date | None = None,
    *,
    wait: bool = True,
) -> int:
    """Keep the charges of closed months that are not kept yet, oldest first.

    One transaction for each month; of all organizations, or of those given, and from the month
    of the day `since` on. Returns how many months this call has kept: what another process keeps
    meanwhile is waited for, or without `wait` left to it.
    """
    waiting = closed_and_not_frozen(organization_ids, since).order_by("month", "organization_id")
    return sum(_freeze(pk, wait=wait) for pk in list(waiting.values_list("pk", flat=True)))


def closed_and_not_frozen(
    organization_ids: Collection[int] | None = None, since: date | None = None
) -> QuerySet[ClosedMonth]:
    """The closed months whose charges nobody has kept yet, as for `freeze_closed_months`."""
    waiting = ClosedMonth.objects.filter(frozen_at=None)
    if organization_ids is not None:
        waiting = waiting.filter(organization_id__in=organization_ids)
    return waiting if since is None else waiting.filter(month__gte=since.replace(day=1))


def frozen_months(organization_id: int) -> dict[date, datetime]:
    """The months (first days) whose charges are kept, and when that was."""
    kept = ClosedMonth.objects.filter(organization_id=organization_id, frozen_at__isnull=False)
    return {
        month: frozen_at
        for month, frozen_at in kept.values_list("month", "frozen_at")
        if frozen_at is not None
    }


def correcting_month(month: date, frozen: Collection[date]) -> date:
    """The billing month of what becomes known of a frozen `month`: the next one not frozen."""
    while month in frozen:
        month = next_month(month)
    return month


def _freeze(closed_month_id: int, *, wait: bool) -> bool:
    with transaction.atomic():
        closed = ClosedMonth.objects.select_related("organization").get(pk=closed_month_id)
        if not _lock(closed.organization_id, wait=wait):
            return False
        closed.refresh_from_db(fields=("frozen_at",))
        if closed.frozen_at is not None:
            return False
        # Taken before anything is read: what is received from now on is news.
        closed.frozen_at = datetime.now(UTC)
        _keep(closed.organization, closed.month)
        closed.save(update_fields=("frozen_at",))
        return True


def _lock(organization_id: int, *, wait: bool) -> bool:
    """Whether this transaction alone may keep the organization's charges."""
    lock = "pg_advisory_xact_lock" if wait else "pg_try_advisory_xact_lock"
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {lock}(%s, %s)", (LOCK, organization_id))
        return wait or bool(cursor.fetchone()[0])


def _keep(organization: Organization, month: date) -> None:
    charger = Charger(organization)
    frozen = frozen_months(organization.pk)
    _write(organization.pk, month, charger.live(_days(organization, month)))
    for earlier in _corrected_in(month, frozen):
        days = _days(organization, earlier)
        if charger.may_differ(days, frozen[earlier]):
            _write(organization.pk, month, charger.differences(days, month), is_correction=True)


def _corrected_in(month: date, frozen: Collection[date]) -> list[date]:
    """The frozen months, oldest first, whose corrections are billed in `month`."""
    earlier = []
    while (month := (month - timedelta(days=1)).replace(day=1)) in frozen:
        earlier.append(month)
    return earlier[::-1]


def _days(organization: Organization, month: date) -> Days:
    return Days(organization.pk, organization.time_zone, month, next_month(month))


def _write(
    organization_id: int, month: date, charges: Iterable[Charge], *, is_correction: bool = False
) -> None:
    rows: Iterator[tuple[object, ...]] = (
        (
            organization_id,
            month,
            charge.day,
            is_correction,
            msgspec.json.encode(charge.texts).decode(),
            charge.consumed_quantity,
            charge.pricing_quantity,
            charge.effective_cost,
            charge.request_count,
        )
        for charge in charges
    )
    while some := list(islice(rows, CHARGES_AT_ONCE)):
        copy_rows(FrozenCharge._meta.db_table, _COLUMNS, some)
