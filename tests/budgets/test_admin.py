from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from budgets.demo import set_demo_budgets
from budgets.links import budget_add_url
from budgets.models import Budget
from budgets.selectors.states import Level, read_states
from tests.budgets.budget_values import budget
from tests.config.site_data import event, send, staff
from usage.demo.stage import fill, settle
from usage.demo.year import Plan
from usage.models import Organization, Project
from usage.selectors.access import EVERYTHING

LIST = "/admin/budgets/budget/"
ADD = f"{LIST}add/"


def form(
    organization: str = "acme", project: str | None = None, **fields: str
) -> dict[str, object]:
    owner = Organization.objects.get(slug=organization)
    part = Project.objects.get(organization=owner, slug=project).pk if project else ""
    given = {"name": "", "period": "month", "limit": "100", "warn_percent": "80", "enabled": "on"}
    return {"organization": owner.pk, "project": part, **given, **fields}


def errors(client: Client, **fields: str) -> str:
    answer = client.post(ADD, form(**fields))
    assert answer.status_code == 200
    return str(answer.context["adminform"].form.errors)


def test_the_list_shows_how_budgets_stand(usage: None, admin_client: Client) -> None:
    # 100,000 tokens at 3 dollars a million.
    send([event("now", datetime.now(UTC), project="web", input_tokens=100_000)])
    budget(project="web", limit="0.25", period="day")
    budget("globex", limit="10", name="Globex as a whole")
    budget("globex", project="site", enabled=False)

    page = admin_client.get(LIST).content.decode()

    assert "acme / web · daily" in page
    assert "over · 120 %" in page
    assert "$0.05 over" in page
    assert "Globex as a whole · monthly" in page
    assert '<span class="tm-badge">off</span>' in page
    assert "organization=acme" in page


def test_an_administrator_sets_and_changes_budgets_and_is_remembered(
    administrator: Client,
) -> None:
    assert administrator.post(ADD, form(project="web", limit="12.5")).status_code == 302

    made = Budget.objects.get()
    assert (made.limit, made.created_by, str(made)) == (
        Decimal("12.5"),
        User.objects.get(username="adam"),
        "acme / web · monthly",
    )
    url = reverse("admin:budgets_budget_change", args=[made.pk])
    assert 'value="12.5"' in administrator.get(url).content.decode()
    assert administrator.post(url, form(project="web", limit="20", name="Web")).status_code == 302
    made.refresh_from_db()
    assert made.limit == 20
    assert made.name == "Web"
    assert LogEntry.objects.filter(object_id=str(made.pk)).count() == 2


def test_an_administrator_sets_no_budget_of_another_organization(administrator: Client) -> None:
    assert "organization" in errors(administrator, organization="globex")
    foreign = budget("globex")
    url = reverse("admin:budgets_budget_change", args=[foreign.pk])

    assert administrator.get(url).status_code == 302
    assert administrator.post(url, form("globex", limit="1")).status_code == 302
    foreign.refresh_from_db()
    assert foreign.limit == 5
    assert "globex" not in administrator.get(LIST).content.decode()


def test_a_viewer_sees_budgets_and_changes_none(viewer: Client) -> None:
    mine = budget()
    url = reverse("admin:budgets_budget_change", args=[mine.pk])

    assert "acme · monthly" in viewer.get(LIST).content.decode()
    assert viewer.get(url).status_code == 200
    assert viewer.post(url, form(limit="1")).status_code == 403
    assert viewer.get(ADD).status_code == 403


def test_who_sees_no_organization_has_no_budgets(usage: None, client: Client) -> None:
    budget()
    client.force_login(staff("nina"))

    assert client.get(LIST).status_code == 403


def test_budgets_are_never_deleted(usage: None, admin_client: Client) -> None:
    url = reverse("admin:budgets_budget_delete", args=[budget().pk])

    assert admin_client.post(url, {"post": "yes"}).status_code == 403


def test_what_makes_no_sense_is_refused_with_a_reason(usage: None, admin_client: Client) -> None:
    budget(project="web")

    assert "greater than or equal to 0" in errors(admin_client, limit="-1")
    assert "less than or equal to 100" in errors(admin_client, warn_percent="101")
    assert "greater than or equal to 1" in errors(admin_client, warn_percent="0")
    assert "an enabled budget of this name" in errors(admin_client, project="web")
    elsewhere = Project.objects.get(slug="site").pk
    answer = admin_client.post(ADD, {**form(), "project": elsewhere})
    assert "belongs to another organization" in answer.content.decode()


@pytest.mark.parametrize(
    "broken", [{"limit": Decimal(-1)}, {"warn_percent": 0}, {"warn_percent": 101}]
)
def test_the_database_refuses_it_too(usage: None, broken: dict[str, object]) -> None:
    made = budget()

    with pytest.raises(IntegrityError), transaction.atomic():
        Budget.objects.filter(pk=made.pk).update(**broken)


def test_the_database_keeps_one_enabled_budget_of_a_name(usage: None) -> None:
    budget()
    budget(enabled=False)
    budget(name="second")

    with pytest.raises(IntegrityError), transaction.atomic():
        budget()


def test_a_link_fills_the_form_in_for_those_who_may(usage: None, administrator: Client) -> None:
    adam = User.objects.get(username="adam")
    url = budget_add_url(adam, "acme", "web")

    initial = administrator.get(url).context["adminform"].form.initial
    acme = Organization.objects.get(slug="acme")
    assert initial["organization"] == acme.pk
    assert initial["project"] == Project.objects.get(organization=acme, slug="web").pk
    assert budget_add_url(adam) == ADD
    assert budget_add_url(adam, "globex") == ""
    assert budget_add_url(staff("vera", "acme"), "acme") == ""
    foreign = administrator.get(f"{ADD}?organization=globex&project=site")
    assert "organization" not in foreign.context["adminform"].form.initial


def test_the_list_reads_many_budgets_with_as_many_statements_as_few(
    usage: None, admin_client: Client
) -> None:
    def statements() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert admin_client.get(LIST).status_code == 200
        return len(captured)

    budget()
    budget("globex")
    statements()
    few = statements()
    for number in range(40):
        budget(name=f"budget {number}")

    assert statements() == few


def test_the_demonstration_shows_budgets_of_every_level(catalogue: None) -> None:
    now = datetime(2026, 11, 20, 15, 30, tzinfo=UTC)
    fill(Plan(1, now, 40, 0.02), lambda _: None)
    settle()

    set_demo_budgets(now)
    set_demo_budgets(now)

    levels = [state.level for state in read_states(EVERYTHING, now)]
    assert levels == [Level.OVER, Level.WARN, Level.WARN, Level.OK, Level.OK, Level.OK]
