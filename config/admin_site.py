"""Tallyman's admin site: the stock one with a dashboard as its first page."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver, path

from config.dashboards import views
from config.dashboards.advice import advice_page
from config.dashboards.chargeback import chargeback_csv, chargeback_page
from config.inbox import views as inbox
from config.navigation import current_name, sidebar


class TallymanAdminSite(admin.AdminSite):
    """Stock admin templates under Tallyman's name, with the site overview as the index."""

    site_header = "Tallyman"
    site_title = "Tallyman"
    index_title = "Overview"
    site_url = None
    enable_nav_sidebar = True
    empty_value_display = "—"

    def get_urls(self) -> list[URLPattern | URLResolver]:
        """The dashboards' pages before the stock ones, which end in a catch-all."""
        own: list[URLPattern | URLResolver] = [
            path("overview.csv", self.admin_view(views.overview_csv), name="overview_csv"),
            path("chargeback/", self.admin_view(self.chargeback), name="chargeback"),
            path("chargeback.csv", self.admin_view(chargeback_csv), name="chargeback_csv"),
            path("advice/", self.admin_view(self.advice), name="advice"),
            path("unpriced/", self.admin_view(self.unpriced), name="unpriced"),
            path("unpriced/price/", self.admin_view(self.unpriced_price), name="unpriced_price"),
            path("charts/spend/", self.admin_view(views.SpendChart.as_view()), name="spend_chart"),
        ]
        return own + super().get_urls()

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        """What every page shows, with `section`: the name that the sidebar gives to it."""
        context: dict[str, Any] = super().each_context(request)
        return {**context, "section": current_name(context["available_apps"])}

    def index(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> TemplateResponse:
        """Show the site overview."""
        context = {**self.each_context(request), "title": self.index_title, "subtitle": None}
        return views.overview(request, {**context, **(extra_context or {})})

    def chargeback(self, request: HttpRequest) -> HttpResponse:
        """Show what a month is charged to which cost centre."""
        return chargeback_page(request, self.each_context(request))

    def advice(self, request: HttpRequest) -> HttpResponse:
        """Show what to do about cost."""
        return advice_page(request, self.each_context(request))

    def unpriced(self, request: HttpRequest) -> HttpResponse:
        """Show the inbox of unpriced usage."""
        return inbox.inbox(request, self.each_context(request))

    def unpriced_price(self, request: HttpRequest) -> HttpResponse:
        """Price what waits in the inbox."""
        return inbox.price_group(request, self.each_context(request))

    def get_app_list(
        self, request: HttpRequest, app_label: str | None = None
    ) -> list[dict[str, Any]]:
        """The sidebar by task instead of by app; a single app as Django lists it."""
        if app_label is not None:
            listed: list[dict[str, Any]] = super().get_app_list(request, app_label)
            return listed
        allowed = {
            entry["model"]._meta.label_lower: entry
            for app in self._build_app_dict(request).values()
            for entry in app["models"]
        }
        return sidebar(allowed, request.path)
