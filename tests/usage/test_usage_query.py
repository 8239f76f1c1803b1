from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import available_timezones

import pytest
from django.db import connection

from tests.usage.asking import ask, table_asked
from tests.usage.conftest import NOON, event
from usage.ingest.identities import tenant_of
from usage.ingest.pipeline import Caller, ingest
from usage.ingest.prepare import Tenancy
from usage.models import DirtyMark, Organization
from usage.organizations import ensure_organization
from usage.rollups import roll_up
from usage.selectors.access import NOTHING, Viewer
from usage.selectors.cursors import pack
from usage.selectors.questions import Granularity, QuestionError

pytestmark = pytest.mark.django_db


def in_zone(slug: str, zone: str) -> Caller:
    organization = Organization.objects.create(slug=slug, time_zone=zone)
    return Caller(Tenancy(tenant_of(organization), {}))


@pytest.fixture
def month(caller: Caller) -> Caller:
    ingest(
        [
            event("a", tags={"env": "live"}, session_id="s1", run_id="r1", agent_type="testing"),
            event("b", project="api", subject="bob", team="core", status="error", duration_ms=70),
            event("c", project=None, subject=None, model="nobody-knows-9", provider=""),
            event("d", occurred_at=NOON - timedelta(days=9), tags={"env": "test"}),
        ],
        caller,
    )
    roll_up()
    return caller


def test_sums_are_exact_and_leave_the_unpriced_out(month: Caller) -> None:
    totals = ask().totals
    assert (totals.events, totals.errors, totals.unpriced_events) == (4, 1, 1)
    assert (totals.input_tokens, totals.output_tokens, totals.total_tokens) == (4000, 400, 4400)
    assert totals.duration_ms == 70
    assert str(totals.cost) == "0.0135000000"
    assert (totals.input_cost, totals.output_cost) == (Decimal("0.009"), Decimal("0.0045"))


@pytest.mark.parametrize(
    ("name", "events"),
    [
        ("organization", {"acme": 4}),
        ("project", {None: 1, "api": 1, "web": 2}),
        ("subject", {None: 1, "ann": 2, "bob": 1}),
        ("team", {None: 3, "core": 1}),
        ("provider", {None: 1, "anthropic": 3}),
        ("model", {"claude-sonnet-4-5": 3, "nobody-knows-9": 1}),
        ("operation", {None: 4}),
        ("action", {"chat": 4}),
        ("agent_type", {None: 3, "testing": 1}),
        ("billing_scope", {"org": 4}),
        ("session", {None: 3, "s1": 1}),
        ("run", {None: 3, "r1": 1}),
        ("api_key", {None: 4}),
        ("tag:env", {None: 2, "live": 1, "test": 1}),
        ("tag:'); --", {None: 4}),
    ],
)
def test_every_dimension_groups_and_filters_alike(
    month: Caller, name: str, events: dict[str | None, int]
) -> None:
    assert {row.group[name]: row.sums.events for row in ask(group_by=(name,)).rows} == events
    for value, count in events.items():
        assert ask(filters={name: [value or ""]}).totals.events == count
    assert ask(filters={name: [value or "" for value in events]}).totals.events == 4
    assert ask(filters={name: ["never-seen"]}).totals.events == 0


def test_filters_of_several_names_must_all_hold(month: Caller) -> None:
    assert ask(filters={"project": ["web"], "subject": ["ann"]}).totals.events == 2
    assert ask(filters={"project": ["web"], "subject": ["bob"]}).totals.events == 0
    assert ask(filters={"project": ["web", "api"], "tag:env": ["live"]}).totals.events == 1


def test_periods_without_usage_have_zeros_only_where_nothing_is_grouped(month: Caller) -> None:
    days = ask(granularity=Granularity.DAY).rows
    assert [row.start for row in days] == [date(2026, 11, day) for day in range(1, 31)]
    assert [row.sums.events for row in days if row.sums.events] == [1, 3]
    assert f"{days[0].sums.cost:f}" == "0.0000000000"
    assert len(ask(granularity=Granularity.DAY, group_by=("organization",)).rows) == 2
    assert [row.sums.events for row in ask(viewer=NOTHING).rows] == [0]


