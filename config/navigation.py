"""What the sidebar holds, group by group."""

from dataclasses import dataclass
from typing import Any

from django.urls import reverse


@dataclass(frozen=True, slots=True)
class Group:
    """A heading of the sidebar; `models` are `app.model` labels in their order.

    `pages`, which come first, are a name, an address, and the model one must be able to see.
    """

    name: str
    slug: str
    models: tuple[tuple[str, str], ...] = ()
    pages: tuple[tuple[str, str, str], ...] = ()


HOME = "admin:index"
ELSEWHERE = {"/ai-cost/": "admin:projects_home"}
"""Entries by how the addresses of their pages end, which lie below another entry's."""
TWINS = {"admin:sessions": "admin:runs"}
"""Entries that stand for the pages below another address too."""
GROUPS = (
    Group(
        "Dashboards",
        "dashboards",
        pages=(
            ("Overview", HOME, ""),
            ("Organizations", "admin:organizations", "usage.usageevent"),
            ("Projects", "admin:projects", "usage.usageevent"),
            ("People", "admin:people", "usage.usageevent"),
            ("Models", "admin:models", "usage.usageevent"),
            ("Sessions and runs", "admin:sessions", "usage.usageevent"),
            ("My usage", "admin:my_usage", ""),
            ("Chargeback", "admin:chargeback", "usage.usageevent"),
            ("Advice", "admin:advice", "usage.usageevent"),
        ),
    ),
    Group(
        "Alerts",
        "alerts",
        models=(
            ("budgets.alert", "Alerts"),
            ("budgets.channel", "Channels"),
            ("budgets.notice", "Notices"),
        ),
    ),
    Group(
        "Operations",
        "operations",
        pages=(
            ("AI Cost & Budget", "admin:projects_home", "usage.usageevent"),
            ("Budgets", "admin:budgets_budget_changelist", "budgets.budget"),
            ("What if", "admin:budget_what_if", "budgets.budget"),
            ("Unpriced inbox", "admin:unpriced", "usage.usageevent"),
        ),
        models=(
            ("budgets.decision", "Why blocked"),
            ("budgets.reservation", "Reservations"),
            ("usage.ratingrun", "Re-ratings"),
            ("usage.closedmonth", "Closed months"),
            ("usage.reconciliation", "Reconciliation"),
            ("pricing.pricesync", "Price syncs"),
            ("pricing.pricereview", "Prices to review"),
            ("django_celery_beat.periodictask", "Schedule"),
            ("django_celery_beat.intervalschedule", ""),
            ("django_celery_beat.crontabschedule", ""),
        ),
    ),
    Group(
        "Data",
        "data",
        models=(
            ("usage.usageevent", "Usage events"),
            ("usage.dailyrollup", "Daily sums"),
            ("usage.monthlyrollup", "Monthly sums"),
            ("usage.usagerollup", "15-minute sums"),
            ("usage.export", "Exports"),
            ("usage.billsource", "Provider bills"),
            ("usage.billline", "Lines of bills"),
            ("pricing.priceversion", "Prices"),
            ("pricing.aimodel", "Models"),
            ("pricing.provider", "Providers"),
            ("pricing.ratecard", "Rate cards"),
            ("pricing.exchangerate", "Exchange rates"),
            ("pricing.pricechange", "Price changes"),
        ),
    ),
    Group(
        "Access",
        "access",
        pages=(("Connect", "admin:connect", "usage.apikey"),),
        models=(
            ("usage.apikey", "API keys"),
            ("usage.attributerule", "Attribute rules"),
            ("usage.organization", "Organizations"),
            ("usage.project", "Projects"),
            ("usage.team", "Teams"),
            ("usage.costcentre", "Cost centres"),
            ("usage.subject", "People"),
            ("usage.membership", "Members"),
            ("auth.user", "Users"),
            ("auth.group", "Groups"),
        ),
    ),
)


def sidebar(allowed: dict[str, dict[str, Any]], path: str) -> list[dict[str, Any]]:
    """The groups with those entries that somebody may open, as the admin templates expect them.

    `allowed` are the admin's own model entries by `app.model`; `path` is the page shown.
    """
    groups = []
    for group in GROUPS:
        entries = [
            _page(label, name, path)
            for label, name, needed in group.pages
            if not needed or needed in allowed
        ]
        entries += [
            _model(allowed[label], name, path) for label, name in group.models if label in allowed
        ]
        if entries:
            groups.append(
                {
                    "name": group.name,
                    "app_label": group.slug,
                    "app_url": "",
                    "has_module_perms": True,
                    "models": entries,
                }
            )
    return groups


def current_name(groups: list[dict[str, Any]]) -> str:
    """The name of the sidebar's entry for the page shown, "" where it has none."""
    entries = (entry for group in groups for entry in group["models"])
    return next((str(entry["name"]) for entry in entries if entry.get("current")), "")


def addable_models(groups: list[dict[str, Any]]) -> set[str]:
    """The `app.model` labels of the sidebar's entries of which somebody may add any."""
    entries = (entry for group in groups for entry in group["models"])
    return {
        entry["model"]._meta.label_lower for entry in entries if entry.get("add_url") is not None
    }


def _page(label: str, name: str, path: str) -> dict[str, Any]:
    url = reverse(name)
    return {
        "name": label,
        "object_name": label,
        "admin_url": url,
        "add_url": None,
        "view_only": True,
        "perms": {"view": True},
        "current": _is_current(name, url, path),
    }


def _is_current(name: str, url: str, path: str) -> bool:
    for end, entry in ELSEWHERE.items():
        if path.endswith(end):
            return name == entry
    addresses = (url, reverse(TWINS[name])) if name in TWINS else (url,)
    return path == url or (name != HOME and path.startswith(addresses))


def _model(entry: dict[str, Any], name: str, path: str) -> dict[str, Any]:
    url = entry["admin_url"]
    current = bool(url) and path.startswith(url)
    return {**entry, "name": name or entry["name"], "current": current}
