from datetime import date

import pytest
from django.core.exceptions import ValidationError

from usage.cost_centres import (
    assign_project,
    assign_team,
    ensure_cost_centre,
    withdraw_assignment,
)
from usage.models import ClosedMonth, CostCentre, CostCentreAssignment, Organization, Project, Team
from usage.organizations import ensure_organization

pytestmark = pytest.mark.django_db
SEPTEMBER, OCTOBER, NOVEMBER = (date(2026, month, 1) for month in (9, 10, 11))


@pytest.fixture
def acme(db: None) -> Organization:
    return ensure_organization("acme")


@pytest.fixture
def project(acme: Organization) -> Project:
    return Project.objects.create(organization=acme, slug="web")


@pytest.fixture
def shop(acme: Organization) -> CostCentre:
    return ensure_cost_centre(acme, "4100", "Shop")


def months(project: Project) -> list[tuple[str, str | None]]:
    rows = CostCentreAssignment.objects.filter(project=project).order_by("from_month")
    return [
        (f"{row.from_month:%Y-%m}", row.cost_centre.code if row.cost_centre else None)
        for row in rows
    ]


def test_a_cost_centre_is_made_once(acme: Organization, shop: CostCentre) -> None:
    assert ensure_cost_centre(acme, "4100", "Another name") == shop
    assert ensure_cost_centre(ensure_organization("globex"), "4100") != shop
    with pytest.raises(ValidationError):
        ensure_cost_centre(acme, "line\nbreak")


def test_assignments_are_kept_by_month(project: Project, shop: CostCentre) -> None:
    assign_project(project, shop, SEPTEMBER)
    assign_project(project, None, NOVEMBER)
    assert months(project) == [("2026-09", "4100"), ("2026-11", None)]


def test_another_assignment_of_the_same_month_replaces_the_first(
    acme: Organization, project: Project, shop: CostCentre
) -> None:
    assign_project(project, shop, OCTOBER)
    assign_project(project, ensure_cost_centre(acme, "4200"), OCTOBER)
    assert months(project) == [("2026-10", "4200")]


def test_a_month_is_named_by_its_first_day(project: Project, shop: CostCentre) -> None:
    with pytest.raises(ValidationError, match="first day"):
        assign_project(project, shop, date(2026, 11, 2))


def test_a_cost_centre_of_another_organization_is_refused(project: Project) -> None:
    theirs = ensure_cost_centre(ensure_organization("globex"), "1")
    with pytest.raises(ValidationError, match="another organization"):
        assign_project(project, theirs, OCTOBER)
    assert months(project) == []


def test_closed_months_stay_charged_as_they_were(
    acme: Organization, project: Project, shop: CostCentre
) -> None:
    first = assign_project(project, shop, SEPTEMBER)
    ClosedMonth.objects.create(organization=acme, month=SEPTEMBER)
    ClosedMonth.objects.create(organization=acme, month=OCTOBER)
    for month in (SEPTEMBER, OCTOBER):
        with pytest.raises(ValidationError) as caught:
            assign_project(project, None, month)
        (told,) = caught.value.messages
        assert told.startswith("October 2026 is closed and stays charged as it was;")
        assert told.endswith("choose November 2026 or a later month.")
    with pytest.raises(ValidationError):
        withdraw_assignment(first)
    assign_project(project, None, NOVEMBER)
    assert months(project) == [("2026-09", "4100"), ("2026-11", None)]


def test_a_month_before_the_next_assignment_may_change_though_later_ones_are_closed(
    acme: Organization, project: Project, shop: CostCentre
) -> None:
    assign_project(project, shop, OCTOBER)
    ClosedMonth.objects.create(organization=acme, month=OCTOBER)
    assign_project(project, shop, SEPTEMBER)
    assert months(project) == [("2026-09", "4100"), ("2026-10", "4100")]


def test_months_closed_elsewhere_hold_nobody_up(project: Project, shop: CostCentre) -> None:
    ClosedMonth.objects.create(organization=ensure_organization("globex"), month=OCTOBER)
    assert assign_project(project, shop, SEPTEMBER).pk


def test_an_assignment_can_be_taken_back(
    acme: Organization, project: Project, shop: CostCentre
) -> None:
    withdraw_assignment(assign_project(project, shop, OCTOBER))
    team = Team.objects.create(organization=acme, slug="core")
    assert assign_team(team, shop, OCTOBER).team == team
    assert CostCentreAssignment.objects.count() == 1
