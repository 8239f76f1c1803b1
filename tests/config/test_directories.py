import csv
import io
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from config.dashboards import directory_rows
from config.dashboards.links import DIRECTORIES
from tests.budgets.budget_values import budget
from tests.config.site_data import OPUS, SONNET, UNKNOWN, at, event, send
from usage.models import Organization, Project, Subject
from usage.organizations import ensure_organization

pytestmark = pytest.mark.django_db
DAYS = "range=custom&from=2026-11-09&through=2026-11-13"


def page(client: Client, name: str, query: str = "") -> Any:
    answer = client.get(f"/admin/{name}/?{DAYS}&{query}")
    assert answer.status_code == 200
    return answer


def rows(answer: Any) -> list[Any]:
    found: list[Any] = answer.context["directory"].rows
    return found


def names(answer: Any) -> list[str]:
    return [line.row.name for line in rows(answer)]


def unused(answer: Any) -> list[str]:
    return [line.name for line in answer.context["directory"].unused]


def file_of(client: Client, name: str, query: str = "") -> list[dict[str, str]]:
    answer = client.get(reverse(f"admin:{name}_csv") + f"?{DAYS}&{query}")
    assert answer.status_code == 200
    text = b"".join(answer.streaming_content).decode()  # type: ignore[attr-defined]
    return list(csv.DictReader(io.StringIO(text)))


def counted(client: Client, name: str) -> int:
    page(client, name)
    with CaptureQueriesContext(connection) as queries:
        page(client, name)
    return len(queries)


def spenders(numbers: Iterable[int]) -> None:
    send(
        event(n, at(10), subject=f"p{n:02}", project=f"r{n:02}", model=f"m{n:02}", input_tokens=n)
        for n in numbers
    )


def test_organizations_are_listed_with_what_they_used(admin_client: Client, usage: None) -> None:
    answer = page(admin_client, "organizations")
    acme, globex = rows(answer)
    assert (acme.row.name, acme.row.cost, acme.row.sums.events) == ("acme", Decimal("4.43"), 5)
    # One of five failed; 100,000 of 800,500 input tokens came from the cache; $4.43 for the four
    # requests that have a price.
    assert acme.figures.failed == 20
    assert f"{acme.figures.cached:.2f}" == "12.49"
    assert acme.figures.per_request == "$1.1075"
    assert (globex.row.name, globex.row.cost) == ("globex", Decimal("1.00"))
    totals = answer.context["directory"].totals
    assert (totals.cost, totals.sums.events) == (Decimal("5.43"), 6)
    assert answer.context["spend"].plot.series[0].name == "acme"


def test_people_are_told_by_their_names_beside_their_keys(
    admin_client: Client, usage: None
) -> None:
    Subject.objects.filter(key="ann").update(display_name="Ann Lee", email="ann@acme.example")
    answer = page(admin_client, "people")
    ann = rows(answer)[0]
    assert (ann.row.name, ann.told) == ("acme / ann", "Ann Lee · ann@acme.example")
    assert [line.told for line in rows(answer)[1:]] == ["", "", ""]


def test_models_stand_with_their_provider_and_unknown_cost_is_unpriced(
    admin_client: Client, usage: None
) -> None:
    found = {line.row.name: line for line in rows(page(admin_client, "models"))}
    assert list(found) == [OPUS, SONNET, UNKNOWN]
    assert found[OPUS].told == "anthropic"
    assert found[UNKNOWN].row.cost is None
    assert found[UNKNOWN].figures.per_request == ""


def test_names_lead_to_pages_and_amounts_to_events(admin_client: Client, usage: None) -> None:
    answer = page(admin_client, "projects")
    api = next(line for line in rows(answer) if line.row.name == "acme / web")
    assert api.row.url.startswith("/admin/projects/acme/web/ai-cost/?range=custom&from=2026-11-09")
    shown = admin_client.get(api.row.events_url)
    assert shown.context["cl"].result_count == 2
    nothing = next(line for line in rows(answer) if line.row.name == "acme / not given")
    assert "project=%28none%29" in nothing.row.url
    failed = admin_client.get(nothing.errors_url)
    assert failed.context["cl"].result_count == 1


