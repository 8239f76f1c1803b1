import csv
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlparse

import pytest
from django.contrib.auth.models import User
from rest_framework.test import APIClient

from tests.usage.conftest import NOON, event
from usage.ingest.pipeline import Caller, ingest
from usage.models import Membership, Organization
from usage.organizations import ensure_organization
from usage.rollups import roll_up
from usage.selectors.questions import SUM_NAMES

pytestmark = pytest.mark.django_db

NOVEMBER = {"from": "2026-11-01", "to": "2026-12-01"}


@pytest.fixture
def month(caller: Caller) -> Caller:
    ingest(
        [
            event("a", session_id="s1"),
            event("b", project="api"),
            event("c", project="=cmd()", model="nobody-knows-9"),
            event("d", occurred_at=NOON - timedelta(days=9)),
        ],
        caller,
    )
    roll_up()
    return caller


def usage(client: APIClient, **parameters: Any) -> Any:
    response = client.get("/api/v1/usage/", {**NOVEMBER, **parameters})
    assert response.status_code == 200, response.content
    return response.json()


def fault(client: APIClient, **parameters: Any) -> tuple[str, str]:
    response = client.get("/api/v1/usage/", {**NOVEMBER, **parameters})
    assert response.status_code == 400, response.content
    assert response.headers["Content-Type"] == "application/problem+json"
    (error,) = response.json()["errors"]
    assert error["message"]
    return error["field"], error["code"]


def test_the_answer_has_the_promised_shape(month: Caller, client: APIClient) -> None:
    answer = usage(client, granularity="day", group_by="project, model", project=["web", "api"])
    assert list(answer) == [
        "from", "to", "timezone", "currency", "granularity", "as_of", "unpriced_events",
        "results", "totals", "next",
    ]  # fmt: skip
    assert (answer["from"], answer["to"], answer["timezone"]) == ("2026-11-01", "2026-12-01", "UTC")
    assert (answer["currency"], answer["granularity"], answer["next"]) == ("USD", "day", None)
    assert datetime.fromisoformat(answer["as_of"]).utcoffset() == timedelta()
    assert [(row["start"], row["project"], row["events"]) for row in answer["results"]] == [
        ("2026-11-11", "web", 1), ("2026-11-20", "api", 1), ("2026-11-20", "web", 1),
    ]  # fmt: skip
    assert answer["results"][0] | answer["totals"] == answer["results"][0] | {
        "events": 3, "input_tokens": 3000, "output_tokens": 300, "total_tokens": 3300,
        "cost": "0.0135000000", "input_cost": "0.0090000000", "output_cost": "0.0045000000",
    }  # fmt: skip
    assert set(SUM_NAMES) == set(answer["totals"])


def test_totals_come_without_any_parameter_but_the_bounds(month: Caller, client: APIClient) -> None:
    answer = usage(client)
    assert answer["unpriced_events"] == answer["totals"]["unpriced_events"] == 1
    assert answer["results"] == [{"start": "2026-11-01", **answer["totals"]}]


def test_without_bounds_the_last_thirty_days_are_summed(caller: Caller, client: APIClient) -> None:
    now = datetime.now(UTC)
    old, new = now - timedelta(days=31), now - timedelta(days=2)
    ingest([event("old", occurred_at=old), event("new", occurred_at=new)], caller)
    roll_up()
    assert client.get("/api/v1/usage/").json()["totals"]["events"] == 1
    assert client.get("/api/v1/usage").status_code == 200


def test_days_are_those_of_the_organization_unless_asked_otherwise(
    month: Caller, client: APIClient
) -> None:
    Organization.objects.update(time_zone="Asia/Kathmandu")
    assert usage(client)["timezone"] == "Asia/Kathmandu"
    assert usage(client, timezone="America/New_York")["timezone"] == "America/New_York"


def test_instants_may_bound_a_question_even_with_an_unescaped_plus(
    month: Caller, client: APIClient
) -> None:
    answer = usage(client, **{"from": "2026-11-20T17:45:00+05:45", "to": "2026-11-20T12:00:01Z"})
    assert answer["totals"]["events"] == 3
    path = "/api/v1/usage/?from=2026-11-20T17:45:01+05:45&to=2026-11-21"
    assert client.get(path).json()["totals"]["events"] == 0


def test_next_leads_through_all_pages(month: Caller, client: APIClient) -> None:
    address: str | None = "/api/v1/usage/?from=2026-11-01&to=2026-12-01&group_by=project&limit=1"
    seen = []
    while address:
        answer = client.get(address).json()
        seen += [row["project"] for row in answer["results"]]
        address = answer["next"]
        assert address is None or parse_qs(urlparse(address).query)["limit"] == ["1"]
    assert seen == ["=cmd()", "api", "web"]


