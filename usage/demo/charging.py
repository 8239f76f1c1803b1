"""Cost centres of the demonstration, and whom its projects and teams are charged to."""

from datetime import date, timedelta
from typing import TypeVar

from django.db.models import QuerySet

from usage.cost_centres import assign_project, assign_team, ensure_cost_centre
from usage.demo.cast import COMPANIES, Company
from usage.models import Organization, Project, Team

MOVED_DAYS_AGO = 180
Owner = TypeVar("Owner", Project, Team)


def charge(first_day: date, last_day: date) -> None:
    """Assign what the demonstration uses from `first_day` on. Doing it again changes nothing.

    Some projects and teams stay unassigned, as they do in life.
    """
    moved = (last_day - timedelta(days=MOVED_DAYS_AGO)).replace(day=1)
    # Zones west of Greenwich are still in the day before.
    start = (first_day - timedelta(days=1)).replace(day=1)
    for company in COMPANIES:
        organization = Organization.objects.get(slug=company.slug)
        _charge(company, organization, start, max(moved, start))


def _charge(company: Company, organization: Organization, start: date, moved: date) -> None:
    projects = _unassigned(Project.objects.filter(organization=organization))
    teams = _unassigned(Team.objects.filter(organization=organization))
    for account in company.accounts:
        centre = ensure_cost_centre(organization, account.code, account.name)
        for slug in projects.keys() & account.projects:
            assign_project(projects[slug], centre, start)
        for slug in teams.keys() & account.teams:
            assign_team(teams[slug], centre, start)
        for slug in projects.keys() & account.later_projects:
            assign_project(projects[slug], centre, moved)


def _unassigned(owners: QuerySet[Owner]) -> dict[str, Owner]:
    return {owner.slug: owner for owner in owners.filter(cost_centre_assignments=None)}
