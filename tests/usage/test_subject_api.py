from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from rest_framework.test import APIClient

from tests.usage.conftest import NOON, event
from tests.usage.summaries import read, refused, store
from usage.ingest.identities import tenant_of
from usage.ingest.pipeline import Caller, ingest
from usage.ingest.prepare import Tenancy
from usage.models import Organization, Subject
from usage.organizations import ensure_organization
from usage.rollups import roll_up

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("on_the_twentieth")]


@pytest.fixture
def busy(caller: Caller) -> Caller:
    """Ann's 60 calls over 60 days, the newest today at noon."""
    calls = [event(f"e{i:02}", occurred_at=NOON - timedelta(days=i)) for i in range(60)]
    store(caller, *calls, event("bob", subject="bob", output_tokens=9000))
    return caller


def page(client: APIClient, **parameters: Any) -> tuple[list[str], int]:
    answer = read(client, "subjects/ann/", **parameters)
    return [row["event_id"] for row in answer["events"]], answer["events_total"]


def test_the_summary_is_of_the_subject_alone(busy: Caller, client: APIClient) -> None:
    Subject.objects.filter(key="ann").update(email="ann@acme.test", display_name="Ann")
    answer = read(client, "subjects/ann/")
    assert [answer[name] for name in ("organization", "key", "email", "display_name")] == [
        "acme", "ann", "ann@acme.test", "Ann",
    ]  # fmt: skip
    summary = answer["summary"]
    assert (summary["today"]["cost"], summary["month"]["cost"]) == ("0.0045000000", "0.0900000000")
    assert (summary["month"]["events"], len(summary["daily_series"])) == (20, 30)
    assert answer["effective_limits"] == []


def test_today_and_month_can_be_asked_by_who_pays(busy: Caller, client: APIClient) -> None:
    store(busy, event("own", billing_scope="user", output_tokens=200))
    summary = read(client, "subjects/ann/")["summary"]
    today, month = summary["today"], summary["month"]
    assert (today["org_cost"], today["user_cost"]) == ("0.0045000000", "0.0060000000")
    assert (month["org_cost"], month["user_cost"]) == ("0.0900000000", "0.0060000000")
    asked = read(client, "subjects/ann/", billing_scope="user")
    assert asked["summary"]["month"]["cost"] == asked["summary"]["today"]["cost"] == "0.0060000000"
    assert asked["events_total"] == 61


def test_calls_come_newest_first_in_pages_that_hold_all_of_them(
    busy: Caller, client: APIClient
) -> None:
    everything = [f"e{i:02}" for i in range(60)]
    assert page(client) == (everything[:50], 60)
    assert page(client, offset=50) == (everything[50:], 60)
    assert page(client, limit=7, offset=25) == (everything[25:32], 60)
    assert page(client, offset=60) == ([], 60)
    assert read(client, "subjects/ann/")["events"][0]["occurred_at"] == "2026-11-20T12:00:00Z"


def test_limits_of_zero_and_less_are_fifty_and_the_most_is_500(
    busy: Caller, client: APIClient
) -> None:
    for asked, taken in ((0, 50), (-1, 50), (-500, 50), (500, 500), (501, 500), (10**8, 500)):
        answer = read(client, "subjects/ann/", limit=asked)
        assert answer["limit"] == taken
        assert len(answer["events"]) == min(taken, 60)


@pytest.mark.parametrize("zone", ["UTC", "Asia/Kathmandu", "America/New_York"])
def test_calls_that_no_sum_holds_yet_are_listed_and_counted_once(
    busy: Caller, client: APIClient, zone: str
) -> None:
    Organization.objects.update(time_zone=zone)
    for day in (0, 3, 200):
        late = NOON - timedelta(days=day, minutes=5)
        ingest([event(f"late{day}", occurred_at=late)], busy)
    found, total = page(client, limit=500)
    assert (found[:2], found[-1], len(found)) == (["e00", "late0"], "late200", total)
    assert total == 63
    assert page(client, limit=2) == (found[:2], 63)
    assert page(client, limit=3, offset=4) == (found[4:7], 63)
    roll_up()
    assert page(client, limit=500) == (found, 63)


def test_replaced_calls_leave_both_the_list_and_the_count(busy: Caller, client: APIClient) -> None:
    for summed in (False, True):
        correction = event(f"fix{summed}", corrects=f"e0{int(summed)}", output_tokens=50)
        ingest([correction], busy)
        if summed:
            roll_up()
        found, total = page(client, limit=500)
        assert len(found) == len(set(found)) == total == 60
        assert f"fix{summed}" in found
        assert f"e0{int(summed)}" not in found


def test_an_unknown_subject_is_a_user_not_found(busy: Caller, client: APIClient) -> None:
    other = Caller(Tenancy(tenant_of(ensure_organization("globex")), {}))
    store(other, event("x", subject="zoe"))
    for key in ("nobody", "zoe", "ann/x"):
        response = client.get(f"/api/v1/subjects/{key}/")
        assert (response.status_code, response.json()["detail"]) == (404, "user not found")


def test_a_subject_of_several_organizations_has_to_be_told_apart(
    busy: Caller, client_for: Callable[..., APIClient]
) -> None:
    other = Caller(Tenancy(tenant_of(ensure_organization("globex")), {}))
    store(other, event("x"))
    site = client_for(None)
    assert refused(site, "subjects/ann/") == ("organization", "ambiguous")
    answer = read(site, "subjects/ann", organization="globex")
    assert (answer["events_total"], answer["summary"]["month"]["events"]) == (1, 1)


@pytest.mark.parametrize("key", ["a/b c", "https://id.test/ann", "summary"])
def test_a_key_may_hold_slashes_and_spaces(caller: Caller, client: APIClient, key: str) -> None:
    store(caller, event("a", subject=key))
    assert read(client, f"subjects/{key}/")["key"] == key


@pytest.mark.parametrize(
    ("parameters", "field", "code"),
    [
        ({"limit": "many"}, "limit", "invalid"),
        ({"offset": "-1"}, "offset", "out_of_range"),
        ({"offset": "1.5"}, "offset", "invalid"),
        ({"cursor": "x"}, "cursor", "unknown"),
    ],
)
def test_faults_are_told_by_name(
    busy: Caller, client: APIClient, parameters: dict[str, str], field: str, code: str
) -> None:
    assert refused(client, "subjects/ann/", **parameters) == (field, code)
