"""Lines of providers' bills, as they were read."""

from collections.abc import Collection
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django_stubs_ext import StrOrPromise

from pricing.meters import meter_named
from usage.admin.scope import ReadOnlyAdmin, reach_of
from usage.formats import UNKNOWN, money, quantity, short
from usage.models import BillLine, BillSource
from usage.selectors.overview import visible


class SourceFilter(admin.RelatedFieldListFilter):
    """Choices of bills, only those that the user may see."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.title = "bill"

    def field_choices(
        self, field: Any, request: HttpRequest, model_admin: admin.ModelAdmin[Any]
    ) -> list[tuple[str, StrOrPromise]]:
        """The visible bills by name."""
        rows = visible(BillSource.objects.order_by("name"), reach_of(request).viewer)
        return [(str(row.pk), str(row)) for row in rows]


@admin.register(BillLine)
class BillLineAdmin(ReadOnlyAdmin[BillLine]):
    """What reports said, day by day, the latest first."""

    change_list_template = "admin/usage/billline/change_list.html"
    organization_path = "bill_day__source__organization_id"
    list_display = ["day", "bill", "what", "project_in_short", "main_counts", "billed"]
    list_filter = [("bill_day__source", SourceFilter), "bill_day__report"]
    list_select_related = ["bill_day__source__organization", "bill_project"]
    date_hierarchy = "bill_day__day"
    search_fields = ["model", "description", "bill_project__external_id"]
    sortable_by = ()
    ordering = ["-bill_day__day", "-pk"]
    fields = (
        "day", "bill", "report", "project", "model", "description", "tier", "counted", "meter",
        "exact_amount",
    )  # fmt: skip
    readonly_fields = fields

    def organization_of(self, obj: BillLine) -> int | None:
        """The organization of its bill."""
        return obj.bill_day.source.organization_id

    def get_queryset(self, request: HttpRequest) -> QuerySet[BillLine]:
        """With what every row shows."""
        return super().get_queryset(request).select_related(*self.list_select_related)

    @admin.display(description="day (UTC)", ordering="bill_day__day")
    def day(self, line: BillLine) -> str:
        """The day it is billed on."""
        return f"{line.bill_day.day:%Y-%m-%d}"

    @admin.display(description="bill")
    def bill(self, line: BillLine) -> str:
        """Which bill."""
        return str(line.bill_day.source)

    @admin.display(description="report")
    def report(self, line: BillLine) -> str:
        """Which report of the provider."""
        return line.bill_day.get_report_display()

    @admin.display(description="what")
    def what(self, line: BillLine) -> str:
        """The model with its tier, or what else it is for."""
        words = line.model or line.description or UNKNOWN
        return f"{words} ({line.tier})" if line.tier else words

    @admin.display(description="project there")
    def project(self, line: BillLine) -> str:
        """Whose it is by the provider's own account."""
        return str(line.bill_project)

    @admin.display(description="project there")
    def project_in_short(self, line: BillLine) -> str:
        """The same in little room."""
        return short(self.project(line))

    @admin.display(description="counted")
    def main_counts(self, line: BillLine) -> str:
        """What was counted, without the parts of what is counted anyway."""
        return _told(line, {name for name in line.quantities if meter_named(name).parent is None})

    @admin.display(description="counted")
    def counted(self, line: BillLine) -> str:
        """What was counted, or what an amount pays for."""
        return _told(line, line.quantities)

    @admin.display(description="amount")
    def billed(self, line: BillLine) -> str:
        """The amount; a dash in reports of usage alone."""
        return UNKNOWN if line.amount is None else money(line.amount, line.currency, 4)

    @admin.display(description="amount")
    def exact_amount(self, line: BillLine) -> str:
        """The amount with all its decimals."""
        return UNKNOWN if line.amount is None else f"{line.amount:f} {line.currency}"


def _told(line: BillLine, meters: Collection[str]) -> str:
    counts = line.quantities.items()
    shown = [f"{_word(name)} {quantity(count)}" for name, count in counts if name in meters]
    return ", ".join(shown) or (f"for {_word(line.meter)}" if line.meter else UNKNOWN)


def _word(meter: str) -> str:
    return meter.removesuffix("_tokens").replace("_", " ")
