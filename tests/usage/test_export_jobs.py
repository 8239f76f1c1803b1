import csv
import io
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.contrib.auth.models import User
from rest_framework.test import APIClient

from tests.usage.conftest import NOON, event
from tests.usage.exporting import NOVEMBER, SITE, ask, file_of, written
from usage.exports.expiring import expire_exports
from usage.exports.requests import MOST_UNFINISHED, TooManyExports, request_export
from usage.exports.working import continue_exports
from usage.ingest.pipeline import Caller, ingest
from usage.models import Export, ExportPart, Organization
from usage.rollups import roll_up
from usage.selectors.access import EVERYTHING, Viewer
from usage.selectors.exports import Requester
from usage.selectors.questions import QuestionError

Status = Export.Status
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("one_connection")]


@pytest.fixture
def stored(caller: Caller) -> None:
    events = [
        event(f"e{n}", occurred_at=NOON + timedelta(minutes=n), project="=cmd()" if n else "web")
        for n in range(30)
    ]
    ingest([*events, event("x", model="nobody-knows-9", tags={"a": "b"})], caller)
    roll_up()


def csv_rows(data: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(data.decode())))


def test_an_export_of_events_has_every_field_of_every_event(
    stored: None, client: APIClient
) -> None:
    export = ask()
    rows = csv_rows(written(export))

    assert (export.rows_done, export.rows_total, len(rows)) == (31, 31, 31)
    assert export.size == len(file_of(export))
    assert (export.started_at, export.finished_at) < (export.finished_at, export.expires_at)
    shown = client.get("/api/v1/events/?limit=100").json()["results"]
    assert [row["event_id"] for row in rows] == [found["event_id"] for found in shown]
    for row, found in zip(rows, shown, strict=True):
        receipt = found.pop("receipt")
        flat = {**found, "cost": receipt["cost"], "currency": receipt["currency"]}
        assert set(row) == set(flat)
        for name, value in flat.items():
            assert row[name].removeprefix("'") == as_cell(value), name
    assert {row["project"] for row in rows} == {"'=cmd()", "web"}


def as_cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool | dict):
        return json.dumps(value)
    return str(value)


def test_json_is_one_array_with_money_as_text(stored: None, client: APIClient) -> None:
    found = json.loads(written(ask(file_format="json")))

    assert len(found) == 31
    by_id = {row["event_id"]: row for row in found}
    assert by_id["x"]["tags"] == {"a": "b"}
    assert (by_id["x"]["cost"], by_id["e1"]["cost"]) == (None, "0.0045000000")
    shown = client.get("/api/v1/events/e1/").json()
    assert {name: shown.get(name, by_id["e1"][name]) for name in by_id["e1"]} == by_id["e1"]


def test_an_export_of_usage_has_the_digits_of_the_query(stored: None, client: APIClient) -> None:
    question = {**NOVEMBER, "group_by": "project,model", "granularity": "day"}
    rows = csv_rows(written(ask("usage", parameters=question)))

    answer = client.get("/api/v1/usage/", question).json()
    assert sum(Decimal(row["cost"]) for row in rows) == Decimal(answer["totals"]["cost"])
    assert [row["cost"] for row in rows] == [row["cost"] for row in answer["results"]]
    assert [row["start"] for row in rows] == [row["start"] for row in answer["results"]]


def test_an_export_without_rows_is_a_whole_file(catalogue: None) -> None:
    assert written(ask()).startswith(b"event_id,occurred_at,")
    assert json.loads(written(ask(file_format="json"))) == []


def test_filters_hold_and_open_ends_are_settled_when_asked(stored: None) -> None:
    export = ask(parameters={"tag:a": "b", "status": "success"})
    assert [row["event_id"] for row in csv_rows(written(export))] == ["x"]
    assert export.parameters == {"tag:a": "b", "status": "success", "timezone": "UTC"}
    usage = ask("usage")
    assert usage.parameters == {**NOVEMBER, "timezone": "UTC"}


def test_a_file_is_kept_until_it_expires_and_the_record_stays(stored: None) -> None:
    first, second = ask(), ask()
    written(first)
    assert expire_exports() == 0
    Export.objects.filter(pk=first.pk).update(expires_at=datetime.now(UTC))
    assert (expire_exports(), expire_exports()) == (1, 0)

    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.status, second.status) == (Status.EXPIRED, Status.DONE)
    assert set(ExportPart.objects.values_list("export_id", flat=True)) == {second.pk}
    assert first.rows_done == 31


def test_only_so_many_may_wait(stored: None) -> None:
    user = User.objects.create_user("ann")
    mine, other = Requester(EVERYTHING, user_id=user.pk), Requester(EVERYTHING)
    for _ in range(MOST_UNFINISHED):
        ask(requester=mine)
    with pytest.raises(TooManyExports):
        ask(requester=mine)
    ask(requester=other)
    assert continue_exports() == MOST_UNFINISHED + 1
    ask(requester=mine)


@pytest.mark.parametrize(
    ("kind", "file_format", "parameters", "field"),
    [
        ("invoices", "csv", {}, "kind"),
        ("events", "xml", {}, "format"),
        ("events", "csv", {"colour": "red"}, "colour"),
        ("events", "csv", {"limit": "5"}, "limit"),
        ("events", "csv", {"from": "2026-11-02", "to": "2026-11-01"}, "to"),
        ("usage", "csv", {"group_by": "colour"}, "group_by"),
        ("usage", "csv", {"from": "2020-01-01", "granularity": "15m"}, "granularity"),
        ("focus", "csv", {"from": "2026-11-02T00:00:00Z"}, "from"),
        ("focus", "csv", {"from": "2026-11-02", "to": "2026-11-02"}, "to"),
        ("focus", "csv", {"project": "web"}, "project"),
    ],
)
def test_what_makes_no_sense_is_refused_when_asked(
    db: None, kind: str, file_format: str, parameters: dict[str, str], field: str
) -> None:
    with pytest.raises(QuestionError) as refused:
        request_export(kind, file_format, parameters, requester=SITE)
    assert refused.value.field == field
    assert not Export.objects.exists()


def test_a_question_without_answer_by_the_time_fails_with_its_reason(stored: None) -> None:
    export = ask("usage")
    Export.objects.filter(pk=export.pk).update(parameters={**NOVEMBER, "currency": "XXX"})
    assert continue_exports() == 1
    export.refresh_from_db()
    assert (export.status, export.parts.count()) == (Status.FAILED, 0)
    assert "XXX" in export.error


def test_only_what_its_asker_could_see_is_in_a_file(
    stored: None, client_for: Callable[..., APIClient]
) -> None:
    client_for("other")
    other = Organization.objects.get(slug="other")
    viewer = Viewer(frozenset((other.pk,)))
    export = ask(requester=Requester(viewer))
    assert export.organization_ids == [other.pk]
    assert csv_rows(written(export)) == []
    assert ask(parameters={"organization": "acme"}).organization_ids == [
        Organization.objects.get(slug="acme").pk
    ]