def test_weeks_start_on_monday_and_months_on_their_first(month: Caller) -> None:
    weeks = [row.start for row in ask(granularity=Granularity.WEEK).rows]
    assert weeks == [date(2026, 10, 26) + timedelta(weeks=week) for week in range(6)]
    months = ask(granularity=Granularity.MONTH, end=date(2027, 1, 1)).rows
    assert [row.start for row in months] == [date(2026, 11, 1), date(2026, 12, 1)]


@pytest.mark.parametrize(
    ("day", "hours"), [(date(2026, 3, 8), 23), (date(2026, 3, 9), 24), (date(2026, 11, 1), 25)]
)
def test_days_when_clocks_change_have_all_their_hours(
    caller: Caller, day: date, hours: int
) -> None:
    bounds = {"start": day, "end": day + timedelta(days=1), "time_zone": "America/New_York"}
    rows = ask(granularity=Granularity.HOUR, **bounds).rows
    assert len(rows) == hours
    assert len({row.start.isoformat() for row in rows}) == hours
    assert len(ask(granularity=Granularity.QUARTER_HOUR, **bounds).rows) == hours * 4


def test_hours_of_kathmandu_start_on_its_own_full_hour(month: Caller) -> None:
    answer = ask(
        granularity=Granularity.HOUR, time_zone="Asia/Kathmandu", group_by=("organization",)
    )
    starts = [row.start.isoformat() for row in answer.rows]
    assert starts == ["2026-11-11T17:00:00+05:45", "2026-11-20T17:00:00+05:45"]


def test_the_coarsest_exact_table_answers(month: Caller) -> None:
    day, instant = date(2026, 11, 2), datetime(2026, 11, 2, 12, 15, tzinfo=UTC)
    assert table_asked() == "monthlyfacet"
    wide: dict[str, Any] = {"group_by": ("project", "model")}
    assert table_asked(**wide) == "monthlyrollup"
    assert table_asked(**wide, granularity=Granularity.MONTH) == "monthlyrollup"
    assert table_asked(**wide, granularity=Granularity.WEEK) == "dailyrollup"
    assert table_asked(**wide, start=day) == "dailyrollup"
    assert table_asked(**wide, start=datetime(2026, 11, 1, tzinfo=UTC)) == "monthlyrollup"
    assert table_asked(**wide, start=instant) == "usagerollup dailyrollup"
    assert table_asked(**wide, granularity=Granularity.HOUR) == "usagerollup"
    assert table_asked(group_by=("session",)) == "usagerollup"
    assert table_asked(filters={"run": ["r1"]}) == "usagerollup"
    days = {"start": day, "time_zone": "Asia/Kathmandu"}
    assert table_asked(**wide, **days) == "usagerollup dailyrollup"
    assert table_asked(**wide, **days, granularity=Granularity.DAY) == "usagerollup"
    assert table_asked(start=instant + timedelta(minutes=1)) == "usageevent"
    assert table_asked(group_by=("tag:env",)) == "usageevent"
    assert table_asked(filters={"tag:env": ["live"]}) == "usageevent"


def test_one_dimension_however_it_is_named_is_read_from_facets(month: Caller) -> None:
    instant = datetime(2026, 11, 2, 12, 15, tzinfo=UTC)
    assert table_asked(start=instant) == "usagerollup hourlyfacet dailyfacet"
    assert table_asked(granularity=Granularity.HOUR) == "hourlyfacet"
    assert table_asked(granularity=Granularity.DAY, filters={"model": ["x"]}) == "dailyfacet"
    assert table_asked(group_by=("organization", "subject")) == "monthlyfacet"
    assert table_asked(filters={"project": ["web"]}, group_by=("subject",)) == "monthlyrollup"
    for group_by in ((), ("project",), ("team",), ("subject",), ("model", "provider")):
        for only in ({}, {"subject": ["bob"]}, {"project": [""]}, {"organization": ["acme"]}):
            asked: dict[str, Any] = {"group_by": group_by, "filters": only}
            plain, narrow = (ask(**asked, start=instant + timedelta(minutes=n)) for n in (1, 0))
            assert narrow.totals == plain.totals
            assert [(row.group, row.sums) for row in narrow.rows] == [
                (row.group, row.sums) for row in plain.rows
            ]


