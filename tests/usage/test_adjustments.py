from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from django.db import connection
from django.db.models import Sum

from tests.usage.asking import ask
from tests.usage.conftest import event
from tests.usage.repricing import (
    applied,
    assert_sound,
    costs,
    month_costs,
    planned,
    price,
    ratings,
    unpriced_count,
)
from usage.ingest.pipeline import Caller, ingest
from usage.models import ClosedMonth, Organization, RatingChange, RatingRun, UsageEvent, UsageRollup
from usage.organizations import change_time_zone
from usage.rerating import (
    RatingRefused,
    apply_run,
    close_month,
    continue_runs,
    finish_run,
    roll_back_run,
)
from usage.rollups import rebuild, roll_up
from usage.selectors.access import EVERYTHING
from usage.selectors.questions import Granularity
from usage.verification import verify

SEPTEMBER, OCTOBER = date(2026, 9, 1), date(2026, 10, 1)
IN_SEPTEMBER = datetime(2026, 9, 10, 8, tzinfo=UTC)
IN_OCTOBER = datetime(2026, 10, 10, 8, tzinfo=UTC)
State = UsageEvent.State

pytestmark = pytest.mark.django_db


@pytest.fixture
def closed(caller: Caller) -> None:
    ingest(
        [
            event("a", occurred_at=IN_SEPTEMBER, session_id="s1"),
            event("b", occurred_at=IN_SEPTEMBER, input_tokens=2000, output_tokens=0),
            event("c", occurred_at=IN_SEPTEMBER, project="api", subject="bob"),
            event("d", occurred_at=IN_OCTOBER),
        ],
        caller,
    )
    roll_up()
    close_month(Organization.objects.get(), SEPTEMBER)


def present_month() -> str:
    return f"{datetime.now(UTC):%Y-%m}"


def adjustments(state: UsageEvent.State = State.ADJUSTMENT) -> list[UsageEvent]:
    rows = UsageEvent.objects.filter(state=state, event_id__startswith="adjustment-")
    return list(rows.select_related("project", "subject").order_by("project__slug"))


def test_a_closed_month_keeps_its_ratings_and_the_present_one_gets_the_difference(
    closed: None,
) -> None:
    before = costs()
    price("6", "30")
    run = applied()

    assert (run.changed, run.adjusted, run.skipped) == (1, 3, 0)
    assert {name: costs()[name] for name in "abc"} == {name: before[name] for name in "abc"}
    assert costs()["d"] == Decimal("0.009")
    assert month_costs() == {
        "2026-09": Decimal("0.015"),
        "2026-10": Decimal("0.009"),
        present_month(): Decimal("0.015"),
    }
    assert_sound()


def test_adjustments_name_who_used_what_and_the_month_they_are_for(closed: None) -> None:
    price("6", "30")
    run = applied()

    api, web = adjustments()

    assert (api.cost, api.input_cost, api.output_cost, api.cache_cost) == (
        Decimal("0.0045"), Decimal("0.003"), Decimal("0.0015"), Decimal(0),
    )  # fmt: skip
    assert web.cost == Decimal("0.0105")
    assert api.project is not None
    assert api.subject is not None
    assert (api.project.slug, api.subject.key) == ("api", "bob")
    assert (api.total_tokens, api.session_id, api.price_version_id) == (0, None, None)
    assert api.tags == {"adjusts": "2026-09", "rating_run": str(run.pk)}
    assert api.occurred_at == run.applied_at


def test_adjustments_add_cost_but_no_calls(closed: None) -> None:
    price("6", "30")
    applied()
    now = datetime.now(UTC)
    for fine in (Granularity.TOTAL, Granularity.HOUR):
        answer = ask(start=date(2026, 9, 1), end=date(now.year + 1, 1, 1), granularity=fine)
        assert (answer.totals.events, answer.totals.cost) == (4, Decimal("0.039"))
        assert (answer.totals.total_tokens, answer.totals.unpriced_events) == (5300, 0)
    tagged = ask(
        start=date(2026, 9, 1), end=date(now.year + 1, 1, 1), filters={"tag:adjusts": {"2026-09"}}
    )
    assert (tagged.totals.events, tagged.totals.cost) == (0, Decimal("0.015"))


def test_rebuilding_finds_the_same_sums(closed: None) -> None:
    price("6", "30")
    applied()
    sums = month_costs()
    rebuild()
    assert month_costs() == sums
    assert UsageRollup.objects.aggregate(events=Sum("events")) == {"events": 4}


def test_a_fallen_price_gives_a_negative_adjustment(closed: None) -> None:
    price("1", "5")
    applied()
    assert [adjustment.cost for adjustment in adjustments()] == [
        Decimal("-0.003"),
        Decimal("-0.007"),
    ]
    assert_sound()


def test_re_rating_a_closed_month_twice_adjusts_once(closed: None) -> None:
    price("6", "30")
    applied()
    assert planned().changed == 0


