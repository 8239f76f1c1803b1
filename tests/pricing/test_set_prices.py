from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from pricing.models import AIModel, PriceChange, PriceVersion, RateCard
from pricing.price_book import current_book
from pricing.publishing import (
    PriceItem,
    Provenance,
    contracted_card,
    plan_prices,
    set_prices,
)
from pricing.rating import MeterPrice, PriceValue, rate
from pricing.selectors import MANUAL, live_versions, named_card

pytestmark = pytest.mark.django_db
MAY, JUNE, JULY = (datetime(2026, month, 1, tzinfo=UTC) for month in (5, 6, 7))
BY_HAND = Provenance("command", reason="new list", actor="prices set")
ITEM = PriceItem("shop", "m-1", "input_tokens", Decimal(3), "USD", effective_from=MAY)
OUTPUT = replace(ITEM, meter="output_tokens", unit_price=Decimal(15))


def give(*items: PriceItem, card: RateCard | None = None, whole: bool = False) -> PriceChange:
    return set_prices(card or named_card(MANUAL), items, BY_HAND, whole=whole)


def price_at(
    at: datetime, model: str = "m-1", provider: str = "shop", card: RateCard | None = None
) -> PriceValue | None:
    return current_book().find(provider, model, at, "standard", card.pk if card else None)


def stated(price: PriceValue | None) -> dict[str, str]:
    assert price is not None
    return {item.meter: f"{item.unit_price.normalize():f}" for item in price.prices}


@pytest.mark.parametrize(
    ("model", "unit_in", "unit_out", "cost"),
    [
        ("opus-4", "15", "75", "9.00"),
        ("sonnet-4", "3", "15", "1.80"),
        ("haiku-4", "0.80", "4", "0.48"),
    ],
)
def test_a_manual_price_costs_in_times_price_plus_out_times_price(
    model: str, unit_in: str, unit_out: str, cost: str
) -> None:
    items = [
        PriceItem("anthropic", model, "input_tokens", Decimal(unit_in), "USD"),
        PriceItem("anthropic", model, "output_tokens", Decimal(unit_out), "USD"),
    ]
    give(*items)

    price = price_at(datetime.now(UTC), model, "anthropic")

    assert price is not None
    assert rate({"input_tokens": 100_000, "output_tokens": 100_000}, price).cost == Decimal(cost)


def test_a_local_model_may_be_free_and_a_custom_one_priced_in_euro() -> None:
    give(
        PriceItem("ollama", "llama-farm-7b", "input_tokens", Decimal(0), "USD"),
        PriceItem("inhouse", "summariser", "input_tokens", Decimal("8.03"), "EUR"),
    )
    now = datetime.now(UTC)
    free, custom = price_at(now, "llama-farm-7b", "ollama"), price_at(now, "Summariser", "inhouse")
    assert free is not None
    assert rate({"input_tokens": 5_000_000}, free).cost == 0
    assert custom is not None
    assert (custom.currency, custom.prices[0].unit_price) == ("EUR", Decimal("8.03"))
    assert rate({"input_tokens": 1_000_000}, custom).cost == Decimal("8.0300000000")


def test_meters_that_are_not_named_keep_the_price_of_the_card() -> None:
    give(ITEM, OUTPUT)
    give(replace(ITEM, unit_price=Decimal(4), effective_from=JUNE))

    assert stated(price_at(MAY)) == {"input_tokens": "3", "output_tokens": "15"}
    assert stated(price_at(JUNE)) == {"input_tokens": "4", "output_tokens": "15"}


def test_meters_that_are_not_named_keep_the_price_of_the_cards_beneath(catalogue: None) -> None:
    listed = stated(price_at(JUNE, "claude-sonnet-4-5", "anthropic"))
    dear = PriceItem("anthropic", "claude-sonnet-4-5", "output_tokens", Decimal(20), "USD",
                     effective_from=JUNE)  # fmt: skip
    give(dear)
    assert stated(price_at(JUNE, "claude-sonnet-4-5", "anthropic")) == {
        **listed,
        "output_tokens": "20",
    }
    card = contracted_card("acme contract")
    give(replace(dear, meter="input_tokens", unit_price=Decimal(2)), card=card)
    assert stated(price_at(JUNE, "claude-sonnet-4-5", "anthropic", card)) == {
        **listed,
        "input_tokens": "2",
        "output_tokens": "20",
    }
    assert len(listed) >= 4


def test_whole_prices_leave_nothing_of_the_old_ones() -> None:
    give(ITEM, OUTPUT)
    give(replace(ITEM, effective_from=JUNE), whole=True)
    assert stated(price_at(JUNE)) == {"input_tokens": "3"}


def test_the_same_prices_again_change_nothing() -> None:
    first = give(ITEM, OUTPUT)
    versions = PriceVersion.objects.count()

    again = give(replace(ITEM, effective_from=None), OUTPUT)

    assert (first.count, again.count, again.holds_from) == (2, 0, None)
    assert PriceVersion.objects.count() == versions


