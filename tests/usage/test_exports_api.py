import csv
import io
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from rest_framework.test import APIClient

from tests.usage.conftest import NOON, event
from tests.usage.exporting import NOVEMBER
from usage.exports.expiring import expire_exports
from usage.exports.requests import MOST_UNFINISHED
from usage.exports.working import continue_exports
from usage.ingest.pipeline import Caller, ingest
from usage.models import Export, Membership, Organization
from usage.rollups import roll_up

URL = "/api/v1/exports/"
FOCUS = "/api/v1/exports/focus/"
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("one_connection")]


@pytest.fixture
def stored(caller: Caller) -> None:
    ingest([event("e1"), event("e2", project="=cmd()")], caller)
    roll_up()


def post(client: Any, **wanted: Any) -> Any:
    body = {"kind": "events", "parameters": NOVEMBER, **wanted}
    return client.post(URL, body, format="json")


def member(name: str, *slugs: str) -> User:
    user = User.objects.create_user(name, password="pw", is_staff=True)
    for slug in slugs:
        Membership.objects.create(user=user, organization=Organization.objects.get(slug=slug))
    return user


def session(user: User) -> APIClient:
    client = APIClient()
    client.force_login(user)
    return client


def fault(response: Any) -> tuple[str, str]:
    assert response.status_code == 400, response.content
    assert response.headers["Content-Type"] == "application/problem+json"
    (error,) = response.json()["errors"]
    return error["field"], error["code"]


def test_an_export_is_asked_for_watched_and_downloaded(stored: None, client: APIClient) -> None:
    response = post(client)
    assert response.status_code == 202
    shown = response.json()
    assert response.headers["Location"].endswith(f"/api/v1/exports/{shown['id']}/")
    assert (shown["status"], shown["percent"], shown["download"]) == ("waiting", 0, None)
    where = f"{URL}{shown['id']}/"
    early = client.get(f"{where}download/")
    assert (early.status_code, early.json()["type"]) == (409, "urn:tallyman:problem:not_ready")

    continue_exports()

    shown = client.get(where).json()
    assert (shown["status"], shown["percent"], shown["rows_done"]) == ("done", 100, 2)
    assert shown["parameters"] == {**NOVEMBER, "timezone": "UTC"}
    file = client.get(shown["download"])
    data = file.getvalue()
    assert file.headers["Content-Length"] == str(len(data)) == str(shown["size"])
    assert file.headers["Content-Type"] == "text/csv"
    assert (
        f'filename="tallyman-events-{shown["id"][:8]}.csv"' in file.headers["Content-Disposition"]
    )
    rows = csv.DictReader(io.StringIO(data.decode()))
    assert {row["event_id"]: row["project"] for row in rows} == {"e1": "web", "e2": "'=cmd()"}


def test_a_file_whose_time_is_over_is_gone_and_a_failed_one_says_why(
    stored: None, client: APIClient
) -> None:
    expired, failed = post(client).json()["id"], post(client).json()["id"]
    continue_exports()
    Export.objects.filter(pk=expired).update(expires_at=datetime.now(UTC))
    Export.objects.filter(pk=failed).update(status="failed", error="No rate.")
    expire_exports()

    gone = client.get(f"{URL}{expired}/download/")
    assert (gone.status_code, gone.json()["type"]) == (410, "urn:tallyman:problem:expired")
    assert client.get(f"{URL}{expired}/").json()["download"] is None
    refused = client.get(f"{URL}{failed}/download/")
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:tallyman:problem:failed")
    assert "No rate." in refused.json()["detail"]


def test_exports_are_listed_newest_first_in_pages(stored: None, client: APIClient) -> None:
    ids = [post(client).json()["id"] for _ in range(5)][::-1]
    first = client.get(URL, {"limit": 2}).json()
    second = client.get(first["next"]).json()
    third = client.get(second["next"]).json()
    pages = (first, second, third)
    assert [found["id"] for page in pages for found in page["results"]] == ids
    assert (third["next"], first["previous"]) == (None, None)
    back = client.get(second["previous"]).json()
    assert [found["id"] for found in back["results"]] == ids[:2]


@pytest.mark.parametrize("cursor", ["x", "%00", "WyIiLFtdXQ"])
def test_a_foreign_cursor_is_refused(client: APIClient, cursor: str) -> None:
    assert fault(client.get(f"{URL}?cursor={cursor}"))[0] == "cursor"


def test_others_do_not_find_an_export(
    stored: None, client: APIClient, client_for: Callable[..., APIClient]
) -> None:
    client_for("globex")
    pk = post(client).json()["id"]
    continue_exports()
    others = {
        "another key of the organization": client_for("acme"),
        "a key of another organization": client_for("globex"),
        "a member": session(member("ann", "acme")),
        "an outsider": session(member("out", "globex")),
        "staff without organization": session(member("new")),
    }
    for who, other in others.items():
        for path in ("", "download/"):
            assert other.get(f"{URL}{pk}/{path}").status_code == 404, who
        assert other.get(URL).json()["results"] == [], who
    assert APIClient().get(f"{URL}{pk}/").status_code == 401
    assert client_for("acme", "ingest").get(f"{URL}{pk}/").status_code == 403
    everywhere = client_for(None)
    assert everywhere.get(f"{URL}{pk}/download/").status_code == 200
    assert everywhere.get(URL).json()["results"] == []


