import re
from contextlib import nullcontext
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client

from tests.config.site_data import staff, two_organizations
from usage.exports.working import continue_exports
from usage.models import Export, Membership

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("filled")]
LIST = "/admin/usage/export/"
NEW = f"{LIST}add/"
STATE = '<span class="tm-badge ">Waiting</span>'
DAYS = {"first": "2026-11-09", "last": "2026-11-13"}


@pytest.fixture
def filled(catalogue: None, monkeypatch: pytest.MonkeyPatch) -> None:
    two_organizations()
    monkeypatch.setattr("usage.exports.working.snapshot_for_file", lambda **_: nullcontext())
    monkeypatch.setattr("usage.exports.working.closing", nullcontext)
    monkeypatch.setattr("usage.exports.working._another_connection", lambda: connection)


@pytest.fixture
def ann(client: Client) -> Client:
    client.force_login(staff("ann", "acme"))
    return client


def asked(client: Client, **fields: Any) -> Export:
    wanted = {"kind": "events", "format": "csv", **DAYS, **fields}
    answer = client.post(NEW, wanted)
    assert answer.status_code == 302, answer.context["form"].errors
    return Export.objects.latest("requested_at")


def downloaded(client: Client, export: Export) -> str:
    continue_exports()
    page = client.get(LIST).text
    (url,) = re.findall(r'href="(/api/v1/exports/[^"]+/download)"', page)
    assert str(export.pk) in url
    text: str = client.get(url).getvalue().decode()
    return text


def test_a_member_asks_for_a_file_waits_and_downloads_it(ann: Client) -> None:
    export = asked(ann)
    waiting = ann.get(LIST).text
    assert STATE in waiting
    assert 'data-live data-refresh-seconds="3"' in waiting
    text = downloaded(ann, export)
    assert text.count("\r\n") == 6
    assert "globex" not in text
    page = ann.get(LIST).text
    assert 'data-refresh-seconds="30"' in page
    assert "9 Nov \N{EN DASH} 13 Nov 2026" in page


def test_the_filters_of_the_event_list_hold_for_the_file(ann: Client) -> None:
    query = "from=2026-11-09&through=2026-11-13&project=web&agent_type=%28none%29&status=success"
    page = ann.get(f"/admin/usage/usageevent/?{query}").text
    (link,) = re.findall(r'href="(/admin/usage/export/add/[^"]+)"', page)
    form = ann.get(link.replace("&amp;", "&")).context["form"]
    assert form.filters_shown == ["project web", "agent type (none)", "status success"]

    fields = {name: form[name].value() for name in ("first", "last", "filters", "tz")}
    text = downloaded(ann, asked(ann, **fields))
    assert [line[:3] for line in text.splitlines()[1:]] == ["e2,", "e1,"]


def test_unpriced_events_alone_can_be_exported(ann: Client) -> None:
    form = ann.get(f"{NEW}?kind=events&unpriced=on&from=2026-11-09").context["form"]
    text = downloaded(ann, asked(ann, filters=form["filters"].value()))
    assert [line[:3] for line in text.splitlines()[1:]] == ["e4,"]


def test_usage_is_exported_by_group_and_period(ann: Client) -> None:
    export = asked(ann, kind="usage", group_by=["project", "model"], granularity="day")
    assert export.parameters["group_by"] == "project,model"
    assert downloaded(ann, export).startswith("start,project,model,currency,events,")


def test_a_period_across_years_is_shown_with_both(ann: Client) -> None:
    asked(ann, first="2025-11-01")
    assert "1 Nov 2025 \N{EN DASH} 13 Nov 2026" in ann.get(LIST).text


def test_what_makes_no_sense_is_told_beside_the_field(ann: Client) -> None:
    wanted = {"kind": "events", "format": "csv", **DAYS}
    for fields, field in (
        ({"first": "2026-11-14"}, "last"),
        ({"filters": "colour=red"}, "__all__"),
        ({"organization": "globex"}, "organization"),
        ({"kind": "usage", "filters": "status=success"}, "__all__"),
        ({"tz": "Mars"}, "__all__"),
    ):
        answer = ann.post(NEW, {**wanted, **fields})
        assert (answer.status_code, list(answer.context["form"].errors)) == (200, [field])
    assert not Export.objects.exists()
    assert ann.get(f"{NEW}?tz=Mars&from=soon").status_code == 200


def test_users_see_their_own_exports_and_who_sees_all_everybodys(
    ann: Client, admin_user: User
) -> None:
    asked(ann)
    other = Client()
    other.force_login(staff("bob", "acme"))
    assert STATE not in other.get(LIST).text
    chief = Client()
    chief.force_login(admin_user)
    assert STATE in chief.get(LIST).text
    pk = Export.objects.get().pk
    assert chief.get(f"{LIST}{pk}/change/").status_code == 200
    assert other.get(f"{LIST}{pk}/change/").status_code == 302
    Membership.objects.all().delete()
    assert ann.get(f"{LIST}{pk}/change/").status_code in (302, 403)


def test_staff_of_no_organization_cannot_export(client: Client) -> None:
    client.force_login(staff("new"))
    assert client.get(LIST).status_code == 403
    assert client.get(NEW).status_code == 403
