from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client

from config.dashboards.names import also_called
from tests.config.site_data import UNKNOWN, at, event, panels, send, staff
from usage.models import Membership, Subject
from usage.selectors.access import EVERYTHING
from usage.selectors.frames import Frame
from usage.selectors.people import top_people

pytestmark = pytest.mark.django_db
DAYS = "range=custom&from=2026-11-09&through=2026-11-13"


def overview(client: Client, query: str = DAYS) -> Any:
    answer = client.get(f"/admin/?{query}")
    assert answer.status_code == 200
    return answer


def shares(panel: Any) -> list[tuple[str, int | None]]:
    return [(row.name, None if row.percent is None else round(row.percent)) for row in panel.rows]


def test_models_are_ranked_by_what_the_switch_says(admin_client: Client, usage: None) -> None:
    by_spend = overview(admin_client).context["models"]
    assert shares(by_spend) == [
        ("claude-opus-4-5", 55), ("claude-sonnet-4-5", 45), ("llama-farm-7b", None),
    ]  # fmt: skip
    urls = {choice.label: choice.url for choice in by_spend.choices}

    by_requests = admin_client.get(f"/admin/{urls['requests']}")
    assert shares(by_requests.context["models"]) == [
        ("claude-sonnet-4-5", 50), ("claude-opus-4-5", 33), ("llama-farm-7b", 17),
    ]  # fmt: skip
    assert "requests · " in by_requests.text or "Requests</th>" in by_requests.text
    by_tokens = admin_client.get(f"/admin/{urls['tokens']}").context["models"]
    assert shares(by_tokens)[:2] == [("claude-sonnet-4-5", 53), ("claude-opus-4-5", 47)]
    assert overview(admin_client, f"{DAYS}&models=nonsense").context["models"].rows == by_spend.rows


def test_a_switch_keeps_range_filters_and_the_other_switch(
    admin_client: Client, usage: None
) -> None:
    asked = f"{DAYS}&organization=acme&models=tokens&billing_scope=org&tz=Asia/Tokyo"
    context = overview(admin_client, asked).context

    kept = ("from=2026-11-09", "organization=acme", "tz=Asia%2FTokyo")
    people = next(panel for panel in panels(context) if panel.title == "People")
    for choice in (*context["models"].choices, *people.choices):
        assert all(part in choice.url for part in kept)
    assert [c.label for c in people.choices if c.chosen] == ["organization pays"]
    assert all("models=tokens" in choice.url for choice in people.choices)
    assert all("billing_scope=org" in choice.url for choice in context["models"].choices)


def test_people_of_calls_that_the_organization_pays_are_the_selectors(
    admin_client: Client, usage: None
) -> None:
    own = {"billing_scope": "user", "subject": "ann", "output_tokens": 900_000}
    send([event(20, at(11), **own), event(21, at(11), subject="", output_tokens=1000)])
    frame = Frame(viewer=EVERYTHING, today=at(13).date(), time_zone="UTC")
    paid = frame.only(billing_scope="org")
    expected = top_people(paid, at(9).date(), at(14).date(), 10)

    answer = overview(admin_client, f"{DAYS}&billing_scope=org")

    people = next(panel for panel in panels(answer.context) if panel.title == "People")
    found = [(row.name, row.cost) for row in people.rows if "not given" not in row.name]
    assert found == [(f"{s.organization} / {s.key}", s.sums.cost) for s in expected]
    assert [name for name, _ in found] == ["acme / ann", "acme / bob", "globex / zoe"]


def test_people_are_told_by_name_or_address_where_there_is_one(
    admin_client: Client, usage: None
) -> None:
    Subject.objects.filter(key="ann").update(display_name="Ann Lee", email="ann@example.com")
    Subject.objects.filter(key="bob").update(email="bob@example.com")

    answer = overview(admin_client)

    people = next(panel for panel in panels(answer.context) if panel.title == "People")
    assert [(row.name, row.told) for row in people.rows] == [
        ("acme / ann", "Ann Lee"),
        ("acme / bob", "bob@example.com"),
        ("globex / zoe", ""),
        ("acme / not given", ""),
    ]
    assert "Ann Lee" in answer.text


def test_usage_that_is_all_unpriced_is_never_shown_as_free(
    admin_client: Client, catalogue: None
) -> None:
    send([event(1, at(12), model=UNKNOWN, provider="local", input_tokens=500, subject="ann")])

    answer = overview(admin_client)

    assert answer.context["cards"][0].value == "unpriced"
    for panel in panels(answer.context):
        assert panel.cost is None
        assert [row.cost for row in panel.rows] == [None]


def test_within_one_organization_teams_take_its_place(client: Client, usage: None) -> None:
    client.force_login(staff("adam", "acme", role=Membership.Role.ADMIN))

    titles = [panel.title for panel in panels(overview(client).context)]

    assert titles == ["Teams", "Agent types", "Models", "Projects", "People"]


def test_tables_lead_to_the_directory_of_all_names(admin_client: Client, usage: None) -> None:
    context = overview(admin_client, f"{DAYS}&organization=acme&group=project").context

    urls = [panel.all_url for panel in panels(context)]
    assert [url.partition("?")[0] for url in urls] == [
        "", "", "/admin/models/", "/admin/projects/", "/admin/people/",
    ]  # fmt: skip
    for url in filter(None, urls):
        assert "organization=acme" in url
        assert admin_client.get(url).status_code == 200


def test_cards_and_totals_lead_to_the_events_behind_them(admin_client: Client, usage: None) -> None:
    context = overview(admin_client).context
    behind = [admin_client.get(card.url).context["cl"].result_count for card in context["cards"]]
    totals = context["totals"]
    assert behind == [totals.events, totals.events, totals.events, totals.errors]
    models = context["models"]
    assert admin_client.get(models.events_url).context["cl"].result_count == models.totals.events
    for card, only in zip(context["cards"], ("", "", "", "error"), strict=True):
        for line, first in zip(card.lines, periods(), strict=True):
            asked = parse_qs(urlsplit(line.url).query)
            assert asked["from"] == [first.isoformat()]
            assert asked.get("status", [""]) == [only]


def periods() -> list[date]:
    today = datetime.now(UTC).date()
    return [today, today - timedelta(days=today.weekday()), today.replace(day=1)]


@pytest.mark.parametrize(
    ("texts", "told"),
    [
        (("bot@acme.example", "nightly-bot (service)"), "(service) · bot@acme.example"),
        (("nightly-bot@acme.example", "Nightly-Bot"), "nightly-bot@acme.example"),
        (("", "nightly-bot two"), "nightly-bot two"),
        ((None, None), ""),
    ],
)
def test_what_a_name_says_already_is_not_told_again(
    texts: tuple[str | None, ...], told: str
) -> None:
    assert also_called("nightly-bot", *texts) == told
