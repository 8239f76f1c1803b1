import pytest
from django.test import Client

from tests.config.project_data import WEB, a_project_month, job, shown, stop_the_clock
from tests.config.site_data import at, send, staff
from usage.models import Organization, Project

pytestmark = pytest.mark.django_db
HOME = "/admin/ai-cost/"
THEIRS = "/admin/projects/globex/web/ai-cost/"


@pytest.fixture(autouse=True)
def month(catalogue: None, monkeypatch: pytest.MonkeyPatch) -> None:
    stop_the_clock(monkeypatch)
    a_project_month()


@pytest.fixture
def member() -> Client:
    client = Client()
    client.force_login(staff("vera", "acme"))
    return client


def test_the_sidebar_leads_to_the_project_with_most_spend_this_month(
    admin_client: Client, member: Client
) -> None:
    assert admin_client.get(f"{HOME}?range=7d")["Location"] == (
        "/admin/projects/acme/api/ai-cost/?range=7d"
    )
    send([job("g2", at(19), organization="globex", output_tokens=1_000_000)])
    assert admin_client.get(HOME)["Location"] == THEIRS
    assert member.get(HOME)["Location"] == "/admin/projects/acme/api/ai-cost/"
    assert admin_client.post(HOME).status_code == 405


def test_projects_without_usage_this_month_are_led_to_too(
    member: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop_the_clock(monkeypatch, at(2).replace(month=12))

    assert member.get(HOME)["Location"] == "/admin/projects/acme/api/ai-cost/"


def test_who_sees_no_project_is_told_how_one_appears(db: None) -> None:
    Organization.objects.create(slug="empty")
    client = Client()
    client.force_login(staff("eve", "empty"))
    assert "No usage yet" in client.get(HOME).text

    elsewhere = Organization.objects.create(slug="elsewhere")
    Project.objects.filter(organization__slug="acme").update(organization=elsewhere)
    client.force_login(staff("vera", "acme"))
    answer = client.get(HOME)
    assert answer.status_code == 200
    assert "No project yet" in answer.text
    assert '"project": "web"' in answer.text.replace("&quot;", '"')


def test_the_entry_of_the_sidebar_is_current_on_every_project(member: Client) -> None:
    groups = shown(member).context["available_apps"]
    current = [each["name"] for group in groups for each in group["models"] if each["current"]]

    assert current == ["AI Cost & Budget"]


def test_one_can_turn_to_another_project_and_keep_the_view(member: Client) -> None:
    answer = shown(member, "range=7d&tab=runs&agent_type=research")
    projects = [f"{each.organization.slug}/{each.slug}" for each in answer.context["projects"]]
    assert projects == ["acme/api", "acme/web"]
    assert answer.context["kept_parts"] == [
        ("range", "7d"),
        ("tab", "runs"),
        ("group", "agent_type"),
    ]

    number = Project.objects.get(organization__slug="acme", slug="web").pk
    assert member.get(f"{HOME}?range=7d&to={number}")["Location"] == f"{WEB}?range=7d"


def test_projects_of_others_are_not_found_and_nowhere_named(member: Client) -> None:
    theirs = Project.objects.get(organization__slug="globex", slug="web")
    for path in (
        THEIRS,
        "/admin/projects/globex/web/",
        f"{HOME}?to={theirs.pk}",
        f"{HOME}?to=none",
        f"{HOME}?to=" + "9" * 30,
        "/admin/projects/acme/web%00/ai-cost/",
    ):
        assert member.get(path).status_code == 404, path
    for tab in ("agents", "months", "runs", "recent"):
        page = shown(member, f"tab={tab}&organization=globex&range=90d").text
        assert "secretive" not in page
        assert "/globex/" not in page


def test_projects_of_one_name_keep_their_usage_apart(admin_client: Client) -> None:
    ours, theirs = shown(admin_client), shown(admin_client, path=THEIRS)

    assert [card.value for card in ours.context["cards"]][:3] == ["$2.70", "420.5 k", "4"]
    assert [card.value for card in theirs.context["cards"]][:3] == ["$1.00", "40.0 k", "1"]
    runs = [
        [
            (row.run.organization, row.run.id)
            for row in shown(admin_client, "tab=runs", path).context["rows"]
        ]
        for path in (WEB, THEIRS)
    ]
    assert runs == [[("acme", "r1"), ("acme", "r2")], [("globex", "r1")]]
    recent = shown(admin_client, "tab=recent", THEIRS).context["rows"]
    assert [row.label for row in recent] == ["secretive"]
    assert [row.cost for row in shown(admin_client, "tab=months", THEIRS).context["rows"]][-2:] == [
        0, 1,
    ]  # fmt: skip


def test_anonymous_users_are_sent_to_sign_in(client: Client) -> None:
    for path in (HOME, WEB, "/admin/projects/acme/web/"):
        assert "/admin/login/" in client.get(path)["Location"]
