"""What the bars above dashboards offer to choose from."""

from typing import Any

from django.conf import settings
from django.urls import reverse

from config.dashboards.names import GROUP_NAMES, value_name
from config.dashboards.question import CUSTOM, FILTERS, GROUPS, RANGES, Question
from usage.formats import days
from usage.models import CallKind
from usage.selectors.access import Viewer
from usage.selectors.currency import shown_currencies
from usage.selectors.overview import organization_choices, project_choices, zone_choices

OFFERED = (
    "team", "subject", "provider", "model", "agent_type", "action", "operation", "billing_scope",
)  # fmt: skip
"""What the form behind "+ Filter" asks for."""

_PICKED = ("organization", "project")
_OFTEN = 6
_DAYS = ("range", "from", "through", "step")


def read_bar(viewer: Viewer, question: Question) -> dict[str, Any]:
    """Ranges, organizations, projects, zones and filters of a view, each as a link or choice.

    Those of `_fields` are what each of the bar's forms carries along without asking for it.
    """
    links = [(label, question.with_range(name), name) for name, label in RANGES]
    organization = question.filters.get("organization")
    project = question.filters.get("project")
    offered = [name for name in OFFERED if name not in question.pinned]
    return {
        "ranges": links[:_OFTEN],
        "more_ranges": links[_OFTEN:],
        "more": _more_label(question),
        "is_custom": question.range == CUSTOM,
        "range_fields": question.fields(*_DAYS),
        "steps": [(s.title(), question.query_string(step=s), s) for s in question.steps],
        "groups": [(name, GROUP_NAMES[name]) for name in GROUPS if name not in question.pinned],
        "currencies": shown_currencies(),
        "zones": _zones(viewer, question),
        "organizations": choices(organization_choices(viewer), organization),
        "projects": choices(project_choices(viewer, organization), project),
        "organization": organization or "",
        "project": project or "",
        "pinned": question.pinned,
        "pick_fields": question.fields(*_PICKED, "group", "currency", "tz"),
        "chips": _chips(question),
        "offered": [(name, GROUP_NAMES[name], question.filters.get(name, "")) for name in offered],
        "payers": CallKind.BillingScope.choices,
        "offered_fields": question.fields(*offered),
        "offered_url": reverse("admin:filter_values")
        + question.everywhere(**dict.fromkeys(offered)),
    }


def choices(known: list[str], asked: str | None) -> list[str]:
    """The known names, and the one asked for even where it is none of them."""
    return known if not asked or asked in known else [asked, *known]


def _more_label(question: Question) -> str:
    """What the ranges that are not always in sight are called: by the one that is shown."""
    if question.range == CUSTOM:
        return days(question.first, question.last)
    return dict(RANGES[_OFTEN:]).get(question.range, "More")


def _zones(viewer: Viewer, question: Question) -> list[str]:
    known = {"UTC", question.home, settings.TALLYMAN_TIME_ZONE, *zone_choices(viewer)}
    return sorted({*known, question.zone.key})


def _chips(question: Question) -> list[tuple[str, str, str]]:
    chosen = [name for name in FILTERS if name in question.chosen and name not in _PICKED]
    return [
        (
            GROUP_NAMES[name],
            value_name(name, question.allowed[name][0]),
            question.query_string(**{name: None}),
        )
        for name in chosen
    ]
