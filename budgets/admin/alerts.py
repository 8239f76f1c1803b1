"""Alerts: what staff should know, acknowledged and resolved by an organization's administrators."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.views.main import ChangeList
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from budgets.admin.alert_page import AlertPages
from budgets.admin.row_filters import BudgetFilter
from budgets.alerts.handling import Handled, acknowledge, resolve_by_hand
from budgets.models import Alert
from budgets.selectors.alert_facts import level_of, titles_of
from budgets.selectors.bell import ALERT_PARTS
from budgets.setting import Actor
from pricing.admin.users import signed_in
from usage.admin.paging import BoundedPaginator
from usage.admin.scope import OrganizationFilter, ReadOnlyAdmin
from usage.formats import UNKNOWN, length

_TITLE = "read_title"


class AlertChangeList(ChangeList):
    """Reads what the alerts of a page are called at once, with whose share they are about."""

    def get_results(self, request: HttpRequest) -> None:
        """The rows of the page, each with its title."""
        super().get_results(request)
        rows = list(self.result_list)
        for alert, title in zip(rows, titles_of(rows), strict=True):
            vars(alert)[_TITLE] = title
        self.result_list = rows


@admin.register(Alert)
class AlertAdmin(AlertPages, ReadOnlyAdmin[Alert]):
    """Alerts of visible organizations, newest first; those of the site for who sees everything."""

    actions = ["acknowledge_selected", "resolve_selected"]
    list_display = ["title", "level", "standing", "organization", "opened", "age"]
    list_display_links = ["title"]
    list_filter = ["state", "severity", "kind", ("organization", OrganizationFilter), BudgetFilter]
    list_select_related = list(ALERT_PARTS)
    search_fields = [
        "key", "organization__slug", "budget__name", "budget__project__slug",
        "budget__subject__key", "budget__team__slug",
    ]  # fmt: skip
    paginator = BoundedPaginator
    list_max_show_all = 0
    sortable_by = ()
    ordering = ["-opened_at", "-id"]

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        """A list that reads names."""
        return AlertChangeList

    def get_urls(self) -> list[URLPattern]:
        """The pages of an alert before the stock ones, which end in a catch-all."""
        own = [
            path(route, self.admin_site.admin_view(view), name=f"budgets_alert_{name}")
            for route, view, name in self.own_pages()
        ]
        return [*own, *super().get_urls()]

    def has_handle_permission(self, request: HttpRequest) -> bool:
        """Whether the user may acknowledge any."""
        return self.may_change_any(request)

    @admin.action(description="Acknowledge selected alerts", permissions=["handle"])
    def acknowledge_selected(self, request: HttpRequest, queryset: QuerySet[Alert]) -> None:
        """Tell that somebody looks after those of the chosen ones that the user may change."""
        actor = Actor(signed_in(request).pk)
        rows = self.changeable_rows(request, queryset)
        self._told(request, acknowledge(rows, actor, timezone.now()), "acknowledged")

    @admin.action(description="Resolve selected alerts", permissions=["handle"])
    def resolve_selected(self, request: HttpRequest, queryset: QuerySet[Alert]) -> None:
        """Call those of the chosen ones over that the user may change."""
        actor = Actor(signed_in(request).pk)
        rows = self.changeable_rows(request, queryset)
        self._told(request, resolve_by_hand(rows, actor, timezone.now()), "resolved")

    def _told(self, request: HttpRequest, handled: Handled, what: str) -> None:
        if handled.done:
            messages.success(request, f"{len(handled.done)} {what}.")
        else:
            messages.warning(request, f"None was {what}: over already, or not yours.")

    @admin.display(description="alert")
    def title(self, alert: Alert) -> SafeString:
        """What is so, of which kind it is, and which level was reached."""
        shown = vars(alert)[_TITLE]
        kind, level = alert.get_kind_display(), level_of(alert)
        more = f"{kind}: {level}" if level else kind
        return format_html('{}<br><span class="tm-quiet">{}</span>', shown, more)

    @admin.display(description="severity")
    def level(self, alert: Alert) -> SafeString:
        """How severe it is."""
        return render_to_string("admin/budgets/alert/level.html", {"severity": alert.severity})

    @admin.display(description="state")
    def standing(self, alert: Alert) -> SafeString:
        """Open, acknowledged, or resolved and why."""
        return render_to_string("admin/budgets/alert/state.html", {"alert": alert})

    @admin.display(description="opened (UTC)")
    def opened(self, alert: Alert) -> str:
        """When it was seen, to the minute."""
        return f"{alert.opened_at:%Y-%m-%d %H:%M}"

    @admin.display(description="age")
    def age(self, alert: Alert) -> str:
        """For how long it has been so; nothing once it is over."""
        return length(timezone.now() - alert.opened_at) if alert.is_live else UNKNOWN
