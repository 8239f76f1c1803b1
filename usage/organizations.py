"""Making organizations and changing what their sums depend on."""

from django.core.exceptions import ValidationError
from django.db import connection, transaction

from usage.models import (
    ClosedMonth,
    DailyFacet,
    DailyRollup,
    MonthlyFacet,
    MonthlyRollup,
    Organization,
)
from usage.models.identity import validate_slug
from usage.rollups.stage import lock
from usage.signals import calendar_changed


def ensure_organization(slug: str) -> Organization:
    """The organization called `slug`, made if missing. Raises ValidationError for a bad slug."""
    validate_slug(slug)
    organization, _ = Organization.objects.get_or_create(slug=slug)
    return organization


def check_time_zone_may_change(organization: Organization) -> None:
    """Raise ValidationError when a month is closed: its sums would begin and end elsewhere."""
    if ClosedMonth.objects.filter(organization=organization).exists():
        raise ValidationError("Months are closed in this time zone; it cannot change any more.")


def change_time_zone(organization: Organization, time_zone: str) -> None:
    """Let days and months of the organization begin at midnight of another IANA zone.

    Its days and months are dropped and every bucket is marked, so that the next roll up
    makes them anew; the 15-minute buckets stay as they are. Raises ValidationError once a month
    is closed.
    """
    with transaction.atomic():
        lock(organization.pk)
        check_time_zone_may_change(organization)
        organization.time_zone = time_zone
        organization.save(update_fields=["time_zone"])
        for sums in (DailyRollup, MonthlyRollup, DailyFacet, MonthlyFacet):
            sums._default_manager.filter(organization=organization).delete()
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO usage_dirtymark (organization_id, bucket)"
                " SELECT DISTINCT organization_id, bucket FROM usage_usagerollup"
                " WHERE organization_id = %s",
                (organization.pk,),
            )
        calendar_changed.send(sender=None, organization=organization)


def change_week_start(organization: Organization, week_start: int) -> None:
    """Let weeks of budgets begin on another ISO weekday."""
    with transaction.atomic():
        organization.week_start = week_start
        organization.save(update_fields=["week_start"])
        calendar_changed.send(sender=None, organization=organization)
