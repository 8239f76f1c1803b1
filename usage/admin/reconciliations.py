"""Reconciliations: the bill against the ledger, why they differ, and signing that off."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.decorators import method_decorator
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.csrf import csrf_protect

from pricing.admin.row_pages import OwnPage
from pricing.admin.users import signed_in
from usage.admin.reconciliation_form import ReconcileForm
from usage.admin.reconciliation_page import STATE_BADGES, figures_of, read_view
from usage.admin.scope import OrganizationFilter, ReadOnlyAdmin, changeable, reach_of
from usage.api.files import file_response
from usage.exports.reconciliations import reconciliation_table
from usage.formats import money, percent, share, signed_money
from usage.models import BillSource, Export, Reconciliation
from usage.reconciling.signing import SigningRefused, sign_off
from usage.reconciling.working import reconcile

_LIST = "admin:usage_reconciliation_changelist"


@admin.register(Reconciliation)
class ReconciliationAdmin(OwnPage[Reconciliation], ReadOnlyAdmin[Reconciliation]):
    """Those of visible organizations; their administrators compute them and sign them off."""

    change_list_template = "usage/reconciliation_list.html"
    page_template = "usage/reconciliation.html"
    list_display = [
        "month", "bill", "organization", "shown_state", "shown_billed", "shown_recorded",
        "shown_gap", "shown_percent",
    ]  # fmt: skip
    list_filter = ["state", ("organization", OrganizationFilter)]
    list_select_related = ["organization", "source"]
    sortable_by = ()

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Whether the user administers any organization."""
        return reach_of(request).changes_something

    def get_urls(self) -> list[URLPattern]:
        """What is done with a reconciliation, and its file, besides the stock pages."""
        view = self.admin_site.admin_view
        return [
            path("<int:pk>/compute/", view(self.compute), name="usage_reconciliation_compute"),
            path("<int:pk>/sign/", view(self.sign), name="usage_reconciliation_sign"),
            path("<int:pk>/csv/", view(self.csv), name="usage_reconciliation_csv"),
            *super().get_urls(),
        ]

    @method_decorator(csrf_protect)
    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Ask which bill and month to compare."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        sources = changeable(BillSource.objects.select_related("organization"), request)
        form = ReconcileForm(request.POST if request.method == "POST" else None, sources)
        if form.is_valid():
            row = form.compute()
            self.log_addition(request, row, "Computed.")
            return HttpResponseRedirect(self.url_of(row))
        context = {
            **self.admin_site.each_context(request),
            "title": "Reconcile a month",
            "form": form,
            "submit": "Compare",
            "back_url": reverse(_LIST),
            "lead": "Compares what the provider billed with what was recorded, by UTC day, model "
            "and project. What is not signed off yet is computed anew.",
        }
        return TemplateResponse(request, "tallyman/form.html", context)

    def page_of(self, request: HttpRequest, row: Reconciliation) -> dict[str, Any]:
        """Both sides, the classes, the lines asked for, and what may be done."""
        return {
            "title": str(row),
            "original": row,
            "may_change": reach_of(request).may_change(row.organization_id),
            **figures_of(row, read_view(row, request.GET)),
        }

    @method_decorator(csrf_protect)
    def compute(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Compare the same days again."""
        row = self._changed(request, pk)
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        again = reconcile(row.source, row.first_day, row.last_day)
        self.log_change(request, again, "Computed again.")
        same = again.pk == row.pk and row.state == Reconciliation.State.SIGNED
        told = "Both sides are still as they were signed off." if same else "Computed again."
        messages.success(request, told)
        return HttpResponseRedirect(self.url_of(again))

    @method_decorator(csrf_protect)
    def sign(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Sign off what was looked at."""
        row = self._changed(request, pk)
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        note, figures = request.POST.get("note", ""), request.POST.get("figures", "")
        try:
            sign_off(row, signed_in(request), note, figures=figures)
        except SigningRefused as refused:
            messages.error(request, str(refused))
        else:
            self.log_change(request, row, "Signed off.")
            messages.success(request, "Signed off.")
        return HttpResponseRedirect(self.url_of(row))

    def csv(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        """All lines as a file."""
        row = get_object_or_404(self.get_queryset(request), pk=pk)
        name = f"reconciliation-{row.first_day}-{row.last_day}.csv"
        return file_response(reconciliation_table(row), Export.Format.CSV, name)

    def url_of(self, row: Reconciliation) -> str:
        """The page of a reconciliation."""
        return reverse("admin:usage_reconciliation_change", args=(row.pk,))

    def _changed(self, request: HttpRequest, pk: int) -> Reconciliation:
        row = get_object_or_404(self.get_queryset(request).select_related("source"), pk=pk)
        if not reach_of(request).may_change(row.organization_id):
            raise PermissionDenied
        return row

    @admin.display(description="days")
    def month(self, row: Reconciliation) -> str:
        """The month, or its days where they are not a whole month."""
        return read_view(row, {}).days

    @admin.display(description="provider bill")
    def bill(self, row: Reconciliation) -> str:
        """Whose bill it is."""
        return str(row.source)

    @admin.display(description="state")
    def shown_state(self, row: Reconciliation) -> SafeString:
        """Its state as a badge."""
        badge = STATE_BADGES[Reconciliation.State(row.state)]
        return format_html('<span class="tm-badge {}">{}</span>', badge, row.get_state_display())

    @admin.display(description="billed")
    def shown_billed(self, row: Reconciliation) -> str:
        """What the provider billed."""
        return money(row.billed, row.currency)

    @admin.display(description="recorded")
    def shown_recorded(self, row: Reconciliation) -> str:
        """What was recorded."""
        return money(row.recorded, row.currency)

    @admin.display(description="gap")
    def shown_gap(self, row: Reconciliation) -> str:
        """Billed less recorded."""
        return signed_money(row.gap, row.currency)

    @admin.display(description="of the bill")
    def shown_percent(self, row: Reconciliation) -> str:
        """The gap in percent of the bill."""
        return percent(share(row.gap, row.billed), 1)
