"""One organization: what it spends, on what and who, its limits and who may use it."""

from typing import Any

from django.contrib import admin
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse

from budgets.links import budget_add_url
from budgets.selectors.leading import read_leading
from config.dashboards.cards import read_cards
from config.dashboards.heat import read_heat
from config.dashboards.months_ahead import read_months_ahead
from config.dashboards.page import Page, draw, render_page
from config.dashboards.panels import read_panel
from config.dashboards.periods_card import read_periods
from config.dashboards.rankings import MODELS_BY, read_models, read_people
from config.dashboards.reading import Reading
from config.dashboards.set_budget import monthly_budget
from usage.models import Organization
from usage.selectors.access import viewer_of
from usage.selectors.keys import list_keys
from usage.selectors.members import members_of
from usage.selectors.named import find_organization

LISTED = 20
LONG = 10


def organization_page(
    request: HttpRequest, context: dict[str, Any], organization: str
) -> HttpResponse:
    """The page of an organization that the signed-in user sees; any other is not found."""
    found = find_organization(viewer_of(request.user), organization)
    if found is None:
        raise Http404
    page = Page(
        title=str(found),
        template="dashboards/organization.html",
        read=lambda reading: {**_figures(reading, found), **_access(request, reading, found)},
        crumbs=[("Organizations", reverse("admin:organizations"))],
        pinned={"organization": found.slug},
        kept=(MODELS_BY,),
    )
    return render_page(request, context, page)


def _figures(reading: Reading, organization: Organization) -> dict[str, Any]:
    spend = draw(reading, "spend")
    budgets = read_leading(
        reading.viewer,
        reading.question.now,
        LISTED,
        organization=organization.slug,
        project=reading.question.filters.get("project"),
    )
    return {
        "cards": read_cards(reading, read_periods(reading)),
        "spend": spend,
        "tokens": draw(reading, "tokens"),
        "requests": draw(reading, "requests"),
        "csv_url": spend.csv_url,
        "limits": budgets.states,
        "total_budgets": budgets.total,
        "ahead": read_months_ahead(reading),
        "parts": [read_panel(reading, "Projects", "project", LONG), read_models(reading)],
        "people": read_people(reading, LONG),
        "agents": read_panel(reading, "Agent types", "agent_type"),
        "heat": read_heat(reading),
    }


def _access(request: HttpRequest, reading: Reading, organization: Organization) -> dict[str, Any]:
    """Keys and members of the organization, and where those who may change it do so."""
    keys = list_keys(organization.slug)
    now = reading.question.now
    form = admin.site.get_model_admin(Organization)
    may_change = form.has_change_permission(request, organization)
    change_url = reverse("admin:usage_organization_change", args=[organization.pk])
    add_url = budget_add_url(request.user, organization.slug)
    return {
        "organization": organization,
        "change_url": change_url if may_change else "",
        "budget_add_url": add_url,
        "monthly": monthly_budget(organization) if add_url else None,
        "keys": [(key, key.state(now)) for key in keys[:LISTED]],
        "total_keys": len(keys),
        "members": members_of(organization),
    }
