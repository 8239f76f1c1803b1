"""All URLs of the site."""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path, re_path
from django.views.generic import RedirectView
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from config import health
from usage.api import otlp

urlpatterns: list[URLPattern | URLResolver] = [
    path("", RedirectView.as_view(pattern_name="admin:index")),
    path("healthz", health.healthz),
    path("readyz", health.readyz),
    path("admin/", admin.site.urls),
    re_path(r"^api/v1/schema/?\Z", SpectacularAPIView.as_view(), name="schema"),
    re_path(
        r"^api/v1/docs/?\Z",
        SpectacularSwaggerSplitView.as_view(template_name="api/docs.html"),
        name="docs",
    ),
    path("api/v1/", include("budgets.api.urls")),
    path("api/v1/", include("usage.api.urls")),
    # Exporters take a redirect for success, and know these paths without a slash alone.
    path("otlp/v1/traces", otlp.TracesView.as_view(), name="otlp_traces"),
    path("otlp/v1/logs", otlp.LogsView.as_view(), name="otlp_logs"),
    path("otlp/v1/metrics", otlp.MetricsView.as_view(), name="otlp_metrics"),
    path("api/public/otel/v1/traces", otlp.LangfuseView.as_view(), name="langfuse_traces"),
]

handler400 = "config.errors.bad_request"
handler404 = "config.errors.not_found"
handler500 = "config.errors.failure"
