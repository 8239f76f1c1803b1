"""What the bars above dashboards offer to choose from."""

from typing import Any

from django.conf import settings

from config.dashboards.question import FILTERS, RANGES, Question
from usage.selectors.access import Viewer
from usage.selectors.overview import organization_choices, project_choices

GROUP_NAMES = {
    "model": "model",
    "provider": "provider",
    "organization": "organization",
    "project": "project",
    "agent_type": "agent type",
    "subject": "person",
}
_PICKED = ("organization", "project")


def read_bar(viewer: Viewer, question: Question) -> dict[str, Any]:
    """Ranges, organizations, projects and the other filters of a view, each as a link or choice."""
    others = [name for name in FILTERS if name in question.filters and name not in _PICKED]
    hidden = [(name, question.filters[name]) for name in others]
    if question.zone.key != settings.TALLYMAN_TIME_ZONE:
        hidden.append(("tz", question.zone.key))
    organization = question.filters.get("organization")
    return {
        "ranges": [(label, question.with_range(name), name) for name, label in RANGES],
        "organizations": choices(organization_choices(viewer), organization),
        "projects": choices(project_choices(viewer, organization), question.filters.get("project")),
        "organization": organization or "",
        "project": question.filters.get("project", ""),
        "chips": [
            (GROUP_NAMES[name], question.filters[name], question.query_string(**{name: None}))
            for name in others
        ],
        "hidden": hidden,
    }


def choices(known: list[str], asked: str | None) -> list[str]:
    """The known names, and the one asked for even where it is none of them."""
    return known if not asked or asked in known else [asked, *known]