def test_organizations_of_other_zones_are_answered_beside_those_of_the_zone(month: Caller) -> None:
    kathmandu = in_zone("everest", "Asia/Kathmandu")
    # 20:00 UTC is the next day in Kathmandu.
    ingest([event("x", occurred_at=NOON + timedelta(hours=8))], kathmandu)
    roll_up()
    days = {"granularity": Granularity.DAY, "group_by": ("organization",)}
    assert table_asked(**days) == "hourlyfacet dailyfacet"
    assert table_asked(**days, filters={"subject": ["x"]}) == "usagerollup dailyfacet"
    utc = {(row.start.day, row.group["organization"]) for row in ask(**days).rows}
    assert utc == {(11, "acme"), (20, "acme"), (20, "everest")}
    local = ask(**days, time_zone="Asia/Kathmandu").rows
    assert {(row.start.day, row.group["organization"]) for row in local} == {
        (11, "acme"), (20, "acme"), (21, "everest"),
    }  # fmt: skip


@pytest.mark.parametrize("zone", ["America/Havana", "Atlantic/Azores"])
def test_a_midnight_that_comes_twice_begins_the_day_once(catalogue: None, zone: str) -> None:
    caller = in_zone("island", zone)
    # On these nights clocks go back from one o'clock to midnight.
    first = {"America/Havana": (11, 1, 4), "Atlantic/Azores": (10, 25, 0)}[zone]
    instant = datetime(2026, *first, 30, tzinfo=UTC)
    ingest([event("a", occurred_at=instant)], caller, now=NOON)
    roll_up()
    day = date(2026, *first[:2])
    on_that_day = {"start": day, "end": day + timedelta(days=1), "time_zone": zone}
    assert ask(**on_that_day).totals.events == 1
    assert ask(**on_that_day, granularity=Granularity.HOUR).totals.events == 1


