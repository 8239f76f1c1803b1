from datetime import UTC, datetime, timedelta

from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.budgets.budget_values import budget
from tests.config.dashboard_routes import data, shared_pages
from tests.config.site_data import SONNET, UNKNOWN, event, send

MOST = 90
OWN = (
    "/admin/organizations/acme/",
    "/admin/projects/acme/web/ai-cost/",
    "/admin/people/acme/ann/",
    "/admin/sessions/acme/s/",
    "/admin/runs/acme/r/",
    "/admin/models/anthropic/claude-sonnet-4-5/",
)


def statements(client: Client, paths: list[str]) -> dict[str, int]:
    counted = {}
    for path in paths:
        with CaptureQueriesContext(connection) as captured:
            answer = client.get(path, follow=True)
            if answer.streaming:
                answer.getvalue()
        assert answer.status_code == 200, path
        counted[path] = len(captured)
    return counted


def few_of_everything() -> None:
    kinds = [(slug, model) for slug in ("acme", "globex") for model in (UNKNOWN, SONNET)]
    send(
        event(n, datetime.now(UTC) - timedelta(hours=n), organization=slug, project="web",
              subject="ann", team="core", session_id="s", run_id="r", agent_type="review",
              action="chat", input_tokens=1000, model=model)
        for n, (slug, model) in enumerate(kinds)
    )  # fmt: skip
    budget("acme", limit="0.001")
    for period in ("day", "month", "year"):
        budget("globex", project="web", limit="1000", period=period)


def more_of_everything() -> None:
    now = datetime.now(UTC)
    send(
        event(
            f"more-{n}",
            now - timedelta(days=n % 28, minutes=n),
            organization="acme" if n % 3 else "globex",
            project=f"project {n}",
            subject=f"person {n}",
            team=f"team {n % 20}",
            agent_type=f"agent {n % 20}",
            action=f"action {n % 20}",
            model=UNKNOWN if n % 9 == 0 else SONNET,
            session_id=f"session {n}",
            run_id=f"run {n}",
            input_tokens=1000 * n,
            status="error" if n % 7 == 0 else "success",
        )
        for n in range(1, 61)
    )
    for n in range(1, 41):
        budget("acme" if n % 3 else "globex", project=f"project {n}", limit=str(n))


def test_pages_ask_as_often_about_many_names_as_about_few(catalogue: None) -> None:
    few_of_everything()
    client = Client()
    client.force_login(User.objects.create_superuser("root", password="pw"))
    paths = [*shared_pages(), *OWN, *data()]
    statements(client, paths)
    few = statements(client, paths)

    more_of_everything()
    # The first page after a change of budgets reads them anew.
    client.get("/admin/")

    many = statements(client, paths)
    grown = {path: (few[path], many[path]) for path in paths if many[path] > few[path]}
    assert grown == {}
    assert max(many.values()) <= MOST, many
