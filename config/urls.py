"""All URLs of the site."""

from importlib.util import find_spec

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path
from django.views.generic import RedirectView

from config import health

urlpatterns: list[URLPattern | URLResolver] = [
    path("", RedirectView.as_view(pattern_name="admin:index")),
    path("healthz", health.healthz),
    path("readyz", health.readyz),
    path("admin/", admin.site.urls),
]
urlpatterns += [
    path("api/v1/", include(f"{app}.api.urls"))
    for app in ("usage", "pricing")
    if find_spec(f"{app}.api") and find_spec(f"{app}.api.urls")
]