def test_every_zone_that_is_accepted_is_known_to_the_database(db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM pg_timezone_names")
        known = {name for (name,) in cursor.fetchall()}
    assert available_timezones() - known <= {"localtime"}
    with pytest.raises(QuestionError, match="IANA"):
        ask(time_zone="localtime")


def test_bounds_between_quarter_hours_cut_exactly(month: Caller) -> None:
    second = timedelta(seconds=1)
    assert ask(start=NOON, end=NOON + second).totals.events == 3
    assert ask(start=NOON + second).totals.events == 0
    assert ask(end=NOON).totals.events == 1


@pytest.mark.parametrize("order_by", ["", "-start", "-cost", "events", "-project", "total_tokens"])
def test_pages_in_any_order_join_up_to_the_whole_answer(month: Caller, order_by: str) -> None:
    question: dict[str, Any] = {
        "granularity": Granularity.DAY,
        "group_by": ("project", "model"),
        "order_by": order_by,
    }
    whole = ask(**question)
    rows, cursor = [], ""
    for _ in range(4):
        page = ask(**question, limit=1, cursor=cursor)
        assert page.totals == whole.totals
        rows += page.rows
        cursor = page.next_cursor or ""
    assert rows == whole.rows
    assert cursor == ""


def test_order_is_by_start_and_names_unless_asked_otherwise(month: Caller) -> None:
    rows = ask(granularity=Granularity.DAY, group_by=("project",)).rows
    assert [(row.start.day, row.group["project"]) for row in rows] == [
        (11, "web"), (20, None), (20, "api"), (20, "web"),
    ]  # fmt: skip
    dearest = ask(group_by=("model",), order_by="-cost").rows
    assert [row.group["model"] for row in dearest] == ["claude-sonnet-4-5", "nobody-knows-9"]


def test_a_cursor_of_another_question_is_refused(month: Caller) -> None:
    cursor = ask(group_by=("project",), limit=1).next_cursor
    assert cursor
    for other in ({"group_by": ("model",)}, {"order_by": "-cost"}, {"start": date(2026, 11, 2)}):
        with pytest.raises(QuestionError, match="start over"):
            ask(**{"group_by": ("project",), **other}, cursor=cursor)


@pytest.mark.parametrize("cursor", ["x", "!!", "W10", "bnVsbA", "é", pack("0" * 12, ["1", "2"])])
def test_a_made_up_cursor_is_refused(month: Caller, cursor: str) -> None:
    with pytest.raises(QuestionError) as refusal:
        ask(group_by=("project",), cursor=cursor)
    assert (refusal.value.field, refusal.value.code) == ("cursor", "invalid_cursor")


@pytest.mark.parametrize(
    ("fields", "field", "code"),
    [
        ({"end": date(2026, 11, 1)}, "to", "empty_range"),
        ({"start": date(1900, 1, 1)}, "from", "out_of_range"),
        ({"end": date.max}, "to", "out_of_range"),
        ({"start": datetime(2026, 11, 1)}, "from", "naive"),  # noqa: DTZ001 - naive on purpose
        ({"time_zone": "Mars/Olympus"}, "timezone", "unknown_timezone"),
        ({"group_by": ("colour",)}, "group_by", "unknown_dimension"),
        ({"group_by": ("tag:",)}, "group_by", "unknown_dimension"),
        ({"group_by": ("model", "model")}, "group_by", "invalid"),
        ({"order_by": "colour"}, "order_by", "unknown_order"),
        ({"order_by": "project"}, "order_by", "unknown_order"),
        ({"filters": {"colour": ["red"]}}, "colour", "unknown_dimension"),
        ({"filters": {"model": ["\0"]}}, "model", "invalid"),
        ({"limit": 100_001}, "limit", "out_of_range"),
        (
            {"granularity": Granularity.QUARTER_HOUR, "start": date(2020, 1, 1)},
            "granularity",
            "too_many_periods",
        ),
    ],
)
def test_questions_that_make_no_sense_are_refused(
    db: None, fields: dict[str, Any], field: str, code: str
) -> None:
    with pytest.raises(QuestionError) as refusal:
        ask(**fields)
    assert (refusal.value.field, refusal.value.code) == (field, code)


def test_a_viewer_sees_nothing_of_others_by_any_filter(month: Caller) -> None:
    other = Viewer(frozenset([ensure_organization("other").pk]))
    for filters in ({}, {"organization": ["acme"]}, {"project": ["web"]}, {"session": ["s1"]},
                    {"tag:env": ["live"]}, {"model": ["claude-sonnet-4-5"]}):  # fmt: skip
        for group_by in ((), ("organization", "project"), ("session",), ("tag:env",)):
            answer = ask(viewer=other, filters=filters, group_by=group_by)
            assert answer.totals.events == 0
            assert group_by == () or answer.rows == []


def test_an_answer_is_as_old_as_the_oldest_mark_of_its_organizations(month: Caller) -> None:
    before = datetime.now(UTC)
    assert ask().as_of >= before
    ingest([event("late")], month)
    marked = datetime(2026, 11, 19, tzinfo=UTC)
    DirtyMark.objects.update(created_at=marked)
    assert ask().as_of == marked
    assert ask(viewer=Viewer(frozenset([ensure_organization("other").pk]))).as_of >= before
    assert ask(filters={"tag:env": ["live"]}).as_of >= before


@pytest.mark.parametrize("group_by", [(), ("project", "model", "session"), ("tag:env",)])
def test_a_question_costs_at_most_three_statements(
    month: Caller,
    group_by: tuple[str, ...],
    django_assert_max_num_queries: Callable[[int], AbstractContextManager[Any]],
) -> None:
    with django_assert_max_num_queries(3):
        ask(granularity=Granularity.DAY, group_by=group_by)
