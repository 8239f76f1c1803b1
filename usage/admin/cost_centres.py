"""Cost centres, and what is charged to them."""

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest

from pricing.admin.read_only import ReadOnlyInline
from usage.admin.identity import OwnedAdmin
from usage.admin.scope import OrganizationFilter
from usage.models import CostCentre, CostCentreAssignment


class ChargedInline(ReadOnlyInline[CostCentreAssignment, CostCentre]):
    """The projects and teams that were assigned, the latest first."""

    model = CostCentreAssignment
    fields = ("project", "team", "month")
    readonly_fields = fields
    verbose_name_plural = "projects and teams charged to it"

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Whoever sees the page sees its rows."""
        return True

    @admin.display(description="from")
    def month(self, assignment: CostCentreAssignment) -> str:
        """The first month."""
        return f"{assignment.from_month:%Y-%m}"


@admin.register(CostCentre)
class CostCentreAdmin(OwnedAdmin[CostCentre]):
    """Accounts of an organization's books; projects and teams are assigned on their own pages."""

    client_name = "code"
    list_display = ["code", "name", "organization", "created_at"]
    list_filter = [("organization", OrganizationFilter)]
    search_fields = ["code", "name"]
    fields = ["organization", "code", "name", "created_at"]
    page_inlines = [ChargedInline]
