"""Paths under /api/v1/, each with and without its trailing slash: no write is redirected."""

from django.urls import re_path

from usage.api.event_reads import EventView
from usage.api.events import EventsView
from usage.api.prices import PricesView
from usage.api.quote import QuoteView
from usage.api.usage import UsageView

urlpatterns = [
    re_path(r"^events/?\Z", EventsView.as_view(), name="events"),
    # An event id may hold slashes; a last one that is not the id's own is the path's.
    re_path(r"^events/(?P<event_id>.+?)/?\Z", EventView.as_view(), name="event"),
    re_path(r"^prices/quote/?\Z", QuoteView.as_view(), name="quote"),
    re_path(r"^prices/?\Z", PricesView.as_view(), name="prices"),
    re_path(r"^usage/?\Z", UsageView.as_view(), name="usage"),
]
