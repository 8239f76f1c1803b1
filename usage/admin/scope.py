"""Admin classes that show only the organizations their user may see."""

from dataclasses import dataclass
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from django.contrib import admin
from django.db.models import ForeignKey, Model, QuerySet
from django.forms import ModelChoiceField
from django.http import HttpRequest
from django_stubs_ext import StrOrPromise

from usage.models import Organization, Project, Subject, Team
from usage.selectors.access import Viewer, administered_by, viewer_of
from usage.selectors.overview import visible

AnyModel = TypeVar("AnyModel", bound=Model)
_OWNED: tuple[type[Model], ...] = (Project, Team, Subject)


@dataclass(frozen=True, slots=True)
class Reach:
    """What a user may see, and the organizations whose identities they may change.

    `administers` None means every organization; with it a user is site staff.
    """

    viewer: Viewer
    administers: frozenset[int] | None

    @property
    def sees_something(self) -> bool:
        """Whether there is any organization to see."""
        return self.viewer.organization_ids is None or bool(self.viewer.organization_ids)

    @property
    def changes_something(self) -> bool:
        """Whether there is any organization to change."""
        return self.administers is None or bool(self.administers)

    def may_change(self, organization_id: int | None) -> bool:
        """Whether what belongs to this organization (None: to the site) may be changed."""
        return self.administers is None or organization_id in self.administers


_reaches: WeakKeyDictionary[HttpRequest, Reach] = WeakKeyDictionary()


def reach_of(request: HttpRequest) -> Reach:
    """The reach of the signed-in user, read once per request."""
    reach = _reaches.get(request)
    if reach is None:
        reach = _reaches[request] = _read_reach(request)
    return reach


def _read_reach(request: HttpRequest) -> Reach:
    user = request.user
    return Reach(viewer_of(user), administered_by(user).organization_ids)


class ScopedAdmin(admin.ModelAdmin[AnyModel]):
    """Rows of visible organizations only; changes only by that organization's administrators.

    `organization_path` leads from a row to its organization's id. Nothing is ever deleted.
    """

    organization_path = "organization_id"
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    list_per_page = 50

    def get_queryset(self, request: HttpRequest) -> QuerySet[AnyModel]:
        """Only rows of organizations the user may see: for lists, pages, actions, look-ups."""
        rows = super().get_queryset(request)
        return visible(rows, reach_of(request).viewer, self.organization_path)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[AnyModel], search_term: str
    ) -> tuple[QuerySet[AnyModel], bool]:
        """The rows that match; of them fields suggest only those that their form accepts."""
        match = request.resolver_match
        if match is not None and match.url_name == "autocomplete":
            queryset = changeable(queryset, request, self.organization_path)
        return super().get_search_results(request, queryset, search_term)

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Whether the user sees any organization at all."""
        return reach_of(request).sees_something

    def has_view_permission(self, request: HttpRequest, obj: AnyModel | None = None) -> bool:
        """Whether the row's organization is visible."""
        reach = reach_of(request)
        if obj is None:
            return reach.sees_something
        owner = self.organization_of(obj)
        ids = reach.viewer.organization_ids
        return ids is None or owner in ids

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Whether the user administers any organization."""
        return reach_of(request).changes_something

    def has_change_permission(self, request: HttpRequest, obj: AnyModel | None = None) -> bool:
        """Whether the user administers the row's organization."""
        reach = reach_of(request)
        return (
            reach.changes_something if obj is None else reach.may_change(self.organization_of(obj))
        )

    def has_delete_permission(self, request: HttpRequest, obj: AnyModel | None = None) -> bool:
        """Refuse: identities are archived, usage is kept."""
        return False

    def organization_of(self, obj: AnyModel) -> int | None:
        """The id of the organization a row belongs to."""
        owner: int | None = getattr(obj, self.organization_path)
        return owner

    def formfield_for_foreignkey(
        self, db_field: ForeignKey[Any, Any], request: HttpRequest, **kwargs: Any
    ) -> ModelChoiceField[Any] | None:
        """Offer, and accept, only organizations the user administers and what they own."""
        related = db_field.related_model
        if related is Organization:
            kwargs["queryset"] = changeable(Organization.objects.all(), request, "pk")
        elif related in _OWNED:
            kwargs["queryset"] = changeable(related._default_manager.all(), request)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)


class ReadOnlyAdmin(ScopedAdmin[AnyModel]):
    """Rows that only the product itself writes."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Refuse."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: AnyModel | None = None) -> bool:
        """Refuse."""
        return False


def changeable(
    rows: QuerySet[AnyModel], request: HttpRequest, path: str = "organization_id"
) -> QuerySet[AnyModel]:
    """`rows` of the organizations the user administers."""
    return visible(rows, Viewer(reach_of(request).administers), path)


class OrganizationFilter(admin.RelatedFieldListFilter):
    """Choices of organizations, only those the user may see."""

    def field_choices(
        self, field: Any, request: HttpRequest, model_admin: admin.ModelAdmin[Any]
    ) -> list[tuple[str, StrOrPromise]]:
        """The visible organizations by slug."""
        rows = visible(Organization.objects.order_by("slug"), reach_of(request).viewer, "pk")
        return [(str(row.pk), str(row)) for row in rows[:500]]
