from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest
from django.contrib.auth.models import User
from rest_framework.test import APIClient

from tests.usage.conftest import NOON, body, event
from usage.ingest.pipeline import Caller, ingest
from usage.models import UsageEvent

pytestmark = pytest.mark.django_db


def names(response: Any) -> list[str]:
    assert response.status_code == 200, response.content
    return [found["event_id"] for found in response.json()["results"]]


def get(client: APIClient, event_id: str, **parameters: str) -> Any:
    return client.get(f"/api/v1/events/{quote(event_id, safe='')}/", parameters)


def test_an_event_is_shown_with_its_receipt(client: APIClient) -> None:
    sent = body(
        team="core", response_model="claude-sonnet-4-5-20250929", operation="chat",
        agent_type="testing", session_id="s1", run_id="r1", run_trigger="push", status="error",
        duration_ms=12, cache_read_tokens=100, meters={"web_searches": 1}, tags={"env": "live"},
        reported_cost="0.5", currency="USD", estimated=True,
    )  # fmt: skip
    (receipt,) = client.post("/api/v1/events/", sent, format="json").json()["results"]
    shown = get(client, "e1").json()
    for name in set(sent) - {"currency", "reported_cost"}:
        assert shown[name] == sent[name], name
    assert (shown["reported_cost"], shown["reported_currency"]) == ("0.5000000000", "USD")
    assert (shown["organization"], shown["total_tokens"]) == ("acme", 1100)
    assert (shown["state"], shown["service_tier"], shown["billing_scope"]) == (
        "counted", "standard", "org",
    )  # fmt: skip
    assert shown["price_version"] == UsageEvent.objects.get().price_version_id
    assert shown["receipt"] == {
        "status": "accepted",
        "cost": receipt["cost"],
        "currency": "USD",
        "received_at": shown["received_at"],
    }


def test_what_was_not_given_and_cannot_be_priced_is_null(caller: Caller, client: APIClient) -> None:
    ingest([event(model="nobody-knows-9", provider="", project=None)], caller)
    shown = get(client, "e1").json()
    for name in ("provider", "project", "team", "operation", "session_id", "tags", "meters",
                 "input_cost", "price_version", "api_key", "corrects"):  # fmt: skip
        assert shown[name] is None, name
    assert shown["receipt"]["cost"] is None


def test_a_corrected_event_stays_readable_and_names_its_correction(
    caller: Caller, client: APIClient
) -> None:
    ingest([event("e1"), event("e2", corrects="e1", output_tokens=5)], caller)
    first, second = get(client, "e1").json(), get(client, "e2").json()
    assert (first["state"], first["superseded_by"]) == ("superseded", "e2")
    assert (second["state"], second["corrects"]) == ("counted", "e1")


@pytest.mark.parametrize("event_id", ["a/b/c", "a/", "a//", "/a", "ü %41?#&", "a.b:c|d", "usage"])
def test_any_event_id_can_be_looked_up(caller: Caller, client: APIClient, event_id: str) -> None:
    ingest([event(event_id)], caller)
    assert get(client, event_id).json()["event_id"] == event_id


@pytest.mark.parametrize(
    "event_id", ["nothing", "\0", "\ud800".encode("utf-8", "replace").decode()]
)
def test_an_unknown_event_is_not_found(client: APIClient, event_id: str) -> None:
    response = get(client, event_id)
    assert response.status_code == 404
    assert response.headers["Content-Type"] == "application/problem+json"


def test_an_event_of_another_organization_is_not_found(
    caller: Caller, client_for: Callable[..., APIClient]
) -> None:
    ingest([event()], caller)
    other = client_for("other")
    assert get(other, "e1").status_code == 404
    assert get(other, "e1", organization="acme").status_code == 404
    assert names(other.get("/api/v1/events/")) == []
    assert names(other.get("/api/v1/events/?organization=acme")) == []
    staff = APIClient()
    staff.force_login(User.objects.create_user("ann", is_staff=True))
    assert get(staff, "e1").status_code == 404


def test_a_site_key_names_the_organization_where_several_have_the_event(
    caller: Caller, client_for: Callable[..., APIClient]
) -> None:
    site = client_for(None)
    ingest([event()], caller)
    assert get(site, "e1").json()["organization"] == "acme"
    client_for("other").post("/api/v1/events/", body(), format="json")
    assert get(site, "e1").json()["errors"][0]["code"] == "ambiguous"
    assert get(site, "e1", organization="other").json()["organization"] == "other"
    assert get(site, "e1", organization="third").status_code == 404