def test_a_second_price_adjusts_by_what_has_not_been_adjusted_yet(closed: None) -> None:
    price("6", "30")
    applied()
    price("7", "35", since=datetime(2021, 1, 1, tzinfo=UTC))
    run = applied()

    assert (run.adjusted, run.before_cost) == (3, Decimal("0.039"))
    assert month_costs()[present_month()] == Decimal("0.02")
    assert sorted(adjustment.cost or 0 for adjustment in adjustments()) == [
        Decimal("0.0015"),
        Decimal("0.0035"),
        Decimal("0.0045"),
        Decimal("0.0105"),
    ]
    assert_sound()


def test_rolling_back_withdraws_the_adjustments(closed: None) -> None:
    before, sums = ratings(), month_costs()
    price("6", "30")
    run = applied()

    finish_run(roll_back_run(run))

    assert ratings() == before
    assert month_costs() == sums
    assert adjustments() == []
    assert len(adjustments(State.SUPERSEDED)) == 2
    assert_sound()
    assert applied().adjusted == 3


def test_what_has_been_closed_since_is_not_rolled_back(closed: None) -> None:
    price("6", "30")
    run = applied()
    close_month(Organization.objects.get(), OCTOBER)
    with pytest.raises(RatingRefused, match="October 2026 of acme has been closed since"):
        roll_back_run(run)


def test_adjustments_of_a_month_closed_since_stay(closed: None) -> None:
    price("6", "30")
    run = applied(end=IN_OCTOBER)
    rolling = roll_back_run(run)
    present = datetime.now(UTC).date().replace(day=1)
    ClosedMonth.objects.create(organization=Organization.objects.get(), month=present)

    refused = finish_run(rolling)

    assert refused.status == RatingRun.Status.APPLIED
    assert "has been closed since" in refused.error
    assert len(adjustments()) == 2
    with pytest.raises(RatingRefused, match="closed since"):
        roll_back_run(refused)


def test_a_month_closed_between_plan_and_application_is_adjusted(closed: None) -> None:
    price("6", "30")
    run = planned()
    close_month(Organization.objects.get(), OCTOBER)
    run = finish_run(apply_run(run))
    assert (run.changed, run.adjusted) == (0, 4)
    assert sum(a.cost or 0 for a in adjustments()) == Decimal("0.0195")


def test_months_are_those_of_the_organizations_time_zone(caller: Caller) -> None:
    change_time_zone(Organization.objects.get(), "Asia/Kolkata")
    late = datetime(2026, 9, 30, 19, tzinfo=UTC)
    ingest([event("a", occurred_at=late), event("b", occurred_at=IN_SEPTEMBER)], caller)
    roll_up()
    close_month(Organization.objects.get(), SEPTEMBER)
    price("6", "30")
    run = applied()
    assert (run.changed, run.adjusted) == (1, 1)
    assert costs() == {"a": Decimal("0.009"), "b": Decimal("0.0045")}


def test_a_late_call_without_price_in_a_closed_month_is_adjusted_once(
    closed: None, caller: Caller
) -> None:
    ingest([event("late", occurred_at=IN_SEPTEMBER, model="nobody-knows-9")], caller)
    assert unpriced_count(EVERYTHING) == 1
    price("6", "30", model="nobody-knows-9")
    continue_runs()

    assert costs()["late"] is None
    assert [adjustment.cost for adjustment in adjustments()] == [Decimal("0.009")]
    assert unpriced_count(EVERYTHING) == 0
    continue_runs()
    price("6", "30", model="another")
    continue_runs()
    assert len(adjustments()) == 1
    roll_up()
    assert_sound()


def test_a_corrected_event_takes_its_adjustment_along(closed: None, caller: Caller) -> None:
    price("6", "30")
    applied()
    ingest([event("c2", corrects="c", occurred_at=IN_SEPTEMBER, project="api")], caller)
    assert sum(month_costs().values()) == Decimal("0.039") + Decimal("0.0045")

    run = applied()

    assert (run.adjusted, run.after_cost - run.before_cost) == (1, Decimal("-0.0045"))
    assert sum(month_costs().values()) == Decimal("0.039")
    assert planned().changed == 0
    assert_sound()
    finish_run(roll_back_run(run))
    assert sum(month_costs().values()) == Decimal("0.0435")


def test_equal_cost_by_another_version_posts_nothing(closed: None) -> None:
    price("3", "15")
    run = applied()
    assert (run.adjusted, adjustments()) == (3, [])
    assert set(run.changes.values_list("outcome", flat=True)) == {
        RatingChange.Outcome.CHANGED,
        RatingChange.Outcome.ADJUSTED,
    }


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE usage_usageevent SET cost = cost + 1 WHERE state = 3",
        "UPDATE usage_usageevent SET state = 0 WHERE state = 3",
        "UPDATE usage_usageevent SET project_id = NULL WHERE state = 3",
        "DELETE FROM usage_usageevent WHERE state = 3",
    ],
)
def test_tampered_adjustments_are_drift(closed: None, statement: str) -> None:
    price("6", "30")
    applied()
    with connection.cursor() as cursor:
        cursor.execute(statement)
        assert cursor.rowcount == 2
    assert "buckets" in {drift.check for drift in verify().drifts}
