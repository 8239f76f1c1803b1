from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from rest_framework.test import APIClient

from tests.usage.conftest import NOON, event
from tests.usage.summaries import read, refused, store
from usage.ingest.identities import tenant_of
from usage.ingest.pipeline import Caller
from usage.ingest.prepare import Tenancy
from usage.organizations import ensure_organization

pytestmark = pytest.mark.django_db

NOVEMBER = {"from": "2026-11-01", "to": "2026-12-01"}


@pytest.fixture
def episodes(caller: Caller) -> Caller:
    """Five sessions and runs, an hour apart; the third is the dearest."""
    for i, output in enumerate((100, 300, 900, 200, 200)):
        name = f"e{i}"
        at = NOON - timedelta(hours=i)
        owner = {"project": "web" if i % 2 else "api", "subject": "ann" if i < 4 else None}
        store(
            caller,
            event(
                name, session_id=name, run_id=name, occurred_at=at, output_tokens=output, **owner
            ),
        )
    return caller


def ids(client: APIClient, path: str, **parameters: Any) -> list[str]:
    answer = read(client, path, **{**NOVEMBER, **parameters})
    return [row[f"{path.rstrip('/').removesuffix('s')}_id"] for row in answer["results"]]


@pytest.mark.parametrize("path", ["sessions/", "runs"])
def test_the_newest_come_first_unless_asked_by_cost(
    episodes: Caller, client: APIClient, path: str
) -> None:
    assert ids(client, path) == ["e0", "e1", "e2", "e3", "e4"]
    assert ids(client, path, order_by="started_at") == ["e4", "e3", "e2", "e1", "e0"]
    assert ids(client, path, order_by="-cost")[:2] == ["e2", "e1"]
    assert ids(client, path, order_by="cost")[0] == "e0"
    assert refused(client, path, order_by="name") == ("order_by", "unknown")


@pytest.mark.parametrize("order", ["-started_at", "started_at", "-cost", "cost"])
def test_pages_lead_on_and_back_through_all(
    episodes: Caller, client: APIClient, order: str
) -> None:
    everything = ids(client, "sessions/", order_by=order)
    parameters = {**NOVEMBER, "order_by": order, "limit": "2"}
    pages = [client.get("/api/v1/sessions/", parameters).json()]
    while pages[-1]["next"]:
        pages.append(client.get(pages[-1]["next"]).json())
    assert [row["session_id"] for page in pages for row in page["results"]] == everything
    assert pages[0]["previous"] is None
    back = client.get(pages[2]["previous"]).json()
    assert back["results"] == pages[1]["results"]
    first = client.get(back["previous"]).json()
    assert (first["results"], first["previous"]) == (pages[0]["results"], None)
    assert client.get(first["next"]).json()["results"] == pages[1]["results"]


def test_sessions_are_filtered_by_what_they_are_shown_with(
    episodes: Caller, client: APIClient
) -> None:
    assert ids(client, "sessions/", project="web") == ["e1", "e3"]
    assert ids(client, "sessions/", project=["web", "api"]) == ["e0", "e1", "e2", "e3", "e4"]
    assert ids(client, "sessions/", subject="") == ["e4"]
    assert ids(client, "sessions/", subject="ann", project="api") == ["e0", "e2"]
    assert ids(client, "sessions/", model="claude-sonnet-4-5", limit=1) == ["e0"]
    assert ids(client, "sessions/", model="gpt-5") == []


def test_bounds_hold_for_the_first_call(episodes: Caller, client: APIClient) -> None:
    bounds = {"from": "2026-11-20T10:00:00Z", "to": "2026-11-20T12:00:00Z"}
    assert ids(client, "sessions/", **bounds) == ["e1", "e2"]
    assert ids(client, "sessions/", **{"from": "2026-11-20", "to": "2026-11-21"}) == [
        "e0", "e1", "e2", "e3", "e4",
    ]  # fmt: skip
    east = {"from": "2026-11-20", "to": "2026-11-21", "timezone": "Pacific/Auckland"}
    # 11:00 UTC is midnight of the 21st there.
    assert ids(client, "sessions/", **east) == ["e2", "e3", "e4"]


def test_a_list_shows_whole_sessions(episodes: Caller, client: APIClient) -> None:
    store(episodes, event("more", session_id="e0", occurred_at=NOON + timedelta(minutes=30)))
    row = read(client, "sessions/", **NOVEMBER)["results"][0]
    assert (row["session_id"], row["duration_ms"], row["totals"]["events"]) == ("e0", 1_800_000, 2)
    assert datetime.fromisoformat(row["ended_at"]) - datetime.fromisoformat(
        row["started_at"]
    ) == timedelta(minutes=30)


def test_a_list_holds_only_what_its_reader_may_see(
    episodes: Caller, client: APIClient, client_for: Callable[..., APIClient]
) -> None:
    other = Caller(Tenancy(tenant_of(ensure_organization("globex")), {}))
    store(other, event("x", session_id="theirs"))
    assert ids(client_for("globex"), "sessions/") == ["theirs"]
    assert "theirs" not in ids(client, "sessions/")
    assert ids(client, "sessions/", organization="globex") == []
    assert len(ids(client_for(None), "sessions/")) == 6


@pytest.mark.parametrize(
    ("parameters", "field", "code"),
    [
        ({"cursor": "abc"}, "cursor", "invalid_cursor"),
        ({"from": "2026-12-01", "to": "2026-11-01"}, "to", "empty_range"),
        ({"team": "core"}, "team", "unknown"),
        ({"limit": "0"}, "limit", "out_of_range"),
    ],
)
def test_faults_are_told_by_name(
    episodes: Caller, client: APIClient, parameters: dict[str, str], field: str, code: str
) -> None:
    assert refused(client, "sessions/", **parameters) == (field, code)


def test_a_cursor_of_another_question_is_refused(episodes: Caller, client: APIClient) -> None:
    page = client.get("/api/v1/sessions/", {**NOVEMBER, "limit": "2"}).json()
    address = page["next"].replace("/sessions/", "/runs/")
    assert client.get(address).status_code == 400
