"""The admin's pages besides the stock ones: where each lies and which view shows it."""

from collections.abc import Callable
from functools import partial
from typing import Any

from django.http import HttpResponse
from django.urls import register_converter

from config.connect.views import connect_page, connected_page, key_progress
from config.dashboards import views
from config.dashboards.advice import advice_page
from config.dashboards.chargeback import chargeback_csv, chargeback_page
from config.dashboards.directory import directory_csv, directory_page
from config.dashboards.episode import run_page, session_page
from config.dashboards.episodes import runs_csv, runs_page, sessions_csv, sessions_page
from config.dashboards.filter_values import filter_values
from config.dashboards.links import DIRECTORIES, NameConverter
from config.dashboards.model import model_page
from config.dashboards.my_usage import OwnPlotView, my_usage_page, own_chart_csv
from config.dashboards.organization import organization_page
from config.dashboards.person import subject_page
from config.dashboards.project.views import (
    project_csv,
    project_page,
    projects_home,
    short_project_page,
)
from config.dashboards.quick import quick_stats
from config.dashboards.what_if import what_if_page
from config.inbox.views import inbox, price_group

register_converter(NameConverter, "name")


PageView = Callable[..., HttpResponse]
"""A view of a page, given the admin's own page context and the names in the address."""

PAGES: tuple[tuple[str, PageView, str], ...] = (
    *((f"{name}/", partial(directory_page, kind=kind), name) for kind, name in DIRECTORIES.items()),
    ("organizations/<name:organization>/", organization_page, "organization_page"),
    ("projects/<name:organization>/<name:project>/ai-cost/", project_page, "project_page"),
    ("projects/<name:organization>/<name:project>/", short_project_page, "short_project_page"),
    ("ai-cost/", projects_home, "projects_home"),
    ("people/<name:organization>/<name:subject>/", subject_page, "subject_page"),
    ("sessions/", sessions_page, "sessions"),
    ("runs/", runs_page, "runs"),
    ("my-usage/", my_usage_page, "my_usage"),
    ("sessions/<name:organization>/<name:session>/", session_page, "session_page"),
    ("runs/<name:organization>/<name:run>/", run_page, "run_page"),
    ("models/<name:provider>/<name:model>/", model_page, "model_page"),
    ("chargeback/", chargeback_page, "chargeback"),
    ("advice/", advice_page, "advice"),
    ("what-if/", what_if_page, "budget_what_if"),
    ("connect/", connect_page, "connect"),
    ("connect/<slug:prefix>/", connected_page, "connected"),
    ("unpriced/", inbox, "unpriced"),
    ("unpriced/price/", price_group, "unpriced_price"),
)
"""Pages inside the admin: route, view, name."""

DATA: tuple[tuple[str, Callable[..., Any], str], ...] = (
    ("charts/<slug:plot>/", views.PlotView.as_view(), "chart"),
    ("charts/<slug:plot>.csv", views.chart_csv, "chart_csv"),
    ("filter-values/", filter_values, "filter_values"),
    ("quick/", quick_stats, "quick"),
    ("connect/<slug:prefix>/status/", key_progress, "connect_progress"),
    ("sessions.csv", sessions_csv, "sessions_csv"),
    ("runs.csv", runs_csv, "runs_csv"),
    ("my-usage/charts/<slug:plot>/", OwnPlotView.as_view(), "my_usage_chart"),
    ("my-usage/charts/<slug:plot>.csv", own_chart_csv, "my_usage_chart_csv"),
    ("projects/<name:organization>/<name:project>/ai-cost.csv", project_csv, "project_csv"),
    ("chargeback.csv", chargeback_csv, "chargeback_csv"),
    *(
        (f"{name}.csv", partial(directory_csv, kind=kind), f"{name}_csv")
        for kind, name in DIRECTORIES.items()
    ),
)
"""What pages fetch or offer as files: route, view, name."""
