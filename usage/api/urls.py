"""Paths under /api/v1/, each with and without its trailing slash: no write is redirected."""

from django.urls import re_path

from usage.api.events import EventsView

urlpatterns = [
    re_path(r"^events/?\Z", EventsView.as_view(), name="events"),
]
