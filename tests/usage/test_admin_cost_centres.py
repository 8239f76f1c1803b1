from datetime import date
from typing import Any

import pytest
from django.urls import reverse

from tests.usage.admin_pages import administrator_client, viewer_client
from usage.cost_centres import assign_project, ensure_cost_centre
from usage.models import ClosedMonth, CostCentre, CostCentreAssignment, Organization, Project, Team
from usage.organizations import ensure_organization

pytestmark = pytest.mark.django_db
PREFIX = "cost_centre_assignments"


@pytest.fixture
def acme(db: None) -> Organization:
    ensure_organization("globex")
    return ensure_organization("acme")


@pytest.fixture
def web(acme: Organization) -> Project:
    return Project.objects.create(organization=acme, slug="web")


def page(owner: Project | Team | CostCentre) -> str:
    return reverse(f"admin:usage_{owner._meta.model_name}_change", args=(owner.pk,))


def rows(*given: dict[str, Any], initial: int = 0) -> dict[str, Any]:
    data: dict[str, Any] = {
        "name": "", f"{PREFIX}-TOTAL_FORMS": len(given), f"{PREFIX}-INITIAL_FORMS": initial,
    }  # fmt: skip
    for number, row in enumerate(given):
        data |= {f"{PREFIX}-{number}-{name}": value for name, value in row.items()}
    return data


def assigned() -> list[tuple[str, date, str | None]]:
    return [
        (
            str(row.project or row.team),
            row.from_month,
            row.cost_centre.code if row.cost_centre else None,
        )
        for row in CostCentreAssignment.objects.order_by("pk")
    ]


def test_an_administrator_assigns_a_project_from_a_month_on(
    acme: Organization, web: Project
) -> None:
    client = administrator_client()
    added = client.post(
        reverse("admin:usage_costcentre_add"),
        {"organization": acme.pk, "code": "4100", "name": "Shop"},
    )
    assert added.status_code == 302
    shop = CostCentre.objects.get()
    answer = client.post(page(web), rows({"from_month": "2026-11", "cost_centre": shop.pk}))
    assert answer.status_code == 302
    assert assigned() == [("web", date(2026, 11, 1), "4100")]
    shown = client.get(page(web)).text
    assert "4100 Shop" in shown
    assert "2026-11" in client.get(page(shop)).text


def test_a_team_may_be_charged_to_nobody(acme: Organization) -> None:
    team = Team.objects.create(organization=acme, slug="core")
    client = administrator_client()
    client.post(page(team), rows({"from_month": "2026-11", "cost_centre": ""}))
    assert assigned() == [("core", date(2026, 11, 1), None)]


def test_only_cost_centres_of_the_same_organization_are_offered(web: Project) -> None:
    theirs = ensure_cost_centre(ensure_organization("globex"), "secret-7")
    client = administrator_client()
    assert "secret-7" not in client.get(page(web)).text
    answer = client.post(page(web), rows({"from_month": "2026-11", "cost_centre": theirs.pk}))
    assert answer.status_code == 200
    assert assigned() == []


@pytest.mark.parametrize("month", ["2026-13", "", "2026-11-02", "soon"])
def test_what_is_no_month_is_refused(acme: Organization, web: Project, month: str) -> None:
    shop = ensure_cost_centre(acme, "4100")
    client = administrator_client()
    answer = client.post(page(web), rows({"from_month": month, "cost_centre": shop.pk}))
    assert answer.status_code == 200
    assert assigned() == []


def test_a_month_stands_in_one_row_only(acme: Organization, web: Project) -> None:
    shop = ensure_cost_centre(acme, "4100")
    twice = {"from_month": "2026-11", "cost_centre": shop.pk}
    answer = administrator_client().post(page(web), rows(twice, {**twice, "cost_centre": ""}))
    assert "Each month can stand in one row only: delete" in answer.text
    assert "from_month." not in answer.text
    assert assigned() == []


def test_closed_months_are_refused_with_the_reason(acme: Organization, web: Project) -> None:
    shop = ensure_cost_centre(acme, "4100")
    held = assign_project(web, shop, date(2026, 9, 1))
    ClosedMonth.objects.create(organization=acme, month=date(2026, 10, 1))
    client = administrator_client()
    kept = {"id": held.pk, "project": web.pk}
    added = rows(kept, {"from_month": "2026-10", "cost_centre": ""}, initial=1)
    answer = client.post(page(web), added)
    assert "October 2026 is closed and stays charged as it was" in answer.text
    removed = client.post(page(web), rows({**kept, "DELETE": "on"}, initial=1))
    assert "October 2026 is closed and stays charged as it was" in removed.text
    assert len(assigned()) == 1


def test_an_assignment_can_be_removed_but_not_edited(acme: Organization, web: Project) -> None:
    held = assign_project(web, ensure_cost_centre(acme, "4100"), date(2026, 9, 1))
    client = administrator_client()
    kept = {"id": held.pk, "project": web.pk}
    client.post(page(web), rows({**kept, "from_month": "2026-01", "cost_centre": ""}, initial=1))
    assert assigned() == [("web", date(2026, 9, 1), "4100")]
    answer = client.post(page(web), rows({**kept, "DELETE": "on"}, initial=1))
    assert answer.status_code == 302
    assert assigned() == []


def test_viewers_and_members_of_other_organizations_assign_nothing(
    acme: Organization, web: Project
) -> None:
    shop = ensure_cost_centre(acme, "4100")
    asked = rows({"from_month": "2026-11", "cost_centre": shop.pk})
    viewer = viewer_client()
    assert viewer.get(page(web)).status_code == 200
    assert viewer.post(page(web), asked).status_code == 403
    outsider = administrator_client("gus", "globex")
    assert outsider.post(page(web), asked).status_code in (302, 403)
    assert outsider.get(page(shop)).status_code == 302
    listed = outsider.get(reverse("admin:usage_costcentre_changelist"))
    assert "4100" not in listed.text
    assert assigned() == []
