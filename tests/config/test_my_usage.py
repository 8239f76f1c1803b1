from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from tests.config.site_data import OPUS, at, event, send, staff
from usage.models import Membership, Organization, Subject
from usage.selectors.own import own_subjects

pytestmark = pytest.mark.django_db

DAYS = "range=custom&from=2026-11-09&through=2026-11-13"
OTHERS = ("bob", "zoe", "globex", "site", "secret", "s9", "r1")
HOSTILE = (
    "", "organization=globex", "subject=bob", "subject=zoe&organization=globex", "subject=(none)",
    "project=secret", "project=site", "group=subject", "group=organization", "group=project",
    "who=1", "who=x", "session=s9", "run=r1", "team=hidden", "model=claude-opus-4-5",
    "api_key=nothing", "tz=Asia/Kathmandu&step=week", "sessions=dearest", "offset=1&limit=500",
    "currency=EUR", "cursor=x&order=dearest",
)  # fmt: skip


def client_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def known_as(user: User, email: str, *keys: str) -> None:
    user.email = email.upper()
    user.save()
    Subject.objects.filter(key__in=keys).update(email=email)


@pytest.fixture
def ann(usage: None) -> Client:
    """Staff without any membership; ann of acme shares a session and nothing else with bob."""
    send(
        [
            event("b1", at(12), subject="bob", project="secret", team="hidden", model=OPUS,
                  agent_type="bob-agent", session_id="s1", input_tokens=100_000),
        ]
    )  # fmt: skip
    user = staff("ann-login")
    known_as(user, "ann@acme.example", "ann")
    return client_of(user)


def page_of(client: Client, query: str = "") -> Any:
    return client.get(f"{reverse('admin:my_usage')}?{DAYS}&{query}")


def words(text: str) -> Iterator[str]:
    yield from (word for word in OTHERS if f">{word}<" in text or f"={word}" in text)


def test_people_are_known_by_their_address_in_any_case(ann: Client) -> None:
    page = page_of(ann, "sessions=dearest")

    assert [card.value for card in page.context["cards"]] == ["$2.60", "600.5 k", "3", "0"]
    assert page.context["subject"].key == "ann"
    assert page.context["section"] == "My usage"
    assert page.context["events_total"] == 3
    assert [row.episode.id for row in page.context["rows"]] == ["s1"]
    assert page.context["rows"][0].amount == "$0.6000"
    assert page.context["rows"][0].project.text == "web"


@pytest.mark.parametrize("query", HOSTILE)
def test_no_parameter_shows_what_somebody_else_used(ann: Client, query: str) -> None:
    asked = dict(part.split("=") for part in query.split("&") if part)
    page = page_of(ann, query)

    assert page.status_code == 200
    assert page.context["subject"].key == "ann"
    assert page.context["totals"].events <= 3
    assert page.context["totals"].cost <= Decimal("2.6")
    assert set(words(page.text)) - set(asked.values()) == set()
    assert "bob-agent" not in page.text
    for plot in ("spend", "tokens", "requests", "providers"):
        for url in ("my_usage_chart", "my_usage_chart_csv"):
            answer = ann.get(f"{reverse(f'admin:{url}', args=[plot])}?{DAYS}&{query}")
            assert answer.status_code == 200
            text = answer.content.decode()
            assert set(words(text)) - set(asked.values()) == set()
            assert not {f'"{word}"' for word in OTHERS if f'"{word}"' in text}


def test_the_chart_and_its_file_hold_own_usage_only(ann: Client) -> None:
    page = page_of(ann, "group=subject")
    chart = ann.get(page.context["spend"].url).json()

    assert [data["label"] for data in chart["data"]["datasets"]] == ["ann"]
    assert sum(chart["totals"]) == 2.6
    assert chart["events_url"].startswith("/admin/my-usage/?")
    lines = ann.get(page.context["csv_url"]).content.decode().splitlines()
    assert lines[-1].startswith("total,2026-11-09,2026-11-13,2.6000000000,2.6000000000,")


def test_who_may_not_open_other_pages_gets_no_links_to_them(ann: Client) -> None:
    page = page_of(ann)

    for closed in ("/usageevent/", "/admin/projects/", "/admin/models/", "/admin/sessions/"):
        assert f'href="{closed}' not in page.text
        assert closed not in page.text.replace('href="/admin/sessions/"', "")
    assert 'href="/admin/unpriced/' not in page.text
    assert "admin/organizations/acme" not in page.text
    assert 'href=""' not in page.text