def test_events_are_listed_newest_first(caller: Caller, client: APIClient) -> None:
    ingest([event("a"), event("b"), event("c", occurred_at=NOON - timedelta(days=40))], caller)
    response = client.get("/api/v1/events")
    assert names(response) == ["b", "a", "c"]
    assert (response.json()["next"], response.json()["previous"]) == (None, None)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("project=api", ["b"]),
        ("project=api&project=web", ["c", "b", "a"]),
        ("project=", ["d"]),
        ("status=error", ["b"]),
        ("tag:env=live", ["a"]),
        ("session=s1", ["a"]),
        ("model=claude-sonnet-4-5&status=success", ["c", "a"]),
        ("status=error&status=success", ["d", "c", "b", "a"]),
        ("status=", ["d", "c", "b", "a"]),
        ("tag:env=&project=web", ["c"]),
        ("tag:1=one", ["c"]),
        ("estimated=true", ["c"]),
        ("estimated=false&status=success", ["d", "a"]),
        ("unpriced=true", ["d"]),
        ("unpriced=0&project=web", ["c", "a"]),
        ("min_cost=0.0045", ["c", "b", "a"]),
        ("min_cost=0.0045&max_cost=0.0045", ["b", "a"]),
        ("max_cost=0.0044", []),
        ("state=counted&status=error", ["b"]),
        ("state=superseded&state=reversal", []),
        ("event_id=a&event_id=c&event_id=zz", ["c", "a"]),
        ("event_id=a&project=api", []),
        ("session=", ["d", "c", "b"]),
        ("provider=anthropic&run=", ["c", "b", "a"]),
        ("from=2026-11-20T12:00:02Z", ["d", "c"]),
        ("to=2026-11-20T12:00:02Z", ["b", "a"]),
        ("from=2026-11-21", []),
        ("from=2026-11-20&timezone=Asia/Kathmandu", ["d", "c", "b", "a"]),
    ],
)
def test_listed_events_can_be_filtered(
    caller: Caller, client: APIClient, query: str, expected: list[str]
) -> None:
    second = timedelta(seconds=1)
    ingest(
        [
            event("a", tags={"env": "live"}, session_id="s1"),
            event("b", project="api", status="error", occurred_at=NOON + second),
            event(
                "c",
                occurred_at=NOON + 2 * second,
                estimated=True,
                output_tokens=101,
                tags={"1": "one"},
            ),
            event(
                "d",
                project=None,
                provider="",
                model="nobody-knows-9",
                occurred_at=NOON + 3 * second,
            ),
        ],
        caller,
    )
    assert names(client.get(f"/api/v1/events/?{query}")) == expected


def test_pages_lead_to_the_end_and_back(caller: Caller, client: APIClient) -> None:
    ingest([event(f"e{i}", occurred_at=NOON + timedelta(seconds=i // 2)) for i in range(7)], caller)
    everything = names(client.get("/api/v1/events/"))
    address, pages = "/api/v1/events/?limit=3", []
    while address:
        answer = client.get(address).json()
        pages.append([found["event_id"] for found in answer["results"]])
        address = answer["next"]
    assert pages == [everything[:3], everything[3:6], everything[6:]]
    back = client.get(answer["previous"]).json()
    assert [found["event_id"] for found in back["results"]] == pages[1]
    first = client.get(back["previous"]).json()
    assert [found["event_id"] for found in first["results"]] == pages[0]
    assert first["previous"] is None


@pytest.mark.parametrize(
    ("query", "field", "code"),
    [
        ("colour=red", "colour", "unknown"),
        ("status=late", "status", "unknown"),
        ("state=lost", "state", "unknown"),
        ("estimated=maybe", "estimated", "unknown"),
        ("min_cost=dear", "min_cost", "invalid"),
        ("min_cost=NaN", "min_cost", "invalid"),
        ("min_cost=-1", "min_cost", "min_value"),
        ("max_cost=1&max_cost=2", "max_cost", "repeated"),
        ("event_id=%00", "event_id", "invalid"),
        ("tag:=x", "tag:", "unknown_dimension"),
        ("limit=1001", "limit", "out_of_range"),
        ("cursor=x", "cursor", "invalid_cursor"),
        ("from=soon", "from", "invalid"),
        ("from=2026-11-02&to=2026-11-01", "to", "empty_range"),
        ("format=xml", "format", "unknown"),
    ],
)
def test_a_bad_parameter_of_the_list_is_named(
    client: APIClient, query: str, field: str, code: str
) -> None:
    response = client.get(f"/api/v1/events/?{query}")
    assert response.status_code == 400
    (error,) = response.json()["errors"]
    assert (error["field"], error["code"]) == (field, code)


def test_reading_events_needs_the_scope_read(client_for: Callable[..., APIClient]) -> None:
    assert APIClient().get("/api/v1/events/").status_code == 401
    sender = client_for("acme", "ingest")
    assert sender.get("/api/v1/events/").status_code == 403
    assert get(sender, "e1").status_code == 403


def test_a_page_of_events_costs_few_statements(
    caller: Caller,
    client: APIClient,
    django_assert_max_num_queries: Callable[[int], AbstractContextManager[Any]],
) -> None:
    ingest([event(f"e{i}", project=f"p{i}", subject=f"s{i}") for i in range(20)], caller)
    client.get("/api/v1/events/")
    with django_assert_max_num_queries(5):
        assert len(names(client.get("/api/v1/events/"))) == 20
    with django_assert_max_num_queries(4):
        assert get(client, "e1").status_code == 200
