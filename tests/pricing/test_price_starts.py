from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from pricing.models import PriceVersion
from pricing.models.rates import BEGINNING
from pricing.publishing import PriceItem, Provenance, contracted_card, set_prices
from pricing.selectors import MANUAL, named_card

pytestmark = pytest.mark.django_db


def give(model: str, provider: str = "shop", price: str = "3", card: str = MANUAL) -> None:
    item = PriceItem(provider, model, "input_tokens", Decimal(price), "USD")
    chosen = named_card(MANUAL) if card == MANUAL else contracted_card(card)
    set_prices(chosen, [item], Provenance("test"))


def starts(model: str) -> list[datetime]:
    rows = PriceVersion.objects.filter(model__name=model).exclude(rate_card__kind="list")
    return list(rows.order_by("id").values_list("effective_from", flat=True))


def is_now(at: datetime) -> bool:
    return abs(datetime.now(UTC) - at) < timedelta(minutes=5)


def test_the_first_price_of_a_model_holds_always_and_the_next_one_from_now() -> None:
    give("m-1")
    give("m-1", price="4")
    give("m-1", price="4")

    first, second = starts("m-1")
    assert first == BEGINNING
    assert is_now(second)


def test_a_model_that_a_catalogue_prices_gets_another_price_from_now(catalogue: None) -> None:
    give("claude-sonnet-4-5", "anthropic")
    (start,) = starts("claude-sonnet-4-5")
    assert is_now(start)


def test_a_name_that_means_a_priced_model_gets_its_own_price_from_now(catalogue: None) -> None:
    give("claude-sonnet-4-5-20250929", "anthropic")
    (start,) = starts("claude-sonnet-4-5-20250929")
    assert is_now(start)


def test_another_organizations_contract_is_no_price_of_a_model() -> None:
    give("m-1", card="theirs")
    give("m-1", card="ours")
    assert starts("m-1") == [BEGINNING, BEGINNING]