def test_members_find_links_to_the_pages_behind(usage: None) -> None:
    user = staff("ann-login", "acme")
    known_as(user, "ann@acme.example", "ann")

    page = page_of(client_of(user))

    assert "/admin/projects/acme/web/" in page.text
    assert "/admin/sessions/acme/s1/" in page.text
    chart = client_of(user).get(page.context["spend"].url).json()
    assert chart["events_url"].startswith("/admin/usage/usageevent/?")


def test_only_members_learn_that_a_session_goes_on_without_them(ann: Client) -> None:
    now = timezone.now()
    send(
        [
            event("mine", now - timedelta(hours=2), subject="ann", session_id="shared"),
            event("theirs", now - timedelta(minutes=1), subject="bob", session_id="shared"),
        ]
    )
    query = f"{reverse('admin:my_usage')}?range=7d&sessions=dearest"

    assert [row.active for row in ann.get(query).context["rows"]] == [False]
    user = User.objects.get(username="ann-login")
    Membership.objects.create(user=user, organization=Organization.objects.get(slug="acme"))
    assert [row.active for row in ann.get(query).context["rows"]] == [True]


def test_who_has_several_names_picks_one(usage: None) -> None:
    user = staff("both")
    known_as(user, "me@example.com", "ann", "zoe")
    client = client_of(user)
    zoe = Subject.objects.get(key="zoe")

    first = page_of(client)
    second = page_of(client, f"who={zoe.pk}")

    assert first.context["subject"].key == "ann"
    assert [each.key for each, _, _ in first.context["picker"]] == ["ann", "zoe"]
    assert second.context["cards"][0].value == "$1.00"
    assert f"who={zoe.pk}" in second.context["spend"].url
    assert sum(client.get(second.context["spend"].url).json()["totals"]) == 1
    bob = Subject.objects.get(key="bob")
    assert page_of(client, f"who={bob.pk}").context["subject"].key == "ann"


@pytest.mark.parametrize("email", ["nobody@example.com", "", " "])
def test_who_is_not_known_learns_why(usage: None, email: str) -> None:
    Subject.objects.filter(key="bob").update(email="")
    user = staff("somebody", "acme")
    User.objects.filter(pk=user.pk).update(email=email)

    page = client_of(user).get(reverse("admin:my_usage"))

    assert "Your usage is not known yet" in page.text
    assert (email in page.text) if email.strip() else ("your account has none" in page.text)
    chart = reverse("admin:my_usage_chart", args=["spend"])
    assert client_of(user).get(chart).status_code == 404
    assert client_of(user).get(chart.rstrip("/") + ".csv").status_code == 404


def test_an_address_must_be_the_whole_one(usage: None) -> None:
    user = staff("somebody")
    known_as(user, "ann@acme.example", "ann")

    for other in ("ann@acme.exampl", "%", "ann@acme.exampl_", "nn@acme.example"):
        user.email = other
        assert own_subjects(user) == []
    user.email = "ann@acme.example"
    assert [subject.key for subject in own_subjects(user)] == ["ann"]
    user.is_active = False
    assert own_subjects(user) == []


def test_only_staff_reach_the_page(usage: None) -> None:
    known_as(User.objects.create_user("plain", password="pw"), "ann@acme.example", "ann")
    client = client_of(User.objects.get(username="plain"))

    for url in (
        reverse("admin:my_usage"),
        reverse("admin:my_usage_chart", args=["spend"]),
        reverse("admin:my_usage_chart_csv", args=["spend"]),
    ):
        assert client.get(url).status_code == 302


def test_the_page_asks_as_much_of_many_names_as_of_few(ann: Client) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as asked:
            assert page_of(ann).status_code == 200
        return len(asked)

    def some(first: int, count: int) -> None:
        send(
            event(n, at(11), subject="ann", project=f"p{n}", model=f"m{n}", session_id=f"x{n}")
            for n in range(first, first + count)
        )

    some(100, 7)
    few = queries()
    some(107, 50)

    assert queries() == few <= 70
