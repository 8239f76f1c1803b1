from collections.abc import Iterable, Mapping

from django.urls import reverse

from config.dashboards.plots import PLOTS
from config.pages import DATA, PAGES

OWN: Mapping[str, tuple[str, ...]] = {
    "organization_page": ("{}",),
    "project_page": ("{}", "{}-project"),
    "short_project_page": ("{}", "{}-project"),
    "project_csv": ("{}", "{}-project"),
    "subject_page": ("{}", "{}-subject"),
    "session_page": ("{}", "{}-session_id"),
    "run_page": ("{}", "{}-run_id"),
    "model_page": ("{}-provider", "{}-model"),
}
"""Pages and files about what one organization has, and what their address names."""

SHARED = frozenset({
    "index", "organizations", "projects", "people", "models", "sessions", "runs", "my_usage",
    "projects_home", "chargeback", "advice", "unpriced", "budget_what_if", "connect",
})  # fmt: skip
"""Pages that everybody has, each with what they may see."""

PRICING = frozenset({"unpriced_price"})
"""Pages for those who may set prices."""

KEYS = frozenset({"connected", "connect_progress"})
"""What a key has on the Connect page, named by its prefix."""

PLOTTED = frozenset({"chart", "chart_csv"})
MY_PLOTTED = frozenset({"my_usage_chart", "my_usage_chart_csv"})
"""Charts, for all and for those whose account is a subject's."""
FILES = frozenset({
    "filter_values", "quick", "sessions_csv", "runs_csv", "chargeback_csv",
    "organizations_csv", "projects_csv", "people_csv", "models_csv",
})  # fmt: skip
"""What pages fetch or offer."""


def known_routes() -> set[str]:
    return {*OWN, *SHARED, *PRICING, *KEYS, *PLOTTED, *MY_PLOTTED, *FILES}


def routes() -> set[str]:
    return {"index", *(name for _, _, name in PAGES), *(name for _, _, name in DATA)}


def own_pages(word: str) -> dict[str, str]:
    return {
        name: reverse(f"admin:{name}", args=[part.format(word) for part in parts])
        for name, parts in OWN.items()
    }


def shared_pages() -> list[str]:
    return [reverse(f"admin:{name}") for name in sorted(SHARED)]


def data() -> list[str]:
    return [*_plots(PLOTTED), *(reverse(f"admin:{name}") for name in sorted(FILES))]


def my_data() -> list[str]:
    return _plots(MY_PLOTTED)


def _plots(names: Iterable[str]) -> list[str]:
    return [reverse(f"admin:{name}", args=[plot]) for name in sorted(names) for plot in PLOTS]
