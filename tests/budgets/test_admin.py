from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from budgets.links import budget_add_url, budget_url
from budgets.models import Budget, BudgetChange
from budgets.setting import Level
from tests.budgets.budget_values import budget
from tests.config.site_data import event, send, staff
from usage.models import Organization, Project, Subject, Team

LIST = "/admin/budgets/budget/"
ADD = f"{LIST}add/"
EMPTY = ("project", "team", "subject", "api_key", "provider", "model", "action", "agent_type",
         "per", "starts_on", "currency", "name", "contact")  # fmt: skip


def form(
    organization: str | None = "acme",
    project: str | None = None,
    levels: tuple[tuple[str, str], ...] = (),
    **fields: Any,
) -> dict[str, object]:
    owner = Organization.objects.get(slug=organization) if organization else None
    part = Project.objects.get(organization=owner, slug=project).pk if project else ""
    given = {
        **dict.fromkeys(EMPTY, ""), "measure": "cost", "period": "month", "limit": "100",
        "enforcement": "soft", "unpriced": "estimate", "enabled": "on", "priority": "0",
        "organization": owner.pk if owner else "", "project": part,
    }  # fmt: skip
    rows: dict[str, object] = {
        "thresholds-TOTAL_FORMS": len(levels), "thresholds-INITIAL_FORMS": 0,
    }  # fmt: skip
    for number, (percent, amount) in enumerate(levels):
        rows |= {f"thresholds-{number}-percent": percent, f"thresholds-{number}-amount": amount}
    return {**given, **rows, **fields}


def errors(client: Client, organization: str | None = "acme", **fields: Any) -> str:
    answer = client.post(ADD, form(organization, **fields))
    assert answer.status_code == 200
    return answer.content.decode()


def change_url(row: Budget) -> str:
    return reverse("admin:budgets_budget_change", args=[row.pk])


def test_the_list_shows_how_budgets_stand_in_their_order(usage: None, admin_client: Client) -> None:
    # 100,000 tokens at 3 dollars a million.
    send([event("now", datetime.now(UTC), project="web", subject="ann", input_tokens=100_000)])
    budget(project="web", limit="0.25", period="day")
    budget("globex", limit="10", name="Globex as a whole")
    budget("globex", project="site", enabled=False)
    budget("globex", project="site", limit="1000", measure="tokens", priority=-1)
    budget(limit="0.4", per="subject", period="day", enforcement="hard")
    budget(None, limit=None)

    page = admin_client.get(LIST).content.decode()

    for told in (
        "acme / web · daily", "over · 120 %", "$0.05 over", "Globex as a whole · monthly",
        "0 tokens", "1,000 tokens", '<span class="tm-badge">off</span>', "no limit", "blocks",
        "ann", "ok · 75 %", "organization=acme", "subject=ann",
    ):  # fmt: skip
        assert told in page, told
    rows = [str(row) for row in admin_client.get(LIST).context["cl"].result_list]
    assert rows == [
        "globex / site · monthly", "all organizations · monthly", "Globex as a whole · monthly",
        "acme / web · daily", "globex / site · monthly", "each person of acme · daily",
    ]  # fmt: skip
    hard = admin_client.get(f"{LIST}?enforcement__exact=hard").content.decode()
    assert "each person of acme" in hard
    assert "Globex as a whole" not in hard
    found = admin_client.get(f"{LIST}?q=web").context["cl"].result_list
    assert [str(row) for row in found] == ["acme / web · daily"]


def test_an_administrator_sets_and_changes_budgets_and_is_remembered(
    administrator: Client,
) -> None:
    team = Team.objects.create(organization=Organization.objects.get(slug="acme"), slug="core")
    levels = (("50", ""), ("", "11.5"))
    given = form(project="web", limit="12.5", levels=levels, team=team.pk, per="subject",
                 enforcement="hard", contact="ops@acme.example", model="gpt-5")  # fmt: skip
    answer = administrator.post(ADD, given)
    made = Budget.objects.get()
    assert answer.status_code == 302
    assert answer["Location"] == budget_url(made)
    adam = User.objects.get(username="adam")
    assert (made.limit, made.created_by, made.is_hard) == (Decimal("12.5"), adam, True)
    assert made.scope == "each person of acme / web / team core / model gpt-5"
    kept = {Level(row.percent, row.amount) for row in made.thresholds.all()}
    assert kept == {Level(percent=Decimal(50)), Level(amount=Decimal("11.5"))}
    page = administrator.get(change_url(made)).content.decode()
    assert 'value="12.5"' in page
    assert "begins a new window" in page

    rows: dict[str, Any] = {"thresholds-TOTAL_FORMS": 3, "thresholds-INITIAL_FORMS": 2}
    for number, row in enumerate(made.thresholds.order_by("percent")):
        rows |= {f"thresholds-{number}-id": row.pk, f"thresholds-{number}-budget": made.pk}
    rows |= {"thresholds-0-percent": "60", "thresholds-1-DELETE": "on",
            "thresholds-1-amount": "11.5", "thresholds-2-percent": "90"}  # fmt: skip
    changed = form(project="web", limit="20", name="Web", **rows)
    assert administrator.post(change_url(made), changed).status_code == 302
    made.refresh_from_db()
    assert (made.limit, made.name, made.per) == (Decimal(20), "Web", "")
    assert made.team is None
    assert sorted(row.percent or 0 for row in made.thresholds.all()) == [60, 90]
    assert LogEntry.objects.filter(object_id=str(made.pk)).count() == 2
    latest, first = BudgetChange.objects.all()
    assert (first.before, latest.made_by) == ({}, adam)
    assert (latest.before["limit"], latest.after["limit"]) == ("12.5", "20")


