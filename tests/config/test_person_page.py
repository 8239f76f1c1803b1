from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from tests.config.site_data import OPUS, at, event, send
from usage.models import Subject

pytestmark = pytest.mark.django_db

DAYS = "range=custom&from=2026-11-09&through=2026-11-13"


def person(client: Client, organization: str, key: str, query: str = DAYS) -> Any:
    url = reverse("admin:subject_page", args=(organization, key))
    return client.get(f"{url}?{query}")


def test_a_person_page_shows_what_that_person_used_and_nothing_else(
    admin_client: Client, usage: None
) -> None:
    page = person(admin_client, "acme", "ann")

    assert page.status_code == 200
    assert [card.value for card in page.context["cards"]] == ["$2.60", "600.5 k", "3", "0"]
    assert page.context["cards"][0].unpriced == 1
    projects, models, agents = page.context["panels"]
    assert [row.name for row in projects.rows] == ["api", "web", "not given"]
    assert [row.name for row in models.rows] == [OPUS, "claude-sonnet-4-5", "llama-farm-7b"]
    assert [row.name for row in agents.rows] == ["not given"]
    assert projects.rows[0].url.startswith("/admin/projects/acme/api/")
    assert "subject=ann" in projects.rows[0].events_url
    assert [row.episode.id for row in page.context["rows"]] == ["s1"]
    assert page.context["rows"][0].link.url.startswith("/admin/sessions/acme/s1/")


def test_a_person_page_says_who_it_is(admin_client: Client, usage: None) -> None:
    send([event("t", at(12), subject="tim", team="core", input_tokens=10)])
    Subject.objects.filter(key="tim").update(email="tim@acme.example", display_name="Tim T.")

    page = person(admin_client, "acme", "tim")

    assert page.context["title"] == "Tim T."
    assert page.context["teams"] == ["core"]
    assert "tim@acme.example" in page.text
    assert page.context["owner"].url.startswith("/admin/organizations/acme/")


def test_calls_are_listed_newest_first_in_pages_whatever_the_range(
    admin_client: Client, usage: None
) -> None:
    page = person(admin_client, "acme", "ann", "range=today&limit=2")

    assert page.context["events_total"] == 3
    assert [call.instant for call, _ in page.context["calls"]] == [
        "2026-11-12T12:00:00Z",
        "2026-11-11T12:00:00Z",
    ]
    assert "offset=2" in page.context["next_url"]
    assert page.context["previous_url"] == ""
    after = person(admin_client, "acme", "ann", "limit=2&offset=2")
    assert [call.instant for call, _ in after.context["calls"]] == ["2026-11-10T12:00:00Z"]
    assert after.context["next_url"] == ""
    assert "limit=2" in after.context["previous_url"]
    assert "offset" not in after.context["previous_url"]


@pytest.mark.parametrize("limit", ["0", "-3", "x", "", "9999999999"])
def test_a_limit_that_is_none_means_fifty(
    admin_client: Client, catalogue: None, limit: str
) -> None:
    send(event(n, at(10) + timedelta(seconds=n), subject="ann") for n in range(52))

    page = person(admin_client, "acme", "ann", f"limit={limit}")

    assert len(page.context["calls"]) == 50


def test_dearest_sessions_show_the_part_of_this_person_only(
    admin_client: Client, catalogue: None
) -> None:
    send(
        [
            event(1, at(10), subject="ann", session_id="shared", input_tokens=100_000),
            event(2, at(10, 13), subject="bob", session_id="shared", input_tokens=200_000),
            event(3, at(10, 14), subject="ann", session_id="shared", status="error"),
            event(4, at(9), subject="ann", session_id="own", input_tokens=200_000),
        ]
    )

    latest = person(admin_client, "acme", "ann").context["rows"]
    dearest = person(admin_client, "acme", "ann", f"{DAYS}&sessions=dearest").context["rows"]

    assert [(row.episode.id, row.amount) for row in latest] == [
        ("shared", "$0.3000"),
        ("own", "$0.6000"),
    ]
    assert [row.episode.id for row in dearest] == ["own", "shared"]
    assert dearest[1].episode.sums.events == 2
    assert latest[0].episode.status == dearest[1].episode.status == "partial"


def test_the_page_of_a_person_of_another_organization_is_not_found(
    viewer: Client, administrator: Client
) -> None:
    for client in (viewer, administrator):
        assert person(client, "acme", "ann").status_code == 200
        assert person(client, "globex", "zoe").status_code == 404
        assert person(client, "acme", "zoe").status_code == 404
        assert person(client, "acme", "nobody").status_code == 404
        assert "globex" not in person(client, "acme", "ann").text
        assert "globex" not in person(client, "acme", "ann", "organization=globex").text


def test_only_who_may_change_a_person_is_offered_to(viewer: Client, administrator: Client) -> None:
    ann = Subject.objects.get(key="ann")
    edit = reverse("admin:usage_subject_change", args=(ann.pk,))

    assert edit in person(administrator, "acme", "ann").text
    assert edit not in person(viewer, "acme", "ann").text


def test_a_person_page_asks_as_much_of_many_names_as_of_few(
    admin_client: Client, catalogue: None
) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as asked:
            assert person(admin_client, "acme", "ann").status_code == 200
        return len(asked)

    def some(first: int, count: int) -> None:
        send(
            event(n, at(10) + timedelta(minutes=n), subject="ann", project=f"p{n}",
                  model=f"m{n}", agent_type=f"a{n}", session_id=f"s{n}", team=f"t{n}")
            for n in range(first, first + count)
        )  # fmt: skip

    some(0, 7)
    few = queries()
    some(7, 50)

    assert queries() == few <= 64


def test_a_person_without_usage_in_the_range_has_a_page(admin_client: Client, usage: None) -> None:
    page = person(admin_client, "acme", "ann", "range=custom&from=2026-01-01&through=2026-01-02")

    assert page.context["cards"][0].value == "$0.00"
    assert "No usage in this range" in page.text
    assert page.context["rows"] == []
