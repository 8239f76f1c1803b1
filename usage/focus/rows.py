"""The rows of a FOCUS file, organization by organization and month by month."""

from collections.abc import Collection, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.db import connection, transaction

from usage.focus.charging import Charger
from usage.focus.columns import Cell, Charge, row_of
from usage.focus.describing import Names
from usage.focus.freezing import correcting_month, freeze_closed_months, frozen_months
from usage.focus.staging import Days
from usage.ingest.partitions import next_month
from usage.ingest.validate import EARLIEST, LATEST_AHEAD
from usage.models import DailyRollup, Organization
from usage.selectors.access import Viewer
from usage.selectors.chargeback import Assigned
from usage.selectors.overview import visible
from usage.selectors.questions import UsageQuery
from usage.selectors.usage import query_usage

METERS_OF_A_CALL = 3
"""How many charges a kind of call has in a day, about."""


def focus_rows(
    viewer: Viewer, start: date, end: date, *, organizations: Collection[str] | None = None
) -> Iterator[tuple[Cell, ...]]:
    """The charges of the days from `start` (inclusive) to `end` (exclusive), in COLUMNS order.

    Days are those of each organization's time zone; `organizations` are slugs, None meaning all
    that the viewer sees. What is billed in a closed month never changes, and the sum of
    EffectiveCost over any days is that of their events with a price: `unpriced_events` tells how
    many have none. All rows come from one snapshot, unless a caller's transaction holds another.
    """
    tenants = list(_tenants(viewer, organizations))
    # Corrections of a month asked for are billed in a later one: all of them must be kept.
    freeze_closed_months([tenant.pk for tenant in tenants], start)
    own_snapshot = not connection.in_atomic_block
    with transaction.atomic():
        if own_snapshot:
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        names = Names(Assigned(viewer))
        for tenant in tenants:
            for charge in _charges(tenant, start, end, names):
                yield row_of(charge)


def unpriced_events(
    viewer: Viewer, start: date, end: date, *, organizations: Collection[str] | None = None
) -> int:
    """How many events `focus_rows` leaves out because nobody knows their price."""
    zones: dict[str, list[str]] = {}
    for tenant in _tenants(viewer, organizations):
        zones.setdefault(tenant.time_zone, []).append(tenant.slug)
    if start >= end:
        return 0
    return sum(
        query_usage(
            UsageQuery(
                viewer=viewer,
                start=start,
                end=end,
                time_zone=zone,
                filters={"organization": slugs},
            )
        ).unpriced_events
        for zone, slugs in zones.items()
    )


def estimate_rows(
    viewer: Viewer, start: date, end: date, *, organizations: Collection[str] | None = None
) -> int:
    """About how many rows `focus_rows` has; quick, for showing progress."""
    tenants = [tenant.pk for tenant in _tenants(viewer, organizations)]
    sums = DailyRollup.objects.filter(organization__in=tenants, day__gte=start, day__lt=end)
    kinds: Any = sums.values("day", "project", "team", "kind").distinct()
    return METERS_OF_A_CALL * int(kinds.count())


def _tenants(viewer: Viewer, organizations: Collection[str] | None) -> Iterator[Organization]:
    rows = visible(Organization.objects.order_by("slug"), viewer, "pk")
    if organizations is not None:
        rows = rows.filter(slug__in=organizations)
    return rows.iterator()


def _charges(tenant: Organization, start: date, end: date, names: Names) -> Iterator[Charge]:
    charger = Charger(tenant, names)
    frozen = frozen_months(tenant.pk)
    for days in _months(tenant, start, end):
        month = days.first.replace(day=1)
        if month not in frozen:
            yield from charger.live(days)
            continue
        yield from charger.kept(days)
        if charger.may_differ(days, frozen[month]):
            yield from charger.differences(days, correcting_month(month, frozen))


def _months(tenant: Organization, start: date, end: date) -> Iterator[Days]:
    """The days asked for on which there may be events, a month at a time."""
    day = timedelta(days=1)
    first = max(start, EARLIEST.date() - day)
    end = min(end, (datetime.now(UTC) + LATEST_AHEAD).date() + 2 * day)
    while first < end:
        following = min(next_month(first), end)
        yield Days(tenant.pk, tenant.time_zone, first, following)
        first = following
