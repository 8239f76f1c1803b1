"""Paths under /api/v1/, each with and without its trailing slash: no write is redirected.

The reads that tell limits lie with budgets, which know them.
"""

from django.urls import re_path

from usage.api.advice import AdviceView
from usage.api.chargeback import ChargebackView
from usage.api.episodes import RunsView, RunView, SessionsView, SessionView
from usage.api.event_reads import EventView
from usage.api.events import EventsView
from usage.api.exports import (
    ExportDownloadView,
    ExportsView,
    ExportView,
    FocusExportView,
)
from usage.api.forecast import ForecastView
from usage.api.litellm import LiteLLMView
from usage.api.prices import PricesView
from usage.api.projects import (
    ProjectRecentView,
    ProjectsView,
    ProjectTrendView,
)
from usage.api.quote import QuoteView
from usage.api.reconciliations import ReconciliationsView, ReconciliationView
from usage.api.usage import UsageView

urlpatterns = [
    re_path(r"^advice/?\Z", AdviceView.as_view(), name="advice"),
    re_path(r"^chargeback/?\Z", ChargebackView.as_view(), name="chargeback"),
    re_path(r"^events/?\Z", EventsView.as_view(), name="events"),
    # An event id may hold slashes; a last one that is not the id's own is the path's.
    re_path(r"^events/(?P<event_id>.+?)/?\Z", EventView.as_view(), name="event"),
    re_path(r"^exports/?\Z", ExportsView.as_view(), name="exports"),
    re_path(r"^exports/focus/?\Z", FocusExportView.as_view(), name="focus_export"),
    re_path(r"^exports/(?P<export_id>[^/]+)/?\Z", ExportView.as_view(), name="export"),
    re_path(
        r"^exports/(?P<export_id>[^/]+)/download/?\Z",
        ExportDownloadView.as_view(),
        name="export_download",
    ),
    re_path(r"^forecast/?\Z", ForecastView.as_view(), name="forecast"),
    re_path(r"^litellm/?\Z", LiteLLMView.as_view(), name="litellm"),
    re_path(r"^prices/quote/?\Z", QuoteView.as_view(), name="quote"),
    re_path(r"^prices/?\Z", PricesView.as_view(), name="prices"),
    re_path(r"^reconciliations/?\Z", ReconciliationsView.as_view(), name="reconciliations"),
    re_path(
        r"^reconciliations/(?P<reconciliation_id>[^/]+)/?\Z",
        ReconciliationView.as_view(),
        name="reconciliation",
    ),
    re_path(r"^usage/?\Z", UsageView.as_view(), name="usage"),
    re_path(r"^projects/?\Z", ProjectsView.as_view(), name="projects"),
    # A project may be called like a path, as may a session and a run.
    re_path(r"^projects/(?P<slug>.+)/trend/?\Z", ProjectTrendView.as_view(), name="project_trend"),
    re_path(
        r"^projects/(?P<slug>.+)/recent/?\Z", ProjectRecentView.as_view(), name="project_recent"
    ),
    re_path(r"^sessions/?\Z", SessionsView.as_view(), name="sessions"),
    re_path(r"^sessions/(?P<session_id>.+?)/?\Z", SessionView.as_view(), name="session"),
    re_path(r"^runs/?\Z", RunsView.as_view(), name="runs"),
    re_path(r"^runs/(?P<run_id>.+?)/?\Z", RunView.as_view(), name="run"),
]
