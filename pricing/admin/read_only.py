"""Admin classes of rows that are only shown."""

from typing import TypeVar

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest

AnyModel = TypeVar("AnyModel", bound=Model)
ParentModel = TypeVar("ParentModel", bound=Model)


class ReadOnlyAdmin(admin.ModelAdmin[AnyModel]):
    """A list and a page per row, neither of which can change anything."""

    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    list_per_page = 50

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Refuse: rows come from syncing and from the price API."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: AnyModel | None = None) -> bool:
        """Refuse."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: AnyModel | None = None) -> bool:
        """Refuse."""
        return False


class ReadOnlyInline(admin.TabularInline[AnyModel, ParentModel]):
    """Rows of a page, shown only."""

    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: ParentModel | None = None) -> bool:
        """Refuse."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: ParentModel | None = None) -> bool:
        """Refuse."""
        return False