@pytest.mark.parametrize(
    ("order", "first", "last"),
    [
        ("-cost", "acme / ann", "acme / not given"),
        ("cost", "acme / not given", "acme / ann"),
        ("-events", "acme / ann", "globex / zoe"),
        ("name", "acme / not given", "globex / zoe"),
        ("-name", "globex / zoe", "acme / not given"),
        ("-secret", "acme / ann", "acme / not given"),
    ],
)
def test_columns_order_the_whole_table(
    admin_client: Client, usage: None, order: str, first: str, last: str
) -> None:
    # ann: $2.60 in three requests; bob: $1.50; zoe: $1.00; nobody: $0.33.
    found = names(page(admin_client, "people", f"order={order}"))
    assert (found[0], found[-1]) == (first, last)


def test_headings_say_and_turn_the_order(admin_client: Client, usage: None) -> None:
    headings = {
        h.label: h for h in page(admin_client, "people", "order=-events").context["headings"]
    }
    assert headings["Requests"].sorted == "descending"
    assert "order=events" in headings["Requests"].url
    assert "order=-cost" in headings["Spend"].url
    assert "order=name" in headings["Name"].url
    assert headings["Share"].url == ""


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("people", "LEE", ["acme / ann"]),
        ("people", "@globex", ["globex / zoe"]),
        ("projects", "WE", ["acme / web"]),
        ("organizations", "glo", ["globex"]),
        ("models", "sonnet", [SONNET]),
        ("models", "%00", [OPUS, SONNET, UNKNOWN]),
        ("people", "nobody-at-all", []),
    ],
)
def test_a_text_finds_names(
    admin_client: Client, usage: None, name: str, text: str, expected: list[str]
) -> None:
    Subject.objects.filter(key="ann").update(display_name="Ann Lee")
    Subject.objects.filter(key="zoe").update(email="zoe@globex.example")
    answer = page(admin_client, name, f"q={text}")
    assert names(answer) == expected
    assert answer.context["directory"].totals.cost == sum(
        (line.row.sums.cost for line in rows(answer)), Decimal(0)
    )
    if not expected:
        assert "Nothing here is called “nobody-at-all”" in answer.text


def test_a_search_stays_within_what_is_filtered_for(admin_client: Client, usage: None) -> None:
    assert names(page(admin_client, "people", "q=o&subject=bob")) == ["acme / bob"]
    assert names(page(admin_client, "people", "q=zoe&subject=bob")) == []
    assert names(page(admin_client, "organizations", "q=o&organization=acme")) == []


