"""Tallyman's admin site: the stock one with a dashboard as its first page."""

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar, cast

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver, path

from budgets.models import Alert
from config.dashboards.overview import overview_page
from config.navigation import current_name, sidebar
from config.pages import DATA, PAGES, PageView
from config.suggestions import SuggestionsView

if TYPE_CHECKING:
    # Admin classes register with this site, and so are loaded after it.
    from budgets.admin.alert_page import AlertPages

AnyView = TypeVar("AnyView", bound=Callable[..., HttpResponseBase])
NUL = "%00"


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
            path(route, self.admin_view(self._inside(view)), name=name)
            for route, view, name in PAGES
        ]
        own += [path(route, self.admin_view(view), name=name) for route, view, name in DATA]
        return own + super().get_urls()

    def admin_view(self, view: AnyView, cacheable: bool = False) -> AnyView:
        """A view that signed-in staff reach, without the NULs of a URL: no column holds any."""

        @wraps(view)
        def cleaned(request: Any, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if NUL in request.META.get("QUERY_STRING", ""):
                asked = request.GET.copy()
                for name, values in request.GET.lists():
                    asked.setlist(name, [value.replace("\0", "") for value in values])
                request.GET = asked
            return view(request, *args, **kwargs)

        return super().admin_view(cast("AnyView", cleaned), cacheable)

    def _inside(self, view: PageView) -> Callable[..., HttpResponse]:
        """A page's view, given the admin's own page context."""

        def shown(request: HttpRequest, **names: str) -> HttpResponse:
            return view(request, self.each_context(request), **names)

        return shown

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        """What every page shows, with `section`: the name that the sidebar gives to it, and for
        those who are signed in the alerts that nobody has acknowledged."""
        context: dict[str, Any] = super().each_context(request)
        alerts = cast("AlertPages", self._registry[Alert])
        bell = alerts.bell_context(request) if context["has_permission"] else {}
        return {**context, **bell, "section": current_name(context["available_apps"])}

    def index(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> TemplateResponse:
        """Show the site overview."""
        context = {**self.each_context(request), "title": self.index_title, "subtitle": None}
        return overview_page(request, {**context, **(extra_context or {})})

    def autocomplete_view(self, request: HttpRequest) -> HttpResponse:
        """What fields suggest, rows with their organization."""
        return cast("HttpResponse", SuggestionsView.as_view(admin_site=self)(request))

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
