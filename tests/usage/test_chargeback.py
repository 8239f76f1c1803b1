import csv
import io
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from rest_framework.test import APIClient

from tests.config.site_data import event, send
from usage.api.schema.chargeback import ChargebackBody
from usage.cost_centres import assign_project, assign_team, ensure_cost_centre
from usage.models import Organization, Project, Team
from usage.organizations import change_time_zone, ensure_organization
from usage.selectors.access import EVERYTHING, Viewer
from usage.selectors.chargeback import Chargeback, assignable, chargeback
from usage.selectors.questions import QuestionError, UsageQuery
from usage.selectors.usage import query_usage

pytestmark = pytest.mark.django_db
OCTOBER, NOVEMBER = date(2026, 10, 1), date(2026, 11, 1)
CENTS = 10_000
"""Input tokens of Sonnet that cost three cents."""


def at(month: int, day: int, hour: int = 12) -> datetime:
    return datetime(2026, month, day, hour, tzinfo=UTC)


def call(number: object, when: datetime, times: int, **fields: Any) -> Any:
    return event(number, when, input_tokens=CENTS * times, **fields)


@pytest.fixture
def books(catalogue: None) -> None:
    send(
        [
            call(1, at(10, 5), 1, project="web", team="core"),
            call(2, at(11, 5), 2, project="web", team="core"),
            call(3, at(11, 6), 3, project="api", team="core"),
            call(4, at(11, 7), 4, project="api", team="data"),
            call(5, at(11, 8), 5),
            call(6, at(11, 8), 6, organization="globex", project="web", team="core"),
            event(7, at(11, 9), model="nobody-knows-1b", provider="", input_tokens=9, team="core"),
        ]
    )
    acme = Organization.objects.get(slug="acme")
    shop, office = (ensure_cost_centre(acme, code, name) for code, name in
                    (("4100", "Shop"), ("4200", "Office")))  # fmt: skip
    web = Project.objects.get(organization=acme, slug="web")
    assign_project(web, shop, date(2026, 3, 1))
    assign_project(web, office, NOVEMBER)
    assign_team(Team.objects.get(organization=acme, slug="core"), shop, date(2026, 1, 1))


def charge(**fields: Any) -> Chargeback:
    months = {"first_month": OCTOBER, "last_month": NOVEMBER}
    return chargeback(EVERYTHING, **{**months, **fields})


def lines(charged: Chargeback) -> list[tuple[str, str, str, str | None, str | None, Decimal]]:
    return [
        (
            f"{row.month:%Y-%m}", row.account.organization, row.account.code, row.project,
            row.team, row.sums.cost,
        )
        for row in charged.rows
    ]  # fmt: skip


def test_each_month_is_charged_to_whom_it_was_assigned_then(books: None) -> None:
    assert lines(charge()) == [
        ("2026-10", "acme", "4100", "web", "core", Decimal("0.03")),
        # Without a project the team counts; the unpriced call costs nothing that is known.
        ("2026-11", "acme", "4100", None, "core", 0),
        ("2026-11", "acme", "4100", "api", "core", Decimal("0.09")),
        ("2026-11", "acme", "4200", "web", "core", Decimal("0.06")),
        ("2026-11", "acme", "", None, None, Decimal("0.15")),
        ("2026-11", "acme", "", "api", "data", Decimal("0.12")),
        ("2026-11", "globex", "", "web", "core", Decimal("0.18")),
    ]


def test_the_parts_add_up_to_the_ledger(books: None) -> None:
    charged = charge()
    whole = query_usage(UsageQuery(viewer=EVERYTHING, start=OCTOBER, end=date(2026, 12, 1))).totals
    assert charged.totals == whole
    assert sum(sums.cost for _, sums, _ in charged.by_account()) == whole.cost
    assert charged.totals.unpriced_events == 1


def test_a_project_that_nobody_is_charged_for_is_not_charged_to_its_team(books: None) -> None:
    api = Project.objects.get(organization__slug="acme", slug="api")
    assign_project(api, None, NOVEMBER)
    assert ("2026-11", "acme", "", "api", "core", Decimal("0.09")) in lines(charge())


def test_accounts_add_months_up_and_put_the_dearest_first(books: None) -> None:
    accounts = charge(organizations=["acme"]).by_account()
    assert [(a.code, sums.cost, [(r.project, r.sums.cost) for r in rows]) for a, sums, rows in
            accounts] == [
        ("4100", Decimal("0.12"),
         [("api", Decimal("0.09")), ("web", Decimal("0.03")), (None, 0)]),
        ("4200", Decimal("0.06"), [("web", Decimal("0.06"))]),
        ("", Decimal("0.27"), [(None, Decimal("0.15")), ("api", Decimal("0.12"))]),
    ]  # fmt: skip