def test_pages_follow_each_other_to_the_end(
    admin_client: Client, usage: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(directory_rows, "ROWS", 2)
    first = page(admin_client, "people")
    assert names(first) == ["acme / ann", "acme / bob"]
    second = admin_client.get("/admin/people/" + first.context["next_url"])
    assert names(second) == ["globex / zoe", "acme / not given"]
    assert second.context["next_url"] == ""
    assert "after=" not in second.context["first_url"]
    assert second.context["directory"].totals == first.context["directory"].totals
    assert "after=" not in second.context["csv_url"]
    assert names(page(admin_client, "people", "after=nonsense")) == names(first)


def test_what_nobody_used_comes_last_unless_it_is_filtered_away(
    admin_client: Client, usage: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    ensure_organization("idle")
    acme = Organization.objects.get(slug="acme")
    Project.objects.create(organization=acme, slug="later", name="Later on")
    Project.objects.create(organization=acme, slug="gone", archived_at=at(1))
    assert unused(page(admin_client, "organizations")) == ["idle"]
    answer = page(admin_client, "projects")
    assert unused(answer) == ["acme / later"]
    assert "no usage in this range" in answer.text
    assert answer.context["directory"].unused[0].told == "Later on"
    assert unused(page(admin_client, "projects", "organization=globex")) == []
    assert unused(page(admin_client, "projects", "q=later")) == ["acme / later"]
    assert unused(page(admin_client, "projects", f"model={SONNET}")) == []
    monkeypatch.setattr(directory_rows, "ROWS", 3)
    first = page(admin_client, "projects")
    assert unused(first) == []
    last = admin_client.get("/admin/projects/" + first.context["next_url"])
    assert unused(last) == ["acme / later"]


def test_spend_is_compared_with_the_period_before(admin_client: Client, usage: None) -> None:
    # Five days before the 9th nobody was there; on the 11th against the 10th acme fell.
    assert {line.change for line in rows(page(admin_client, "organizations"))} == {"new"}
    day = "range=custom&from=2026-11-11&through=2026-11-11"
    answer = admin_client.get(f"/admin/organizations/?{day}")
    # $2.00 after $2.10.
    assert rows(answer)[0].change == "▼ 5 %"


def test_budgets_stand_beside_their_organizations_and_projects(
    admin_client: Client, usage: None
) -> None:
    for name, project, limit in (("b", None, "10"), ("a", None, "5"), ("c", "web", "100")):
        budget(limit=limit, project=project, period="year", name=name)
    found = {line.row.name: line.budget for line in rows(page(admin_client, "organizations"))}
    assert found["acme"].limit == 5
    assert found["globex"] is None
    projects = {line.row.name: line.budget for line in rows(page(admin_client, "projects"))}
    assert projects["acme / web"].limit == 100
    assert projects["acme / api"] is None


@pytest.mark.parametrize("kind", DIRECTORIES)
def test_the_file_says_what_the_table_says(admin_client: Client, usage: None, kind: str) -> None:
    ensure_organization("idle")
    Subject.objects.filter(key="ann").update(display_name="=Ann", email="ann@acme.example")
    name = DIRECTORIES[kind]
    answer, lines = page(admin_client, name), file_of(admin_client, name)
    used = lines[: len(rows(answer))]
    assert [Decimal(line["cost"]) for line in used] == [r.row.sums.cost for r in rows(answer)]
    assert [int(line["events"]) for line in used] == [r.row.sums.events for r in rows(answer)]
    left = lines[len(used) :]
    assert [
        " / ".join(line[c] for c in list(line)[: 1 + (kind == "project")]) for line in left
    ] == (unused(answer))
    assert answer.context["csv_url"].startswith(f"/admin/{name}.csv?range=custom&from=2026-11-09")
    if kind == "subject":
        assert used[0]["display_name"] == "'=Ann"
        assert used[0]["email"] == "ann@acme.example"
    if kind == "organization":
        assert [Decimal(line["cost"]) for line in left] == [0]


def test_the_file_holds_all_pages_and_what_is_searched_for(
    admin_client: Client, usage: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(directory_rows, "ROWS", 1)
    ordered = file_of(admin_client, "people", "order=name&after=anything")
    assert [line["subject"] for line in ordered] == ["", "ann", "bob", "zoe"]
    assert [line["subject"] for line in file_of(admin_client, "people", "q=bo")] == ["bob"]


@pytest.mark.parametrize("name", DIRECTORIES.values())
def test_members_see_nothing_of_other_organizations(viewer: Client, usage: None, name: str) -> None:
    globex = Organization.objects.get(slug="globex")
    Project.objects.create(organization=globex, slug="secret-one")
    budget("globex", "1", name="theirs")
    for query in ("", "organization=globex", "q=globex", "q=zoe", "q=site", "subject=zoe"):
        answer = page(viewer, name, query)
        shown = {"zoe", "secret-one", "theirs", "$1.00"} - set(query.split("="))
        assert [word for word in shown if word in answer.text] == []
        assert not any("globex" in str(line) for line in (*names(answer), *unused(answer)))
        lines = file_of(viewer, name, query)
        assert not any(word in str(lines) for word in ("globex", "zoe", "site", "secret-one"))


@pytest.mark.parametrize("name", DIRECTORIES.values())
def test_strangers_are_sent_to_the_login(client: Client, name: str) -> None:
    for address in (name, f"{name}_csv"):
        answer = client.get(reverse(f"admin:{address}"))
        assert answer.status_code == 302
        assert "/login/" in answer.headers["Location"]


@pytest.mark.parametrize("name", ["people", "projects", "models"])
def test_questions_do_not_grow_with_the_names(
    admin_client: Client, catalogue: None, name: str
) -> None:
    spenders(range(5))
    few = counted(admin_client, name)
    spenders(range(5, 45))
    assert len(rows(page(admin_client, name))) == 45
    assert counted(admin_client, name) == few


def test_an_empty_site_says_what_will_be_here(admin_client: Client) -> None:
    for name in DIRECTORIES.values():
        assert "No usage yet" in page(admin_client, name).text
