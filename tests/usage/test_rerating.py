from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from tests.usage.conftest import NOON, event
from tests.usage.repricing import (
    END,
    SONNET,
    START,
    applied,
    assert_sound,
    costs,
    month_costs,
    planned,
    price,
    ratings,
)
from usage.ingest.pipeline import Caller, ingest
from usage.models import Organization, RatingChange, RatingRun, UsageEvent
from usage.organizations import ensure_organization
from usage.rerating import (
    RatingRefused,
    apply_run,
    discard_run,
    finish_run,
    request_for_events,
    request_run,
    roll_back_run,
)
from usage.rollups import roll_up
from usage.selectors.rating_runs import RunTotal, totals_by

Status = RatingRun.Status
OTHER = "gpt-4o"

pytestmark = pytest.mark.django_db


@pytest.fixture
def stored(caller: Caller) -> None:
    ingest(
        [
            event("a", session_id="s1", run_id="r1"),
            event("b", input_tokens=2000, output_tokens=0),
            event("c", model=OTHER, provider="openai"),
            event("d", occurred_at=NOON - timedelta(days=40)),
        ],
        caller,
    )
    roll_up()


def test_a_dry_run_writes_down_differences_and_changes_nothing(stored: None) -> None:
    before = ratings()
    new = price("6", "30")
    run = planned()

    assert (run.status, run.examined, run.changed) == (Status.PLANNED, 4, 3)
    assert (run.before_cost, run.after_cost) == (Decimal("0.015"), Decimal("0.03"))
    assert set(run.changes.values_list("after_version_id", flat=True)) == {new.pk}
    assert ratings() == before
    assert month_costs() == {"2026-10": Decimal("0.0045"), "2026-11": Decimal("0.014")}


def test_applying_changes_events_and_every_level_of_sums(stored: None) -> None:
    price("6", "30")
    run = applied()

    assert costs() == {
        "a": Decimal("0.009"),
        "b": Decimal("0.012"),
        "c": Decimal("0.0035"),
        "d": Decimal("0.009"),
    }
    assert (run.changed, run.adjusted, run.skipped) == (3, 0, 0)
    assert month_costs() == {"2026-10": Decimal("0.009"), "2026-11": Decimal("0.0245")}
    assert_sound()


def test_re_rating_twice_gives_the_same_totals(stored: None) -> None:
    price("6", "30")
    applied()
    once = ratings()

    again = planned()

    assert (again.status, again.changed) == (Status.PLANNED, 0)
    with pytest.raises(RatingRefused, match="changes nothing"):
        apply_run(again)
    assert ratings() == once


def test_rolling_back_restores_everything_to_the_last_digit(stored: None) -> None:
    before, sums = ratings(), month_costs()
    price("6.0000000001", "30.7")
    run = applied()
    assert ratings() != before

    undone = finish_run(roll_back_run(run))

    assert undone.status == Status.ROLLED_BACK
    assert ratings() == before
    assert month_costs() == sums
    assert set(run.changes.values_list("outcome", flat=True)) == {RatingChange.Outcome.UNDONE}
    assert_sound()


def test_an_equal_cost_by_another_version_still_is_a_difference(stored: None) -> None:
    new = price("3", "15")
    run = applied()
    assert (run.changed, run.before_cost) == (3, run.after_cost)
    assert UsageEvent.objects.get(event_id="a").price_version_id == new.pk


def test_a_run_can_be_limited_by_names_whatever_their_case(caller: Caller) -> None:
    ingest(
        [
            event("a"),
            event("b", model="my-alias", response_model=SONNET),
            event("c", provider="amazon-bedrock", model=f"anthropic.{SONNET}"),
        ],
        caller,
    )
    price("6")
    assert planned(model=SONNET.upper()).examined == 2
    assert planned(provider="Anthropic").examined == 2
    assert planned(provider="anthropic", model="nothing").examined == 0
    assert planned(organization=Organization.objects.get()).examined == 3
    assert planned(organization=ensure_organization("other")).examined == 0


