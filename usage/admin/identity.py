"""Organizations, projects, teams, people and members."""

from collections.abc import Sequence
from typing import Any, TypeVar
from zoneinfo import available_timezones

from django.contrib import admin, messages
from django.contrib.admin.options import InlineModelAdmin
from django.db.models import Field, ForeignKey, QuerySet
from django.forms import Field as FormField
from django.forms import ModelChoiceField, ModelForm, Select
from django.http import HttpRequest

from pricing.models import RateCard
from pricing.publishing import Provenance
from pricing.selectors import MANUAL
from usage.admin.assignments import AssignmentInline
from usage.admin.scope import OrganizationFilter, ScopedAdmin, changeable, reach_of
from usage.archiving import archive, restore
from usage.contracts import change_contract
from usage.models import CostCentre, Membership, Organization, Project, Subject, Team
from usage.organizations import change_time_zone, change_week_start, check_time_zone_may_change

Archivable = TypeVar("Archivable", Organization, Project)
Owned = TypeVar("Owned", Project, Team, Subject, CostCentre)


class ArchivedFilter(admin.SimpleListFilter):
    """In use (the default), archived, or both."""

    title = "state"
    parameter_name = "archived"

    def lookups(
        self, request: HttpRequest, model_admin: admin.ModelAdmin[Any]
    ) -> list[tuple[str, str]]:
        """Archived or both, besides the default."""
        return [("yes", "archived"), ("all", "all")]

    def choices(self, changelist: Any) -> Any:
        """The choices, the default one called what it is."""
        first, *rest = super().choices(changelist)
        return [{**first, "display": "in use"}, *rest]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The chosen rows."""
        if self.value() == "all":
            return queryset
        return queryset.filter(archived_at__isnull=self.value() != "yes")


class ArchivableAdmin(ScopedAdmin[Archivable]):
    """Rows that can be archived and restored."""

    actions = ["archive_selected", "restore_selected"]

    @admin.action(description="Archive selected %(verbose_name_plural)s", permissions=["change"])
    def archive_selected(self, request: HttpRequest, queryset: QuerySet[Archivable]) -> None:
        """Archive those of the chosen rows that the user may change."""
        count = archive(changeable(queryset, request, self.organization_path))
        messages.success(request, f"{count} archived.")

    @admin.action(description="Restore selected %(verbose_name_plural)s", permissions=["change"])
    def restore_selected(self, request: HttpRequest, queryset: QuerySet[Archivable]) -> None:
        """Restore those of the chosen rows that the user may change."""
        count = restore(changeable(queryset, request, self.organization_path))
        messages.success(request, f"{count} restored.")


class OrganizationForm(ModelForm[Organization]):
    """Also asks whether days may still begin elsewhere."""

    def clean_time_zone(self) -> str:
        """Refuse another zone once months are closed."""
        zone: str = self.cleaned_data["time_zone"]
        if self.instance.pk and "time_zone" in self.changed_data:
            check_time_zone_may_change(self.instance)
        return zone


@admin.register(Organization)
class OrganizationAdmin(ArchivableAdmin[Organization]):
    """Tenants; only site staff changes them."""

    form = OrganizationForm
    organization_path = "pk"
    list_display = ["slug", "name", "time_zone", "policy", "created_at", "archived_at"]
    list_filter = [ArchivedFilter]
    search_fields = ["slug", "name"]
    fields = [
        "slug", "name", "time_zone", "week_start", "subject_policy", "rate_card",
        "rating_needs_approval", "created_at",
    ]  # fmt: skip

    @admin.display(description="subjects", ordering="subject_policy")
    def policy(self, organization: Organization) -> str:
        """The subject policy without its explanation."""
        return organization.get_subject_policy_display().partition(":")[0]

    def formfield_for_dbfield(
        self, db_field: Field[Any, Any], request: HttpRequest, **kwargs: Any
    ) -> FormField | None:
        """Offer the zones to choose from; the model says which are accepted."""
        if db_field.name == "time_zone":
            zones = sorted(available_timezones() - {"localtime"})
            kwargs["widget"] = Select(choices=[(zone, zone) for zone in zones])
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def formfield_for_foreignkey(
        self, db_field: ForeignKey[Any, Any], request: HttpRequest, **kwargs: Any
    ) -> ModelChoiceField[Any] | None:
        """Offer contracted cards only: the others hold for everybody anyway."""
        if db_field.name == "rate_card":
            kwargs["queryset"] = RateCard.objects.filter(kind=RateCard.Kind.CONTRACTED)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Whether the user is site staff."""
        return reach_of(request).administers is None

    def has_change_permission(self, request: HttpRequest, obj: Organization | None = None) -> bool:
        """Whether the user is site staff."""
        return reach_of(request).administers is None

    def get_readonly_fields(
        self, request: HttpRequest, obj: Organization | None = None
    ) -> list[str]:
        """The slug is fixed once clients send it."""
        return ["created_at"] if obj is None else ["slug", "created_at"]

    def save_model(
        self, request: HttpRequest, obj: Organization, form: ModelForm[Organization], change: bool
    ) -> None:
        """Save; another time zone, first weekday or contract go through their stages."""
        zone, week_start, card = obj.time_zone, obj.week_start, obj.rate_card
        changed = form.changed_data if change else ()
        for name in {"time_zone", "week_start"}.intersection(changed):
            setattr(obj, name, form.initial[name])
        obj.rate_card_id = form.initial.get("rate_card") if change else None
        super().save_model(request, obj, form, change)
        if "time_zone" in changed:
            change_time_zone(obj, zone)
        if "week_start" in changed:
            change_week_start(obj, week_start)
        change_contract(
            obj, card, Provenance(MANUAL, created_by_id=request.user.pk, reason="organization page")
        )