def test_an_administrator_sets_no_budget_of_another_organization_or_of_the_site(
    administrator: Client,
) -> None:
    assert "Select a valid choice" in errors(administrator, "globex")
    assert "This field is required" in errors(administrator, organization=None)
    zoe = Subject.objects.get(key="zoe")
    assert "Select a valid choice" in errors(administrator, subject=zoe.pk)
    foreign, whole = budget("globex", contact="zoe"), budget(None)
    for row in (foreign, whole):
        assert administrator.get(change_url(row)).status_code == 302
        assert administrator.post(change_url(row), form("globex", limit="1")).status_code == 302
        for name in ("page", "raise"):
            url = reverse(f"admin:budgets_budget_{name}", args=[row.pk])
            assert administrator.get(url).status_code == 404
        row.refresh_from_db()
        assert row.limit == 5
    text = administrator.get(LIST).content.decode()
    assert "globex" not in text
    assert "all organizations" not in text
    assert "globex" not in administrator.get(ADD).content.decode()


@pytest.mark.parametrize("field", ["project", "team", "subject", "api_key"])
def test_fields_suggest_only_what_may_be_limited(administrator: Client, field: str) -> None:
    globex = Organization.objects.get(slug="globex")
    Team.objects.create(organization=globex, slug="core")
    staff("gus", "globex")
    asked = {"app_label": "budgets", "model_name": "budget", "field_name": field}

    def suggested(client: Client, term: str = "") -> list[str]:
        found = client.get(reverse("admin:autocomplete"), {**asked, "term": term}).json()["results"]
        return [row["text"] for row in found]

    mine = {"project": ["acme / api", "acme / web"], "subject": ["acme / ann", "acme / bob"]}
    assert suggested(administrator) == mine.get(field, [])
    if field == "project":
        # Who may look at an organization does not thereby set its budgets.
        membership = User.objects.get(username="adam").memberships
        membership.create(organization=globex, role="viewer")
        assert suggested(administrator, "site") == []
        boss = Client()
        boss.force_login(User.objects.create_superuser("boss"))
        assert suggested(boss, "globex") == ["globex / site"]


def test_a_superuser_limits_all_organizations_together(usage: None, admin_client: Client) -> None:
    assert admin_client.post(ADD, form(None, per="organization")).status_code == 302
    assert Budget.objects.get().scope == "each organization of all organizations"
    web = Project.objects.get(slug="web").pk
    answer = admin_client.post(ADD, {**form(None), "project": web})
    assert "Name the organization that it belongs to." in answer.content.decode()


def test_a_viewer_sees_budgets_and_changes_none(viewer: Client) -> None:
    mine = budget()

    assert "acme · monthly" in viewer.get(LIST).content.decode()
    page = viewer.get(budget_url(mine))
    assert page.status_code == 200
    assert "Raise for a while" not in page.text
    assert viewer.get(change_url(mine)).status_code == 200
    assert viewer.post(change_url(mine), form(limit="1")).status_code == 403
    assert viewer.get(ADD).status_code == 403
    assert viewer.get(reverse("admin:budgets_budget_raise", args=[mine.pk])).status_code == 403


def test_who_sees_no_organization_has_no_budgets(usage: None, client: Client) -> None:
    mine = budget()
    client.force_login(staff("nina"))

    for name in ("budget", "decision", "reservation"):
        assert client.get(reverse(f"admin:budgets_{name}_changelist")).status_code == 403
    assert client.get(budget_url(mine)).status_code == 404


def test_budgets_are_never_deleted(usage: None, admin_client: Client) -> None:
    url = reverse("admin:budgets_budget_delete", args=[budget().pk])

    assert admin_client.post(url, {"post": "yes"}).status_code == 403


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"limit": "-1"}, "greater than or equal to 0"),
        ({"levels": (("0", ""),)}, "greater than or equal to 0.01"),
        ({"levels": (("80", "5"),)}, "either a percentage or an amount"),
        ({"levels": (("80", ""), ("80.0", ""))}, "stands here twice"),
        ({"currency": "xts"}, "No exchange rate from XTS"),
        ({"measure": "tokens", "currency": "EUR"}, "Only a limit of cost has a currency"),
        ({"starts_on": "2026-11-01"}, "Only a total counts from a day on"),
        ({"project": "web"}, "an enabled budget of this name"),
        ({"project": "web", "per": "project"}, "The scope names one already"),
    ],
)
def test_what_makes_no_sense_is_refused_with_a_reason(
    usage: None, admin_client: Client, wrong: dict[str, Any], told: str
) -> None:
    budget(project="web")

    assert told in errors(admin_client, **wrong)
    assert Budget.objects.count() == 1


def test_a_project_of_another_organization_is_refused(usage: None, admin_client: Client) -> None:
    elsewhere = Project.objects.get(slug="site").pk
    answer = admin_client.post(ADD, {**form(), "project": elsewhere})
    assert "belongs to another organization" in answer.content.decode()


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

    budget(per="subject")
    budget("globex", per="project")
    statements()
    few = statements()
    for number in range(20):
        budget(name=f"budget {number}", per="subject", now=datetime.now(UTC) - timedelta(hours=1))

    assert statements() == few