def test_months_are_those_of_each_organization(catalogue: None) -> None:
    change_time_zone(ensure_organization("globex"), "Asia/Kolkata")
    night = datetime(2026, 10, 31, 20, tzinfo=UTC)
    send([call(1, night, 1), call(2, night, 2, organization="globex")])
    assert [(line[0], line[1], line[5]) for line in lines(charge())] == [
        ("2026-10", "acme", Decimal("0.03")),
        ("2026-11", "globex", Decimal("0.06")),
    ]


def test_a_viewer_is_charged_only_what_he_may_see(books: None) -> None:
    globex = Organization.objects.get(slug="globex").pk
    assert {line[1] for line in lines(chargeback(
        Viewer(frozenset((globex,))), first_month=OCTOBER, last_month=NOVEMBER
    ))} == {"globex"}  # fmt: skip
    nobody = chargeback(Viewer(frozenset()), first_month=OCTOBER, last_month=NOVEMBER)
    assert nobody.rows == []
    assert nobody.totals.cost == 0


def test_what_is_not_assigned_tells_what_to_assign(books: None) -> None:
    rows = [row for row in charge().rows if not row.account.code]
    owners = assignable(EVERYTHING, rows)
    api = Project.objects.get(organization__slug="acme", slug="api")
    site = Project.objects.get(organization__slug="globex", slug="web")
    assert owners["acme", "api", "data"] == ("project", api.pk)
    assert owners["globex", "web", "core"] == ("project", site.pk)
    assert ("acme", None, None) not in owners
    team = Team.objects.get(organization__slug="acme", slug="data")
    alone = [row for row in charge().rows if row.project is None and row.team == "core"]
    assert assignable(EVERYTHING, alone) == {
        ("acme", None, "core"): ("team", Team.objects.get(organization=team.organization,
                                                          slug="core").pk),
    }  # fmt: skip
    assert assignable(Viewer(frozenset()), rows) == {}


@pytest.mark.parametrize("last", [date(2026, 9, 1), date(2029, 10, 1)])
def test_backward_and_very_long_questions_are_refused(db: None, last: date) -> None:
    with pytest.raises(QuestionError):
        charge(last_month=last)


def test_the_endpoint_gives_the_rows_with_an_exclusive_end(
    books: None, client_for: Callable[..., APIClient]
) -> None:
    client = client_for("acme")
    answer = client.get("/api/v1/chargeback/", {"from": "2026-11", "to": "2026-12"})
    body = msgspec.json.decode(answer.content, type=ChargebackBody)
    assert (body.from_, body.to, body.unpriced_events) == ("2026-11", "2026-12", 1)
    assert [(row.cost_centre, row.project, row.cost) for row in body.results] == [
        ("4100", None, "0.0000000000"),
        ("4100", "api", "0.0900000000"),
        ("4200", "web", "0.0600000000"),
        (None, None, "0.1500000000"),
        (None, "api", "0.1200000000"),
    ]
    assert body.totals.cost == "0.4200000000"
    assert client.get("/api/v1/chargeback?organization=globex").json()["results"] == []
    for query in ("from=2026-13", "to=2026-11-01", "from=2026-11&to=2026-11", "month=2026-11",
                  "to=1900-01", "from=0000-01", "to=1971-01"):  # fmt: skip
        assert client.get(f"/api/v1/chargeback/?{query}").status_code == 400, query


def test_the_csv_has_the_same_rows(books: None, client_for: Callable[..., APIClient]) -> None:
    ensure_cost_centre(Organization.objects.get(slug="acme"), "4200")
    answer = client_for("acme").get("/api/v1/chargeback/?from=2026-10&to=2026-12&format=csv")
    text = b"".join(answer.streaming_content).decode()  # type: ignore[attr-defined]
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [(r["month"], r["cost_centre"], r["cost_centre_name"], r["project"], r["cost"])
            for r in rows][:2] == [
        ("2026-10", "4100", "Shop", "web", "0.0300000000"),
        ("2026-11", "4100", "Shop", "", "0.0000000000"),
    ]  # fmt: skip
    assert sum(Decimal(row["cost"]) for row in rows) == Decimal("0.45")