class OwnedAdmin(ScopedAdmin[Owned]):
    """Identities of one organization, whose name for clients is fixed once they send it."""

    client_name = "slug"
    list_select_related = ["organization"]
    autocomplete_fields = ["organization"]
    page_inlines: Sequence[type[InlineModelAdmin[Any, Any]]] = ()

    def get_inlines(
        self, request: HttpRequest, obj: Owned | None
    ) -> list[type[InlineModelAdmin[Any, Any]]]:
        """Further rows, once there is something that they belong to."""
        return [] if obj is None else list(self.page_inlines)

    def get_readonly_fields(self, request: HttpRequest, obj: Owned | None = None) -> list[str]:
        """Organization and client name can be chosen only at first."""
        return ["created_at"] if obj is None else ["organization", self.client_name, "created_at"]


@admin.register(Project)
class ProjectAdmin(OwnedAdmin[Project], ArchivableAdmin[Project]):
    """Repositories and products."""

    page_inlines = [AssignmentInline]
    list_display = ["slug", "name", "organization", "created_at", "archived_at"]
    list_filter = [ArchivedFilter, ("organization", OrganizationFilter)]
    search_fields = ["slug", "name", "organization__slug"]
    fields = ["organization", "slug", "name", "created_at"]


@admin.register(Team)
class TeamAdmin(OwnedAdmin[Team]):
    """Groups of people or projects."""

    page_inlines = [AssignmentInline]
    list_display = ["slug", "name", "organization", "created_at"]
    list_filter = [("organization", OrganizationFilter)]
    search_fields = ["slug", "name", "organization__slug"]
    fields = ["organization", "slug", "name", "created_at"]


@admin.register(Subject)
class SubjectAdmin(OwnedAdmin[Subject]):
    """People and services that trigger calls."""

    client_name = "key"
    list_display = ["key", "display_name", "email", "organization", "created_at"]
    list_filter = [("organization", OrganizationFilter)]
    search_fields = ["key", "display_name", "email", "organization__slug"]
    fields = ["organization", "key", "display_name", "email", "created_at"]


@admin.register(Membership)
class MembershipAdmin(ScopedAdmin[Membership]):
    """Which staff sees which organization; only site staff decides."""

    list_display = ["user", "organization", "role"]
    list_filter = [("organization", OrganizationFilter), "role"]
    list_select_related = ["user", "organization"]
    search_fields = ["user__username"]
    autocomplete_fields = ["user", "organization"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Whether the user is site staff."""
        return reach_of(request).administers is None

    def has_change_permission(self, request: HttpRequest, obj: Membership | None = None) -> bool:
        """Whether the user is site staff."""
        return reach_of(request).administers is None

    def has_delete_permission(self, request: HttpRequest, obj: Membership | None = None) -> bool:
        """Whether the user is site staff: a membership is a right, not an identity."""
        return reach_of(request).administers is None
