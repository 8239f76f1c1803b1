"""What pages offer to choose from, and whether there is anything to show at all."""

from typing import TypeVar

from django.db.models import Model, QuerySet

from usage.models import DailyRollup, Organization, Project
from usage.selectors.access import Viewer

AnyModel = TypeVar("AnyModel", bound=Model)
MAX_CHOICES = 500


def visible(
    rows: QuerySet[AnyModel], viewer: Viewer, path: str = "organization_id"
) -> QuerySet[AnyModel]:
    """`rows` of the organizations a viewer may see; `path` leads to the organization's id."""
    ids = viewer.organization_ids
    return rows if ids is None else rows.filter(**{f"{path}__in": ids})


def owned_name(row: Model) -> str:
    """The name of a row with its organization before it: many have one of the same name."""
    organization = getattr(row, "organization", None)
    return f"{organization.slug} / {row}" if organization else str(row)


def organization_choices(viewer: Viewer) -> list[str]:
    """The slugs of the organizations a viewer may see, ascending."""
    rows = visible(Organization.objects.all(), viewer, "pk").order_by("slug")
    return list(rows.values_list("slug", flat=True)[:MAX_CHOICES])


def project_choices(viewer: Viewer, organization: str | None) -> list[str]:
    """The distinct slugs of projects a viewer may see, of one organization or of all."""
    rows = visible(Project.objects.all(), viewer)
    if organization:
        rows = rows.filter(organization__slug=organization)
    return list(rows.order_by("slug").values_list("slug", flat=True).distinct()[:MAX_CHOICES])


def zone_choices(viewer: Viewer) -> list[str]:
    """The distinct time zones of the organizations a viewer may see, ascending IANA names."""
    rows = visible(Organization.objects.all(), viewer, "pk").order_by("time_zone")
    return list(rows.values_list("time_zone", flat=True).distinct()[:MAX_CHOICES])


def has_usage(viewer: Viewer) -> bool:
    """Whether any usage at all has been summed for a viewer."""
    return visible(DailyRollup.objects.all(), viewer).exists()
