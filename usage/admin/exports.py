"""Exports: what was asked for, how far it is, and the files."""

from datetime import date, timedelta
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.defaultfilters import filesizeformat
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.csrf import csrf_protect

from pricing.admin.users import signed_in
from usage.admin.export_form import ExportForm
from usage.admin.scope import ReadOnlyAdmin, reach_of
from usage.formats import UNKNOWN, dated, quantity
from usage.models import Export
from usage.models.keys import KEY_MARK
from usage.selectors.exports import UNFINISHED, percent_done, requester_of, visible_exports

_BADGES = {Export.Status.DONE: "k", Export.Status.FAILED: "o", Export.Status.RUNNING: "w"}
_SHOWN_ELSEWHERE = frozenset(("from", "to", "timezone"))
_BAR = (
    '<svg class="tm-share" viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true">'
    '<rect class="track" width="100" height="4"/><rect class="c1" width="{}" height="4"/></svg>'
)


@admin.register(Export)
class ExportAdmin(ReadOnlyAdmin[Export]):
    """A user's own exports; everybody's for who sees every organization."""

    change_list_template = "usage/export_list.html"
    list_display = [
        "what", "period", "state", "download", "progress", "bytes", "who", "expires", "requested",
    ]  # fmt: skip
    list_display_links = None
    list_filter = ["status", "kind"]
    list_select_related = ["requested_by", "api_key"]
    sortable_by = ()

    def get_queryset(self, request: HttpRequest) -> QuerySet[Export]:
        """What the user may see."""
        return visible_exports(requester_of(signed_in(request)))

    def has_view_permission(self, request: HttpRequest, obj: Export | None = None) -> bool:
        """Whether the user may see it."""
        if obj is None:
            return reach_of(request).sees_something
        return self.get_queryset(request).filter(pk=obj.pk).exists()

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Whether there is anything to export."""
        return reach_of(request).sees_something

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The list, which shows by itself what changes as long as anything is unfinished."""
        busy = self.get_queryset(request).filter(status__in=UNFINISHED).exists()
        return super().changelist_view(request, {"is_busy": busy, **(extra_context or {})})

    @method_decorator(csrf_protect)
    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Ask for a file."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        requester = requester_of(signed_in(request))
        posted = request.POST if request.method == "POST" else None
        form = ExportForm(posted, requester, request.GET)
        back = reverse("admin:usage_export_changelist")
        if form.is_valid():
            export: Export = form.cleaned_data["export"]
            self.log_addition(request, export, "Asked for.")
            messages.success(request, "The file is being written; it can be downloaded here.")
            return HttpResponseRedirect(back)
        only = form.filters_shown
        context = {
            **self.admin_site.each_context(request),
            "title": "New export",
            "form": form,
            "submit": "Write the file",
            "back_url": back,
            "lead": f"Only events with {', '.join(only)}." if only else "",
        }
        return TemplateResponse(request, "tallyman/form.html", context)

    @admin.display(description="what")
    def what(self, export: Export) -> SafeString:
        """Kind, format, and what it is narrowed down to."""
        words = [
            f"{name.replace('_', ' ')} {_listed(name, value)}"
            for name, value in export.parameters.items()
            if name not in _SHOWN_ELSEWHERE and value
        ]
        return format_html(
            '{}, {}<br><span class="tm-quiet">{}</span>',
            export.get_kind_display(),
            export.get_format_display(),
            "; ".join(words),
        )

    @admin.display(description="period")
    def period(self, export: Export) -> str:
        """The days or times asked for."""
        start, end = export.parameters.get("from"), export.parameters.get("to")
        try:
            first, last = date.fromisoformat(start), date.fromisoformat(end) - timedelta(days=1)
        except (TypeError, ValueError):
            return f"{start or 'the first'} to {end or 'the last'}"
        return dated(first, last)

    @admin.display(description="who")
    def who(self, export: Export) -> str:
        """The user or key that asked for it."""
        key = export.api_key
        return f"{KEY_MARK}{key.prefix}…" if key else str(export.requested_by or UNKNOWN)

    @admin.display(description="state")
    def state(self, export: Export) -> SafeString:
        """Its state, and why it failed."""
        badge = format_html(
            '<span class="tm-badge {}">{}</span>',
            _BADGES.get(Export.Status(export.status), ""),
            export.get_status_display(),
        )
        if export.status != Export.Status.FAILED:
            return badge
        return format_html('{}<br><span class="tm-quiet">{}</span>', badge, export.error)

    @admin.display(description="rows")
    def progress(self, export: Export) -> SafeString | str:
        """How many rows are written, of how many as far as that is known."""
        count = quantity(export.rows_done)
        done = percent_done(export)
        if export.status != Export.Status.RUNNING:
            return UNKNOWN if export.status == Export.Status.WAITING else count
        if done is None:
            return f"{count} so far"
        return format_html("{}, {}&nbsp;%" + _BAR, count, done, done)

    @admin.display(description="size")
    def bytes(self, export: Export) -> str:
        """The size of the file."""
        return filesizeformat(export.size) if export.size else UNKNOWN

    @admin.display(description="requested (UTC)")
    def requested(self, export: Export) -> str:
        """When it was asked for."""
        return f"{export.requested_at:%Y-%m-%d %H:%M}"

    @admin.display(description="expires (UTC)")
    def expires(self, export: Export) -> str:
        """Until when the file is there."""
        return f"{export.expires_at:%Y-%m-%d %H:%M}" if export.expires_at else UNKNOWN

    @admin.display(description="file")
    def download(self, export: Export) -> SafeString | str:
        """A link to the file."""
        if export.status != Export.Status.DONE:
            return UNKNOWN
        url = reverse("export_download", args=(export.pk,))
        return format_html('<a href="{}">Download</a>', url)


def _listed(name: str, value: str | list[str]) -> str:
    if name == "group_by" and isinstance(value, str):
        value = value.split(",")
    return value if isinstance(value, str) else ", ".join(value)