@pytest.mark.parametrize(
    ("parameters", "field", "code"),
    [
        ({"colour": "red"}, "colour", "unknown"),
        ({"from": "yesterday"}, "from", "invalid"),
        ({"from": "2026-13-01"}, "from", "invalid"),
        ({"from": "2026-11-01T00:00:00"}, "from", "naive"),
        ({"from": ["2026-11-01", "2026-11-02"]}, "from", "repeated"),
        ({"to": "2026-10-01"}, "to", "empty_range"),
        ({"to": "9999-12-31"}, "to", "out_of_range"),
        ({"granularity": "year"}, "granularity", "unknown"),
        ({"granularity": "15m", "from": "2020-01-01"}, "granularity", "too_many_periods"),
        ({"group_by": "colour"}, "group_by", "unknown_dimension"),
        ({"group_by": "model,model"}, "group_by", "invalid"),
        ({"timezone": "Mars/Olympus"}, "timezone", "unknown_timezone"),
        ({"timezone": "+05:45"}, "timezone", "unknown_timezone"),
        ({"currency": "EUR"}, "currency", "no_exchange_rate"),
        ({"order_by": "colour"}, "order_by", "unknown_order"),
        ({"limit": "0"}, "limit", "out_of_range"),
        ({"limit": "1001"}, "limit", "out_of_range"),
        ({"limit": "٣"}, "limit", "out_of_range"),
        ({"cursor": "x"}, "cursor", "invalid_cursor"),
        ({"format": "xml"}, "format", "unknown"),
        ({"project": "\0"}, "project", "invalid"),
        ({"tag:": "x"}, "tag:", "unknown_dimension"),
        ({"tag:\0": "x"}, "tag:\0", "unknown_dimension"),
    ],
)
def test_a_bad_parameter_is_named(
    month: Caller, client: APIClient, parameters: dict[str, Any], field: str, code: str
) -> None:
    assert fault(client, **parameters) == (field, code)


def test_all_bad_parameters_are_told_at_once(client: APIClient) -> None:
    response = client.get("/api/v1/usage/", {"from": "x", "limit": "many", "colour": "red"})
    assert {error["field"] for error in response.json()["errors"]} == {"from", "limit", "colour"}


def test_csv_has_all_rows_and_no_cell_that_is_a_formula(month: Caller, client: APIClient) -> None:
    response = client.get("/api/v1/usage/", {**NOVEMBER, "format": "csv", "group_by": "project"})
    assert response.headers["Content-Type"] == "text/csv"
    assert response.streaming
    text = response.getvalue().decode()
    rows = list(csv.DictReader(text.splitlines()))
    assert [row["project"] for row in rows] == ["'=cmd()", "api", "web"]
    assert [row["cost"] for row in rows] == ["0.0000000000", "0.0045000000", "0.0090000000"]
    assert {row["currency"] for row in rows} == {"USD"}
    assert list(rows[0])[3:] == list(SUM_NAMES)


def test_csv_goes_on_over_all_pages(
    month: Caller, client: APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("usage.exports.sums.PAGE", 1)
    parameters = {**NOVEMBER, "format": "csv", "group_by": "project"}
    assert client.get("/api/v1/usage/", parameters).getvalue().count(b"\r\n") == 4
    limited = client.get("/api/v1/usage/", {**parameters, "limit": "1"})
    assert limited.getvalue().count(b"\r\n") == 2


def test_only_keys_with_the_scope_read_may_ask(client_for: Callable[..., APIClient]) -> None:
    assert APIClient().get("/api/v1/usage/").status_code == 401
    assert client_for("acme", "ingest").get("/api/v1/usage/").status_code == 403
    assert client_for("acme", "read").post("/api/v1/usage/").status_code == 405


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"organization": "acme"},
        {"organization": ["acme", "other"], "group_by": "organization"},
        {"project": "web"},
        {"session": "s1"},
        {"group_by": "session,run,project,subject"},
        {"granularity": "15m", "group_by": "model"},
        {"group_by": "tag:env"},
        {"timezone": "Asia/Kathmandu", "granularity": "day"},
    ],
)
def test_another_organization_sees_nothing_by_any_parameter(
    month: Caller, client_for: Callable[..., APIClient], parameters: dict[str, Any]
) -> None:
    answer = usage(client_for("other"), **parameters)
    assert answer["totals"]["events"] == 0
    assert not any(row["events"] for row in answer["results"])
    assert usage(client_for(None), **parameters)["totals"]["events"] > 0


def test_staff_see_the_usage_of_their_organizations(month: Caller) -> None:
    staff = User.objects.create_user("ann", is_staff=True)
    client = APIClient()
    client.force_login(staff)
    assert usage(client)["totals"]["events"] == 0
    Membership.objects.create(user=staff, organization=ensure_organization("acme"))
    assert usage(client)["totals"]["events"] == 4
    staff.is_staff = False
    staff.save()
    assert client.get("/api/v1/usage/").status_code == 401


def test_a_cursor_does_not_carry_over_to_another_organization(
    month: Caller, client: APIClient, client_for: Callable[..., APIClient]
) -> None:
    following = usage(client, group_by="project", limit="1")["next"]
    answer = client_for("other").get(following).json()
    assert (answer["results"], answer["totals"]["events"]) == ([], 0)


def test_a_question_over_http_costs_few_statements(
    month: Caller,
    client: APIClient,
    django_assert_max_num_queries: Callable[[int], AbstractContextManager[Any]],
) -> None:
    usage(client)
    with django_assert_max_num_queries(5):
        usage(client, granularity="day", group_by="project,model", order_by="-cost")
