from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.contrib.auth.models import User

from pricing.exchange import DatedRate, set_rates
from pricing.models import PriceChange, RateCard
from pricing.publishing import Provenance
from pricing.rating import MeterPrice
from tests.published import publish_price
from tests.usage.conftest import NOON, event
from tests.usage.repricing import LONG_AGO, SONNET, assert_sound, costs, month_costs, price
from usage.ingest.identities import tenant_of
from usage.ingest.pipeline import Caller, ingest
from usage.ingest.prepare import Tenancy
from usage.models import PriceWatch, RatingRun, UsageEvent
from usage.organizations import ensure_organization
from usage.rerating import apply_run, continue_runs
from usage.tasks import continue_ratings

Status, Cause = RatingRun.Status, RatingRun.Cause
EARLIER = NOON - timedelta(days=10)

pytestmark = pytest.mark.django_db


@pytest.fixture
def stored(caller: Caller) -> None:
    ingest(
        [
            event("old", occurred_at=EARLIER - timedelta(seconds=1)),
            event("new", occurred_at=EARLIER),
            event("else", model="gpt-4o", provider="openai"),
        ],
        caller,
    )
    continue_runs()
    assert not RatingRun.objects.exists()


def test_a_price_for_the_past_is_offered_and_changes_nothing_by_itself(stored: None) -> None:
    user = User.objects.create(username="pat")
    publish_price(
        rate_card=RateCard.objects.get_or_create(name="manual", kind=RateCard.Kind.MANUAL)[0],
        provider="anthropic",
        model=SONNET,
        prices=[MeterPrice("input_tokens", Decimal(6), 1_000_000)],
        effective_from=EARLIER,
        source=Provenance("manual", reason="the bill says so", created_by_id=user.pk),
    )
    before = costs()
    continue_ratings()

    run = RatingRun.objects.get()
    assert (run.status, run.cause, run.examined, run.changed) == (
        Status.PLANNED, Cause.OFFERED, 1, 1,
    )  # fmt: skip
    assert (run.start, run.organization, run.requested_by) == (EARLIER, None, user)
    assert "the bill says so" in run.reason
    assert costs() == before
    assert continue_runs() == 0

    apply_run(run)
    continue_ratings()

    assert costs() == {**before, "new": Decimal("0.006")}
    assert sum(month_costs().values()) == Decimal("0.0140")
    assert_sound()


def test_prices_for_the_future_and_the_present_offer_nothing(stored: None) -> None:
    price("6", since=datetime.now(UTC))
    price("7", since=datetime.now(UTC) + timedelta(days=9))
    continue_runs()
    assert not RatingRun.objects.exists()
    assert PriceWatch.objects.get().price_change_id == PriceChange.objects.latest("pk").pk


def test_prices_of_models_that_nobody_used_offer_nothing(stored: None) -> None:
    price("6", model="claude-opus-4-1")
    price("6", model="nobody-knows-9")
    continue_runs()
    assert not RatingRun.objects.exists()


def test_the_same_price_again_finds_no_difference_in_cost_but_in_version(
    caller: Caller, stored: None
) -> None:
    price("3", "15")
    continue_runs()
    run = RatingRun.objects.get()
    assert (run.status, run.changed, run.before_cost) == (Status.PLANNED, 2, run.after_cost)


def test_only_events_stored_before_the_change_are_looked_at(stored: None) -> None:
    price("6")
    UsageEvent.objects.update(received_at=datetime.now(UTC) + timedelta(hours=1))
    continue_runs()
    assert not RatingRun.objects.exists()


def test_waiting_calls_are_left_out_of_offers(stored: None, caller: Caller) -> None:
    ingest([event("x", model="nobody-knows-9")], caller)
    price("6", model="nobody-knows-9")
    continue_runs()
    assert set(RatingRun.objects.values_list("cause", "status")) == {("waiting", "applied")}
    assert costs()["x"] == Decimal("0.006")


def test_a_contracted_price_is_offered_to_its_customer(stored: None) -> None:
    other = ensure_organization("other")
    other.rate_card = RateCard.objects.create(name="deal", kind=RateCard.Kind.CONTRACTED)
    other.save()
    ingest([event("o")], Caller(Tenancy(tenant_of(other), {})))
    publish_price(
        rate_card=other.rate_card,
        provider="anthropic",
        model=SONNET,
        prices=[MeterPrice("input_tokens", Decimal(1), 1_000_000)],
        effective_from=LONG_AGO,
        source=Provenance("test"),
    )
    continue_runs()
    run = RatingRun.objects.get()
    assert (run.organization, run.examined, run.changed) == (other, 1, 1)


def test_another_exchange_rate_for_the_past_is_offered(caller: Caller) -> None:
    eur = publish_price(
        rate_card=RateCard.objects.get_or_create(name="manual", kind=RateCard.Kind.MANUAL)[0],
        provider="mistral",
        model="euro-9",
        prices=[MeterPrice("input_tokens", Decimal(10), 1_000_000)],
        effective_from=LONG_AGO,
        source=Provenance("test"),
        currency="EUR",
    )
    ingest([event("e", model="euro-9", provider="mistral"), event("usd")], caller)
    assert costs()["e"] is None
    continue_runs()
    set_rates([DatedRate("EUR", "USD", date(2026, 11, 1), Decimal("1.1"))], Provenance("test"))
    continue_runs()
    assert costs()["e"] == Decimal("0.011")

    set_rates([DatedRate("EUR", "USD", date(2026, 11, 2), Decimal("1.2"))], Provenance("test"))
    continue_runs()

    run = RatingRun.objects.get(cause=Cause.OFFERED)
    assert (run.status, run.examined, run.changed) == (Status.PLANNED, 1, 1)
    apply_run(run)
    continue_runs()
    changed = UsageEvent.objects.get(event_id="e")
    assert (changed.cost, changed.exchange_rate, changed.price_version_id) == (
        Decimal("0.012"), Decimal("1.2"), eur.pk,
    )  # fmt: skip


def test_a_plan_that_cannot_be_made_is_shown_and_blocks_nothing(
    stored: None, caller: Caller
) -> None:
    ingest([event("big", input_tokens=2_000_000_000, output_tokens=0)], caller)
    price("9000000")
    price("9000000", model="gpt-4o", provider="openai")
    continue_runs()
    assert set(RatingRun.objects.values_list("status", flat=True)) == {
        Status.FAILED,
        Status.PLANNED,
    }
    assert "would cost over" in RatingRun.objects.get(status=Status.FAILED).error


def test_a_call_too_dear_to_store_keeps_no_other_waiting(stored: None, caller: Caller) -> None:
    huge = event("huge", model="made-up", input_tokens=2_000_000_000, output_tokens=0)
    ingest([huge, event("plain", model="made-up", input_tokens=2, output_tokens=0)], caller)
    price("9000000", model="made-up")
    continue_runs()
    assert costs()["plain"] == Decimal(18)
    assert costs()["huge"] is None


def test_looking_in_vain_takes_few_statements(
    stored: None, django_assert_max_num_queries: Callable[..., object]
) -> None:
    with django_assert_max_num_queries(9):  # type: ignore[attr-defined]
        assert continue_runs() == 0