def test_a_run_covers_its_start_but_not_its_end(stored: None) -> None:
    assert planned(start=NOON, end=NOON + timedelta(seconds=1)).examined == 3
    assert planned(start=NOON - timedelta(days=40), end=NOON).examined == 1
    with pytest.raises(RatingRefused, match="end"):
        request_run(start=END, end=START)


def test_superseded_events_and_free_tiers_stay_as_they_are(caller: Caller) -> None:
    ingest([event("a"), event("b", corrects="a"), event("f", free_tier=True)], caller)
    price("6", "30")
    run = applied()
    assert (run.examined, run.changed) == (2, 1)
    assert UsageEvent.objects.get(event_id="a").cost == Decimal("0.0045")
    assert costs()["f"] == 0


def test_events_corrected_since_the_plan_are_skipped(stored: None, caller: Caller) -> None:
    price("6", "30")
    run = planned()
    ingest([event("a2", corrects="a", input_tokens=5)], caller)

    run = finish_run(apply_run(run))

    assert (run.changed, run.skipped) == (2, 1)
    assert (run.before_cost, run.after_cost) == (Decimal("0.0105"), Decimal("0.021"))
    assert UsageEvent.objects.get(event_id="a").cost == Decimal("0.0045")
    roll_up()
    assert_sound()


def test_a_stale_plan_does_not_overwrite_what_another_run_did(stored: None) -> None:
    price("6", "30")
    stale = planned()
    price("12", "60", since=datetime(2021, 1, 1, tzinfo=UTC))
    applied()
    newest = ratings()

    run = finish_run(apply_run(stale))

    assert (run.status, run.changed, run.skipped) == (Status.APPLIED, 0, 3)
    assert ratings() == newest


def test_a_run_is_not_rolled_back_before_a_later_one_of_the_same_events(stored: None) -> None:
    price("6", "30")
    first = applied()
    price("12", "60", since=datetime(2021, 1, 1, tzinfo=UTC))
    second = applied(end=NOON)
    with pytest.raises(RatingRefused, match=f"Re-rating {second.pk} .* first"):
        roll_back_run(first)
    finish_run(roll_back_run(second))
    assert finish_run(roll_back_run(first)).status == Status.ROLLED_BACK
    assert_sound()


def test_meters_beyond_the_core_ones_count_again(caller: Caller) -> None:
    ingest([event("a", meters={"web_searches": Decimal(3)})], caller)
    before = costs()["a"]
    assert planned().changed == 0
    assert before == Decimal("0.0345")


def test_chosen_events_are_planned_at_once(stored: None, caller: Caller) -> None:
    price("6", "30")
    run = request_for_events(UsageEvent.objects.filter(event_id__in="ad"), "these two")
    assert (run.status, run.examined, run.changed) == (Status.PLANNED, 2, 2)
    assert run.organization == Organization.objects.get()
    with pytest.raises(RatingRefused, match="one organization"):
        request_for_events(UsageEvent.objects.none(), "nothing")


def test_decisions_need_the_right_state(stored: None) -> None:
    price("6", "30")
    run = discard_run(planned())
    assert run.changes.count() == 0
    for decide in (apply_run, roll_back_run, discard_run):
        with pytest.raises(RatingRefused, match="discarded"):
            decide(run)


def test_differences_are_summed_by_organization_model_and_day(stored: None) -> None:
    price("6", "30")
    price("5", "10", model=OTHER, provider="openai")
    run = planned()
    assert totals_by(run, "organization") == [
        RunTotal("acme", 4, Decimal("0.0185"), Decimal("0.036"), Decimal("0.0175"))
    ]
    assert [total.name for total in totals_by(run, "model")] == [
        f"anthropic/{SONNET}",
        f"openai/{OTHER}",
    ]
    assert [(total.name, total.events) for total in totals_by(run, "day")] == [
        ("2026-10-11", 1),
        ("2026-11-20", 3),
    ]
