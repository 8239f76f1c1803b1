import csv
import io
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from tests.config.site_data import OPUS, UNKNOWN, at, event, send

pytestmark = pytest.mark.django_db

DAYS = "range=custom&from=2026-11-09&through=2026-11-13"


def listed(client: Client, kind: str, query: str = DAYS) -> Any:
    return client.get(f"{reverse(f'admin:{kind}s')}?{query}")


def shown(client: Client, kind: str, name: str, organization: str = "acme") -> Any:
    return client.get(reverse(f"admin:{kind}_page", args=(organization, name)))


def names(page: Any) -> list[str]:
    return [row.episode.id for row in page.context["rows"]]


def some_sessions() -> None:
    send(
        [
            event(1, at(10), session_id="long", run_id="r", subject="ann", project="web",
                  run_trigger="push", input_tokens=100_000),
            event(2, at(10, 12, 3), session_id="long", model=OPUS, input_tokens=100_000,
                  output_tokens=20_000, subject="ann", project="web"),
            event(3, at(10, 12, 4), session_id="long", model=UNKNOWN, provider="local",
                  subject="ann", project="web", status="error"),
            event(4, at(11), session_id="short", input_tokens=1000, subject="bob"),
        ]
    )  # fmt: skip


def test_sessions_are_listed_newest_or_dearest_first(admin_client: Client, catalogue: None) -> None:
    some_sessions()

    page = listed(admin_client, "session")

    assert names(page) == ["short", "long"]
    assert names(listed(admin_client, "session", f"{DAYS}&order=dearest")) == ["long", "short"]
    assert names(listed(admin_client, "session", f"{DAYS}&order=nonsense")) == ["short", "long"]
    # 0.1 M x 3 + 0.1 M x 5 + 0.02 M x 25 dollars, and the third call has no price.
    long = page.context["rows"][1]
    assert long.amount == "$1.3000"
    assert (long.person.text, long.project.text, long.model.text) == ("ann", "web", OPUS)
    assert long.episode.status == "partial"
    assert long.badge == "w"
    assert page.context["totals_row"]["episodes"] == 2
    assert page.context["totals_row"]["amount"] == "$1.30"
    assert page.context["totals_row"]["sums"].total_tokens == 221_000


def test_runs_show_their_trigger_and_a_switch_leads_to_sessions(
    admin_client: Client, catalogue: None
) -> None:
    some_sessions()

    page = listed(admin_client, "run", f"{DAYS}&order=dearest")

    assert names(page) == ["r"]
    assert page.context["rows"][0].episode.run_trigger == "push"
    assert ">push<" in page.text
    (label, url, _), (_, here, _) = page.context["kinds"]
    assert label == "Sessions"
    assert url.startswith("/admin/sessions/?range=custom")
    assert "order=dearest" in url
    assert here.startswith("/admin/runs/")


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("subject=ann", ["long"]),
        ("project=web", ["long"]),
        ("project=(none)", ["short"]),
        ("model=claude-sonnet-4-5", ["short"]),
        ("organization=globex", []),
        ("team=core", ["short", "long"]),
    ],
)
def test_filters_of_the_bar_hold_and_those_that_cannot_are_named(
    admin_client: Client, catalogue: None, query: str, found: list[str]
) -> None:
    some_sessions()

    page = listed(admin_client, "session", f"{DAYS}&{query}")

    assert names(page) == found
    assert ("are not told apart by team" in page.text) == query.startswith("team")


def test_long_lists_come_in_pages_and_whole_as_a_file(
    admin_client: Client, catalogue: None
) -> None:
    send(
        event(n, at(10) + timedelta(minutes=n), session_id=f"s{n:03}", subject="=1+1",
              input_tokens=1000 * n)
        for n in range(120)
    )  # fmt: skip

    first = listed(admin_client, "session")
    second = admin_client.get(reverse("admin:sessions") + first.context["next_url"])

    assert names(first)[0] == "s119"
    assert [len(names(first)), len(names(second))] == [50, 50]
    assert not set(names(first)) & set(names(second))
    back = admin_client.get(reverse("admin:sessions") + second.context["previous_url"])
    assert names(back) == names(first)
    answer = admin_client.get(first.context["csv_url"])
    rows = list(csv.DictReader(io.StringIO(answer.getvalue().decode())))
    assert [row["session"] for row in rows] == [f"s{n:03}" for n in reversed(range(120))]
    assert rows[0]["cost USD"] == "0.3570000000"
    assert rows[0]["started"] == "2026-11-10T13:59:00Z"
    assert rows[0]["person"] == "'=1+1"


def test_a_cursor_of_another_question_shows_the_first_page(
    admin_client: Client, catalogue: None
) -> None:
    some_sessions()

    assert names(listed(admin_client, "session", f"{DAYS}&cursor=abc")) == ["short", "long"]


