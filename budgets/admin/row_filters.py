"""List filters that offer rows: as many as a sidebar takes, and the one chosen."""

from abc import abstractmethod
from typing import Any

from django.contrib import admin
from django.db.models import Exists, Model, OuterRef, QuerySet
from django.http import HttpRequest

from budgets.models import Alert, Budget
from budgets.models.budgets import RELATIONS
from budgets.selectors.channels import seen_channels
from usage.admin.scope import reach_of
from usage.selectors.access import Viewer
from usage.selectors.overview import owned_name, visible

_OFFERED = 30
_LARGEST = 2**63 - 1


class RowFilter(admin.SimpleListFilter):
    """Rows by their ids, as far as the user sees them; `parameter_name` is the column."""

    @abstractmethod
    def seen(self, viewer: Viewer) -> QuerySet[Any]:
        """All that may be chosen."""

    def offered(self, seen: QuerySet[Any]) -> QuerySet[Any]:
        """Those worth a place in the sidebar."""
        return seen

    def name_of(self, row: Model) -> str:
        """What a row is called."""
        return str(row)

    def lookups(
        self, request: HttpRequest, model_admin: admin.ModelAdmin[Any]
    ) -> list[tuple[str, str]]:
        """The latest of them, and the one chosen."""
        seen = self.seen(reach_of(request).viewer)
        rows = list(self.offered(seen).order_by("-pk")[:_OFFERED])
        chosen = _number(self.value())
        if chosen and all(row.pk != chosen for row in rows):
            rows = [*seen.filter(pk=chosen), *rows]
        return [(str(row.pk), self.name_of(row)) for row in rows]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The rows of the chosen one."""
        if self.value() is None:
            return queryset
        return queryset.filter(**{f"{self.parameter_name}_id": _number(self.value())})


class BudgetFilter(RowFilter):
    """Budgets that have alerts."""

    title = "budget"
    parameter_name = "budget"

    def seen(self, viewer: Viewer) -> QuerySet[Budget]:
        """The budgets that the user sees."""
        return visible(Budget.objects.select_related(*RELATIONS), viewer)

    def offered(self, seen: QuerySet[Budget]) -> QuerySet[Budget]:
        """Those that have any."""
        return seen.filter(Exists(Alert.objects.filter(budget=OuterRef("pk"))))


class ChannelFilter(RowFilter):
    """Channels, each with its organization."""

    title = "channel"
    parameter_name = "channel"

    def seen(self, viewer: Viewer) -> QuerySet[Any]:
        """The channels that the user sees."""
        return seen_channels(viewer)

    def name_of(self, row: Model) -> str:
        """Such as acme / ops."""
        return owned_name(row)


def _number(given: object) -> int:
    """A row's id, 0 for what is none."""
    text = str(given or "")
    number = int(text) if text.isascii() and text.isdecimal() else 0
    return number if number <= _LARGEST else 0
