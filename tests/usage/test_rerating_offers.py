from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.test import Client

from pricing.models import AIModel, ModelAlias, PriceChange, Provider, RateCard
from pricing.publishing import Provenance, add_alias, remove_alias, set_reported_cost_counts
from pricing.rating import MeterPrice
from tests.published import publish_price
from tests.usage.conftest import NOON, event
from tests.usage.repricing import SONNET, costs
from usage.contracts import change_contract
from usage.ingest.pipeline import Caller, ingest
from usage.models import ClosedMonth, Organization, RatingRun
from usage.organizations import ensure_organization
from usage.rerating import apply_run, continue_runs, finish_run
from usage.rollups import roll_up

SOURCE = Provenance("manual", reason="test")

pytestmark = pytest.mark.django_db


@pytest.fixture
def stored(caller: Caller) -> None:
    ingest(
        [
            event("sonnet"),
            event("haiku", model="claude-haiku-4-5"),
            event("routed", reported_cost=Decimal("0.5"), currency="USD"),
            event("unknown", model="claude-in-house-1"),
        ],
        caller,
    )
    roll_up(wait=True)
    continue_runs()
    assert not RatingRun.objects.exclude(status=RatingRun.Status.DISCARDED).exists()


def offered() -> RatingRun:
    continue_runs()
    return RatingRun.objects.get(cause=RatingRun.Cause.OFFERED, status=RatingRun.Status.PLANNED)


def test_a_name_that_moves_priced_calls_to_another_model_is_offered(stored: None) -> None:
    opus = AIModel.objects.get(provider__slug="anthropic", name="claude-opus-4-1")
    before = costs()
    add_alias(opus, ModelAlias.Kind.EXACT, SONNET, SOURCE)

    run = offered()

    assert (run.changed, costs()) == (2, before)
    finish_run(apply_run(run))
    assert costs()["sonnet"] == Decimal("0.0225")
    assert costs()["haiku"] == before["haiku"]


def test_a_name_that_is_taken_away_again_is_offered_too(stored: None) -> None:
    opus = AIModel.objects.get(provider__slug="anthropic", name="claude-opus-4-1")
    before = costs()
    add_alias(opus, ModelAlias.Kind.PREFIX, "claude-sonnet", SOURCE)
    finish_run(apply_run(offered()))
    RatingRun.objects.all().delete()
    remove_alias(ModelAlias.objects.get(model=opus, text="claude-sonnet"), SOURCE)

    finish_run(apply_run(offered()))

    assert costs() == before


def test_a_name_for_calls_that_only_waited_offers_nothing(stored: None) -> None:
    opus = AIModel.objects.get(provider__slug="anthropic", name="claude-opus-4-1")
    add_alias(opus, ModelAlias.Kind.EXACT, "claude-in-house-1", SOURCE)
    continue_runs()

    assert costs()["unknown"] == Decimal("0.0225")
    assert not RatingRun.objects.filter(
        cause=RatingRun.Cause.OFFERED, status=RatingRun.Status.PLANNED
    ).exists()


def test_letting_reported_costs_count_is_offered_for_calls_that_reported_one(
    stored: None,
) -> None:
    set_reported_cost_counts(Provider.objects.get(slug="anthropic"), value=True, source=SOURCE)

    run = offered()

    assert run.changed == 1
    finish_run(apply_run(run))
    assert costs()["routed"] == Decimal("0.5")


def test_another_contract_is_offered_to_its_organization_and_recorded(stored: None) -> None:
    card = RateCard.objects.create(name="acme contract", kind="contracted")
    publish_price(
        rate_card=card,
        provider="anthropic",
        model=SONNET,
        prices=[MeterPrice("input_tokens", Decimal(1), 1_000_000)],
        effective_from=NOON - timedelta(days=300),
        source=SOURCE,
    )
    acme = Organization.objects.get(slug="acme")
    continue_runs()
    change = change_contract(acme, card, SOURCE)

    run = offered()

    assert change is not None
    assert (change.action, change.details["after"]) == ("update_ai_contract", "acme contract")
    assert (run.organization, run.changed) == (acme, 2)
    finish_run(apply_run(run))
    assert costs()["sonnet"] == Decimal("0.001")
    assert change_contract(acme, card, SOURCE) is None


def test_the_organization_page_changes_the_contract_on_the_record(
    admin_client: Client, stored: None
) -> None:
    card = RateCard.objects.create(name="acme contract", kind="contracted")
    acme = Organization.objects.get(slug="acme")
    url = f"/admin/usage/organization/{acme.pk}/change/"
    body = {
        "time_zone": "UTC", "week_start": 1, "subject_policy": "anyone", "rate_card": card.pk,
    }  # fmt: skip

    page = admin_client.get(url).content.decode()
    admin_client.post(url, body)

    acme.refresh_from_db()
    assert acme.rate_card == card
    assert PriceChange.objects.latest("pk").details["organization"] == "acme"
    assert ">acme contract<" in page
    assert ">catalogue<" not in page


def test_the_time_zone_cannot_change_once_a_month_is_closed(admin_client: Client) -> None:
    acme = ensure_organization("acme")
    ClosedMonth.objects.create(
        organization=acme, month=date(2026, 9, 1), closed_at=datetime(2026, 10, 2, tzinfo=UTC)
    )
    answer = admin_client.post(
        f"/admin/usage/organization/{acme.pk}/change/",
        {"time_zone": "Asia/Tokyo", "subject_policy": "anyone"},
    )

    acme.refresh_from_db()
    assert acme.time_zone == "UTC"
    assert "Months are closed in this time zone" in answer.content.decode()