def test_a_session_page_shows_the_whole_of_it_whatever_the_url_filters(
    admin_client: Client, catalogue: None
) -> None:
    some_sessions()
    url = reverse("admin:session_page", args=("acme", "long"))

    for query in ("", "?range=today&model=nothing&subject=bob"):
        page = admin_client.get(url + query)
        cards = [card.value for card in page.context["cards"]]
        assert cards == ["$1.30", "220.0 k", "3", "4 m 0 s"]
        assert page.context["cards"][0].unpriced == 1
        assert [row.name for row in page.context["panel"].rows] == [
            OPUS, "claude-sonnet-4-5", UNKNOWN,
        ]  # fmt: skip
    rates = {label: rest for label, *rest in page.context["rates"]}
    # 220,000 tokens in three calls and four minutes; two calls have a price.
    assert rates == {"Tokens": ["73,333", "55,000"], "Cost": ["$0.65", "$0.33"]}
    assert [label for label, _ in page.context["links"]] == ["Organization", "Project", "Person"]
    assert "range=today" not in page.context["links"][1][1].url


def test_calls_of_a_session_come_with_what_was_spent_by_then(
    admin_client: Client, catalogue: None
) -> None:
    some_sessions()

    page = shown(admin_client, "session", "long")

    found = [(call.model.text, call.cost, so_far) for call, so_far in page.context["running"]]
    assert found == [
        (UNKNOWN, None, Decimal("1.3")),
        (OPUS, Decimal("1.0"), Decimal("1.3")),
        ("claude-sonnet-4-5", Decimal("0.3"), Decimal("0.3")),
    ]
    assert [bar.x for bar in page.context["bars"]] == [0, 10, 20]
    assert [bar.height for bar in page.context["bars"]] == [Decimal(30), Decimal(100), Decimal(1)]
    assert page.context["more"] == 0
    lines = admin_client.get(page.context["csv_url"]).getvalue().decode().splitlines()
    assert [line.split(",")[0] for line in lines[1:]] == ["e3", "e2", "e1"]
    events = admin_client.get(page.context["all_url"])
    assert [row.event_id for row in events.context["cl"].result_list] == ["e3", "e2", "e1"]


def test_a_run_page_shows_its_trigger(admin_client: Client, catalogue: None) -> None:
    some_sessions()

    page = shown(admin_client, "run", "r")

    assert page.context["cards"][0].value == "$0.30"
    assert ">push<" in page.text
    assert page.context["section"] == "Sessions and runs"


def test_a_session_is_active_for_a_quarter_of_an_hour(
    admin_client: Client, catalogue: None
) -> None:
    now = datetime.now(UTC)
    send(
        [
            event(1, now - timedelta(minutes=14), session_id="going", input_tokens=10),
            event(2, now - timedelta(minutes=16), session_id="over", input_tokens=10),
        ]
    )

    assert ">active<" in shown(admin_client, "session", "going").text
    assert ">active<" not in shown(admin_client, "session", "over").text
    listed_now = listed(admin_client, "session", "range=7d").context["rows"]
    assert [(row.episode.id, row.active) for row in listed_now] == [
        ("going", True),
        ("over", False),
    ]


@pytest.mark.parametrize("kind", ["session", "run"])
def test_sessions_and_runs_of_another_organization_are_nowhere(
    viewer: Client, administrator: Client, kind: str
) -> None:
    send([event("z", at(12), organization="globex", run_id="r9", input_tokens=10)])
    theirs = {"session": "s9", "run": "r9"}[kind]
    own = {"session": "s1", "run": "r1"}[kind]

    for client in (viewer, administrator):
        assert names(listed(client, kind)) == [own]
        for query in (DAYS, f"{DAYS}&organization=globex"):
            page = listed(client, kind, query)
            assert theirs not in [row.episode.id for row in page.context["rows"]]
            answer = client.get(f"{reverse(f'admin:{kind}s_csv')}?{query}")
            assert theirs not in answer.getvalue().decode()
        assert shown(client, kind, own).status_code == 200
        assert shown(client, kind, theirs, "globex").status_code == 404
        assert shown(client, kind, theirs).status_code == 404
        assert "globex" not in shown(client, kind, own).text


def test_pages_ask_as_much_of_many_calls_as_of_few(admin_client: Client, catalogue: None) -> None:
    def queries(url: str) -> int:
        with CaptureQueriesContext(connection) as asked:
            assert admin_client.get(url).status_code == 200
        return len(asked)

    def some(first: int, count: int) -> None:
        send(
            event(n, at(10) + timedelta(minutes=n), session_id="s", run_id=f"r{n}",
                  subject=f"u{n}", project=f"p{n}", model=f"m{n}")
            for n in range(first, first + count)
        )  # fmt: skip

    urls = [
        reverse("admin:session_page", args=("acme", "s")),
        f"{reverse('admin:runs')}?{DAYS}",
        f"{reverse('admin:runs_csv')}?{DAYS}",
    ]
    some(0, 7)
    few = [queries(url) for url in urls]
    some(7, 40)

    assert [queries(url) for url in urls] == few
    assert max(few) <= 30


def test_a_range_without_sessions_says_what_would_be_here(
    admin_client: Client, usage: None
) -> None:
    page = listed(admin_client, "session", "range=custom&from=2026-01-01&through=2026-01-02")

    assert "No session began in this range" in page.text
