from datetime import UTC, datetime
from decimal import Decimal

import pytest

from pricing.catalogue.names import store_model_aliases
from pricing.models import AIModel, ModelAlias, RateCard
from pricing.price_book import current_book
from pricing.publishing import PriceItem, Provenance, add_alias, contracted_card, set_prices
from pricing.rating import rate
from pricing.selectors import MANUAL, named_card

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
BY_KEY = Provenance("api", actor="API key acme")
MIXED = {"input_tokens": 1_000_000, "output_tokens": 1_000_000}
NAMES = [
    ("openai", "gpt-4o-20240806"),
    ("openai", "openai/gpt-4o"),
    ("azure", "gpt-4o"),
    ("anthropic", "claude-sonnet-4-5"),
    ("mygw", "gpt-4o"),
]


@pytest.fixture
def contract(catalogue: None) -> RateCard:
    return contracted_card("acme contract")


def set_input(card: RateCard, provider: str, model: str, amount: str = "7") -> None:
    item = PriceItem(provider, model, "input_tokens", Decimal(amount), "USD", effective_from=NOW)
    set_prices(card, [item], BY_KEY)


def cost(provider: str, model: str, card: RateCard | None = None, tier: str = "standard") -> object:
    found = current_book().find(provider, model, NOW, tier, card.pk if card else None)
    return None if found is None else rate(MIXED, found).cost


@pytest.mark.parametrize("tier", ["standard", "batch"])
@pytest.mark.parametrize(("provider", "model"), NAMES)
def test_names_in_a_contract_leave_what_others_pay(
    contract: RateCard, provider: str, model: str, tier: str
) -> None:
    other = contracted_card("beta contract")
    before = cost(provider, model, tier=tier)
    set_input(contract, provider, model)
    assert cost(provider, model, tier=tier) == before
    assert cost(provider, model, other, tier) == before


@pytest.mark.parametrize(
    ("provider", "model"), [("", "gpt-4o"), ("", "openai/gpt-4o"), ("litellm", "mygw/gpt-4o")]
)
def test_a_provider_that_a_contract_names_takes_no_calls_of_others(
    contract: RateCard, provider: str, model: str
) -> None:
    before = cost(provider, model)
    for vendor, name in (("mygw", "gpt-4o"), ("mygw", "openai/gpt-4o"), ("litco", "mygw/gpt-4o")):
        set_input(contract, vendor, name)
    assert cost(provider, model) == before


@pytest.mark.parametrize(
    ("provider", "model", "output"),
    [("openai", "gpt-4o-20240806", 10), ("openai", "openai/gpt-4o", 10), ("azure", "gpt-4o", 10)],
)
def test_a_contract_keeps_the_list_price_of_meters_it_does_not_name(
    contract: RateCard, provider: str, model: str, output: int
) -> None:
    set_input(contract, provider, model)
    assert cost(provider, model, contract) == Decimal(7 + output)


def test_a_price_by_hand_for_a_name_with_a_date_keeps_the_other_meters(catalogue: None) -> None:
    set_input(named_card(MANUAL), "openai", "gpt-4o-20240806")
    assert cost("openai", "gpt-4o-20240806") == Decimal(17)


@pytest.mark.parametrize(
    ("provider", "model"),
    [
        ("ourco", "our-llm"),
        ("OurCo", "Our-LLM"),
        ("ourco", "ourco/our-llm"),
        ("", "our-llm"),
        ("", "ourco/our-llm"),
        ("litellm", "ourco/our-llm"),
        ("ourco", "our-llm-20260102"),
    ],
)
def test_a_model_only_the_contract_prices_is_found_as_others_are(
    contract: RateCard, provider: str, model: str
) -> None:
    set_input(contract, "ourco", "our-llm")
    set_input(contract, "ourco", "our-llm-2026-01-02")
    assert cost(provider, model, contract) == Decimal(7)
    assert cost(provider, model) is None


def test_two_contracts_may_sell_a_model_of_the_same_name(contract: RateCard) -> None:
    other = contracted_card("beta contract")
    set_input(contract, "ourco", "our-llm", "7")
    set_input(other, "theirco", "our-llm", "8")
    assert cost("", "our-llm", contract) == Decimal(7)
    assert cost("", "our-llm", other) == Decimal(8)


def test_a_name_of_a_contract_becomes_everybodys_once_priced_for_all(contract: RateCard) -> None:
    set_input(contract, "ourco", "our-llm", "7")
    set_input(named_card(MANUAL), "ourco", "our-llm", "3")
    assert cost("", "our-llm") == Decimal(3)
    assert cost("", "our-llm", contract) == Decimal(7)


def test_a_catalogue_and_staff_take_over_a_name_that_a_contract_had(contract: RateCard) -> None:
    for model in ("new-one", "new-two"):
        set_input(contract, "openai", model)
    one, two = AIModel.objects.filter(name__startswith="new-").order_by("name")
    assert store_model_aliases({(one.pk, "exact", "new-one")}, [one.pk], "genai-prices") == 1
    assert add_alias(two, "exact", "new-two", BY_KEY).count == 1
    origins = ModelAlias.objects.filter(model__in=[one, two]).order_by("text")
    assert list(origins.values_list("origin", flat=True)) == ["genai-prices", MANUAL]