def test_a_price_for_other_units_that_means_the_same_changes_nothing() -> None:
    searches = replace(ITEM, meter="web_searches", unit_price=Decimal(10), per=1000)
    give(searches)
    assert give(replace(searches, unit_price=Decimal(10_000), per=1_000_000)).count == 0


def test_a_price_in_the_past_holds_until_the_next_planned_one() -> None:
    give(replace(ITEM, unit_price=Decimal(5), effective_from=JULY))
    change = give(replace(ITEM, effective_from=MAY))

    assert change.holds_from == MAY
    versions = live_versions().filter(rate_card__name=MANUAL).order_by("effective_from")
    starts = versions.values_list("effective_from", "effective_to")
    assert list(starts) == [(MAY, JULY), (JULY, None)]


def test_several_starts_in_one_call_build_on_each_other() -> None:
    later = replace(ITEM, unit_price=Decimal(4), effective_from=JUNE)
    change = give(later, OUTPUT, ITEM)

    assert (change.count, change.holds_from) == (3, MAY)
    assert stated(price_at(JUNE)) == {"input_tokens": "4", "output_tokens": "15"}
    assert list(change.versions.values_list("effective_to", flat=True)) == [None, JUNE]


def test_the_record_tells_who_what_and_from_when() -> None:
    give(ITEM, OUTPUT)
    change = give(replace(ITEM, unit_price=Decimal("3.5"), effective_from=JUNE))

    assert (change.action, change.count, change.actor) == ("update_ai_pricing", 1, "prices set")
    assert (change.reason, change.origin, change.holds_from) == ("new list", "command", JUNE)
    assert change.details["prices"] == [
        {
            "model": "shop/m-1",
            "service_tier": "standard",
            "meter": "input_tokens",
            "old": "3",
            "new": "3.5",
            "currency": "USD",
        }
    ]
    assert change.ended_versions.get().effective_to == JUNE


def test_each_version_has_the_reason_of_its_items() -> None:
    other = replace(ITEM, model="m-2", reason="cheaper hardware")
    change = give(replace(ITEM, reason=""), other)
    reasons = dict(change.versions.values_list("model__name", "reason"))
    assert reasons == {"m-1": "new list", "m-2": "cheaper hardware"}


@pytest.mark.parametrize(
    ("unit_price", "warns"),
    [("30", False), ("30.0000000001", True), ("0.3", False), ("0.2999", True), ("0", True)],
)
def test_more_than_ten_times_off_is_warned_of_and_done(unit_price: str, warns: bool) -> None:
    give(ITEM)
    change = give(replace(ITEM, unit_price=Decimal(unit_price), effective_from=JUNE))
    assert bool(change.details["warnings"]) is warns
    found = price_at(JUNE)
    assert found is not None
    assert found.prices[0].unit_price == Decimal(unit_price)


def test_a_plan_stores_nothing() -> None:
    plan = plan_prices(named_card(MANUAL), [ITEM, OUTPUT])
    assert (plan.count, plan.holds_from) == (2, MAY)
    assert not AIModel.objects.filter(name="m-1").exists()
    assert not PriceChange.objects.filter(action="update_ai_pricing").exists()


def test_ten_decimals_are_kept_to_the_last() -> None:
    give(replace(ITEM, unit_price=Decimal("0.1234567890"), tiers=((7, Decimal("8.03")),)))
    found = price_at(MAY)
    assert found is not None
    assert found.prices == (
        MeterPrice("input_tokens", Decimal("0.1234567890"), 1_000_000, ((7, Decimal("8.03")),)),
    )


@pytest.mark.parametrize("called", ["az.ai.openai", "OpenAI-proxy", "openai"])
def test_a_provider_is_the_one_that_rating_takes_it_for(catalogue: None, called: str) -> None:
    home = "azure" if called.startswith("az") else "openai"
    give(PriceItem(called, "our-finetune", "input_tokens", Decimal(9), "USD", effective_from=MAY))
    assert AIModel.objects.get(name="our-finetune").provider.slug == home
    assert stated(price_at(MAY, "our-finetune", called)) == {"input_tokens": "9"}
    assert price_at(JUNE, "gpt-4o", called) is not None


def test_every_listed_model_can_be_priced_by_its_name(
    catalogue: None, find_all: Callable[[], list[AIModel]]
) -> None:
    rows = find_all()
    now = datetime.now(UTC)
    change = give(
        *(
            PriceItem(row.provider.slug, row.name, "input_tokens", Decimal(77), "USD",
                      effective_from=now)
            for row in rows
        ),
        whole=True,
    )  # fmt: skip
    assert change.count == len(rows)
    book = current_book()
    book.preload()
    at = now + timedelta(seconds=1)
    wrong = [
        row.name
        for row in rows
        if (found := book.find(row.provider.slug, row.name, at)) is None
        or found.prices[0].unit_price != 77
        or found.model != row.name
    ]
    assert wrong == []


@pytest.fixture
def find_all() -> Callable[[], list[AIModel]]:
    def find() -> list[AIModel]:
        return list(AIModel.objects.select_related("provider"))

    return find