def test_who_is_no_member_any_more_does_not_find_their_file(
    stored: None, client_for: Callable[..., APIClient]
) -> None:
    client_for("globex")
    user = member("ann", "acme", "globex")
    browser = session(user)
    both, one = post(browser).json(), post(browser, parameters={"organization": "acme"}).json()
    continue_exports()
    Membership.objects.filter(organization__slug="globex").delete()

    assert browser.get(f"{URL}{both['id']}/download/").status_code == 404
    assert browser.get(f"{URL}{one['id']}/download/").status_code == 200
    assert [found["id"] for found in browser.get(URL).json()["results"]] == [one["id"]]
    assert User.objects.filter(pk=user.pk).update(is_active=False)
    assert browser.get(f"{URL}{one['id']}/").status_code == 401


def test_a_browser_session_needs_its_csrf_token(stored: None) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(member("ann", "acme"))
    refused = browser.post(URL, '{"kind": "events"}', content_type="application/json")
    assert refused.status_code == 403
    assert not Export.objects.exists()


@pytest.mark.parametrize(
    ("wanted", "field", "code"),
    [
        ({"kind": "invoices"}, "kind", "unknown"),
        ({"format": "xml"}, "format", "unknown"),
        ({"colour": "red"}, "colour", "unknown_field"),
        ({"kind": 5}, "kind", "invalid"),
        ({"parameters": {"colour": "red"}}, "colour", "unknown"),
        ({"parameters": {"from": 5}}, "parameters[...]", "invalid"),
    ],
)
def test_a_request_that_makes_no_sense_is_told_by_name(
    client: APIClient, wanted: dict[str, Any], field: str, code: str
) -> None:
    assert fault(post(client, **wanted)) == (field, code)


def test_a_body_that_is_no_json_is_refused(client: APIClient) -> None:
    response = client.post(URL, "{", content_type="application/json")
    assert (response.status_code, response.json()["type"]) == (
        400, "urn:tallyman:problem:malformed_json",
    )  # fmt: skip


def test_too_many_at_once_are_put_off(stored: None, client: APIClient) -> None:
    for _ in range(MOST_UNFINISHED):
        assert post(client).status_code == 202
    response = post(client)
    assert (response.status_code, response.headers["Retry-After"]) == (429, "5")


@pytest.mark.parametrize("name", ["nothing", "85773c88-6082-4f84-b0fa-5de3c9514163"])
def test_an_unknown_export_is_not_found(client: APIClient, name: str) -> None:
    assert client.get(f"{URL}{name}/").status_code == 404
    assert client.get(f"{URL}{name}/download/").status_code == 404


def test_focus_charges_are_sent_at_once(stored: None, client: APIClient) -> None:
    response = client.get(FOCUS, NOVEMBER)
    rows = list(csv.DictReader(io.StringIO(response.getvalue().decode())))
    assert response.headers["Content-Type"] == "text/csv"
    assert {row["BillingAccountId"] for row in rows} == {"acme"}
    assert sum(float(row["EffectiveCost"]) for row in rows) == pytest.approx(0.009)
    parquet = client.get(FOCUS, {**NOVEMBER, "format": "parquet"}).getvalue()
    assert parquet[:4] == parquet[-4:] == b"PAR1"
    assert post(client, kind="focus").status_code == 202


def test_focus_charges_of_another_organization_are_not_sent(
    stored: None, client_for: Callable[..., APIClient]
) -> None:
    other = client_for("globex")
    for parameters in (NOVEMBER, {**NOVEMBER, "organization": "acme"}):
        assert other.get(FOCUS, parameters).getvalue().count(b"\r\n") == 1


def test_too_many_charges_are_left_to_a_worker(
    stored: None, client: APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("usage.api.exports.MOST_AT_ONCE", 1)
    response = client.get(FOCUS, NOVEMBER)
    assert response.status_code == 422
    assert "POST /api/v1/exports/" in response.json()["detail"]


def test_focus_asks_by_days(client: APIClient) -> None:
    assert fault(client.get(FOCUS, {"from": NOON.isoformat()})) == ("from", "invalid")
    assert fault(client.get(FOCUS, {"format": "xml"})) == ("format", "unknown")
    assert fault(client.get(FOCUS, {"from": "2026-11-02", "to": "2026-11-01"}))[0] == "to"


def test_events_are_sent_as_csv_all_of_them_or_as_many_as_asked(
    caller: Caller, client: APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("usage.exports.events.PAGE", 4)
    ingest([event(f"e{n}", project="=cmd()") for n in range(10)], caller)
    response = client.get("/api/v1/events/", {"format": "csv"})
    assert response.streaming
    rows = list(csv.DictReader(io.StringIO(response.getvalue().decode())))
    assert sorted(row["event_id"] for row in rows) == [f"e{n}" for n in range(10)]
    assert {row["project"] for row in rows} == {"'=cmd()"}
    some = client.get("/api/v1/events/", {"format": "csv", "limit": "6"}).getvalue()
    assert some.count(b"\r\n") == 7
