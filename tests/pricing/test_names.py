from datetime import UTC, datetime
from decimal import Decimal

import pytest

from pricing.models import AIModel, ModelAlias, PriceChange, Provider
from pricing.price_book import current_book
from pricing.publishing import (
    PriceError,
    PriceItem,
    Provenance,
    add_alias,
    contracted_card,
    ensure_model,
    remove_alias,
    set_prices,
    set_reported_cost_counts,
)
from pricing.selectors import MANUAL, named_card

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
BY_HAND = Provenance("command", actor="prices alias")


def model_meant(provider: str, name: str) -> str | None:
    found = current_book().find(provider, name, NOW)
    return found.model if found else None


@pytest.fixture
def haiku(catalogue: None) -> AIModel:
    return AIModel.objects.get(name="claude-haiku-4-5", provider__slug="anthropic")


def test_a_given_name_precedes_those_of_the_catalogue(haiku: AIModel) -> None:
    assert model_meant("anthropic", "claude-sonnet-4-5") == "claude-sonnet-4-5"

    change = add_alias(haiku, "exact", "Claude-Sonnet-4-5", BY_HAND)

    assert model_meant("anthropic", "claude-sonnet-4-5") == "claude-haiku-4-5"
    assert model_meant("anthropic", "claude-sonnet-4-5-20250929") == "claude-sonnet-4-5"
    assert (change.action, change.count, change.actor) == ("update_ai_names", 1, "prices alias")
    assert change.details["added"] == "exact claude-sonnet-4-5"

    remove_alias(haiku.aliases.get(text="claude-sonnet-4-5", origin="manual"), BY_HAND)
    assert model_meant("anthropic", "claude-sonnet-4-5") == "claude-sonnet-4-5"


@pytest.mark.parametrize(
    ("kind", "text", "name"),
    [("prefix", "Our-", "our-small-1"), ("pattern", r"^eu\d+-small$", "EU12-small")],
)
def test_names_are_compared_in_lower_case(haiku: AIModel, kind: str, text: str, name: str) -> None:
    assert model_meant("anthropic", name) is None
    add_alias(haiku, kind, text, BY_HAND)
    assert model_meant("anthropic", name) == haiku.name


def test_a_name_that_a_model_has_already_counts_nothing(haiku: AIModel) -> None:
    add_alias(haiku, "prefix", "our-", BY_HAND)
    assert add_alias(haiku, "prefix", "OUR-", BY_HAND).count == 0


def test_a_name_means_one_model_of_a_provider(haiku: AIModel) -> None:
    add_alias(haiku, "prefix", "our-", BY_HAND)
    other = AIModel.objects.get(name="claude-sonnet-4-5", provider__slug="anthropic")
    with pytest.raises(PriceError, match="means claude-haiku-4-5 already"):
        add_alias(other, "prefix", "our-", BY_HAND)


@pytest.mark.parametrize(
    ("kind", "text"), [("exact", " "), ("exact", "a\nb"), ("pattern", "("), ("soundex", "x")]
)
def test_a_name_that_cannot_be_compared_is_refused(haiku: AIModel, kind: str, text: str) -> None:
    with pytest.raises(PriceError):
        add_alias(haiku, kind, text, BY_HAND)
    assert not PriceChange.objects.filter(action="update_ai_names").exists()


def test_names_of_catalogues_and_a_models_own_name_stay(haiku: AIModel) -> None:
    listed = haiku.aliases.exclude(origin="manual").earliest("id")
    own = ensure_model("shop", "m-1").aliases.get()
    for alias in (listed, own):
        with pytest.raises(PriceError):
            remove_alias(alias, BY_HAND)
    assert ModelAlias.objects.filter(pk__in=[listed.pk, own.pk]).count() == 2


def test_a_model_is_made_once_whatever_its_case(catalogue: None) -> None:
    made = ensure_model(" Shop ", "M-1")
    assert ensure_model("shop", "m-1") == made
    assert (made.name, made.provider.slug) == ("M-1", "shop")
    assert made.aliases.get().text == "m-1"


def test_a_priced_model_is_found_where_calls_name_no_provider(catalogue: None) -> None:
    assert model_meant("", "llama-farm-7b") is None
    item = PriceItem("local", "llama-farm-7b", "input_tokens", Decimal(0), "USD",
                     effective_from=datetime(2026, 1, 1, tzinfo=UTC))  # fmt: skip
    set_prices(named_card(MANUAL), [item], BY_HAND)
    assert model_meant("", "Llama-Farm-7B") == "llama-farm-7b"


def test_a_contract_changes_no_name_for_others(catalogue: None) -> None:
    before = {name: model_meant("azure", name) for name in ("gpt-4o", "gpt-4o-2024-08-06")}
    items = [
        PriceItem("azure", name, "input_tokens", Decimal(1), "USD", effective_from=NOW)
        for name in before
    ]
    set_prices(contracted_card("acme contract"), items, BY_HAND, whole=True)
    assert {name: model_meant("azure", name) for name in before} == before


def test_a_card_of_another_kind_is_no_contract(catalogue: None) -> None:
    assert contracted_card(" acme ") == contracted_card("acme")
    for name in ("catalogue", MANUAL, "", "a\tb"):
        named_card(MANUAL)
        with pytest.raises(PriceError):
            contracted_card(name)


def test_whose_figure_counts_is_recorded_when_it_changes(catalogue: None) -> None:
    vendor = Provider.objects.get(slug="openrouter")
    changes = [set_reported_cost_counts(vendor, value=True, source=BY_HAND) for _ in range(2)]
    assert [change.count for change in changes] == [1, 0]
    assert current_book().trusts_reported_cost("OpenRouter")
