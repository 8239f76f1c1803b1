import time
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from django.db import connection
from genai_prices.data_snapshot import get_snapshot
from pytest_django import DjangoAssertNumQueries

from pricing.models import RateCard
from pricing.price_book import MAX_CACHED_NAMES, PriceBook, current_book
from pricing.publishing import Provenance
from pricing.rating import MeterPrice, rate
from pricing.selectors import MANUAL, named_card
from tests.published import publish_price

BY_HAND = Provenance("manual", reason="test")


def tokens(unit_in: str, unit_out: str) -> Iterable[MeterPrice]:
    return (
        MeterPrice("input_tokens", Decimal(unit_in), 1_000_000),
        MeterPrice("output_tokens", Decimal(unit_out), 1_000_000),
    )


def set_price(
    card: RateCard, model: str, unit_in: str, unit_out: str, at: datetime, currency: str = "USD"
) -> int:
    return publish_price(
        rate_card=card,
        provider="anthropic",
        model=model,
        prices=tokens(unit_in, unit_out),
        effective_from=at,
        source=BY_HAND,
        currency=currency,
    ).pk


NAMES = [
    ("anthropic", "claude-sonnet-4-5-20250929"),
    ("anthropic", "Claude-Sonnet-4-5"),
    ("anthropic", "claude-3-5-sonnet-20241022"),
    ("aws", "us.anthropic.claude-sonnet-4-5-20250929-v1:0"),
    ("aws.bedrock", "eu.anthropic.claude-opus-4-6-v1"),
    ("gcp.gemini", "gemini-2.5-flash"),
    ("gcp.vertex_ai", "claude-sonnet-4-5@20250929"),
    ("google", "gemini-2.5-pro-preview-tts"),
    ("google-gla", "gemini-2.5-pro"),
    ("azure", "gpt-4o-2024-08-06"),
    ("azure", "claude-opus-4-6"),
    ("openai", "gpt-4o-mini-2024-07-18"),
    ("openai", "gpt-5.2-20251211"),
    ("openai", "o3-2025-04-16"),
    ("openai", "gpt-99-does-not-exist"),
    ("openai", "openai_nothing"),
    ("mistral_ai", "mistral-large-2512"),
    ("xai", "grok-4-0709"),
    ("x-ai", "grok-4.5-20261101"),
    ("moonshot_ai", "kimi-k2-0905-preview"),
    ("litellm", "anthropic/claude-sonnet-4-5"),
    ("litellm", "gpt-4o"),
    ("openrouter", "anthropic/claude-sonnet-4.5"),
    ("openrouter", "openai/gpt-5.6-luna-20260801"),
    ("together_ai", "meta-llama/Llama-3.3-70B-Instruct-Turbo"),
    ("groq", "openai/gpt-oss-120b"),
    ("nobody", "gpt-4o"),
    ("", "claude-opus-4-8"),
    ("", "gpt-4o"),
    ("", "o4-mini"),
    ("", "gemini-2.5-flash-lite"),
    ("", "deepseek-chat"),
    ("", "ministral-8b-latest"),
    ("", "minimax-m2"),
    ("", "GLM-5"),
    ("", "no-such-model"),
]


def agrees(book: PriceBook, provider: str, model: str, at: datetime) -> bool:
    price = book.find(provider, model, at)
    try:
        _, listed = get_snapshot().find_provider_model(model, None, provider or None, None)
    except LookupError:
        return price is None
    if not any(rate is not None for rate in listed.get_prices(at).__dict__.values()):
        return price is None or price.model.endswith(":free")
    return price is not None and price.model == listed.id


@pytest.mark.parametrize(("provider", "model"), NAMES)
def test_real_names_mean_the_model_that_genai_prices_finds(
    book: PriceBook, noon: datetime, provider: str, model: str
) -> None:
    assert agrees(book, provider, model, noon)


def test_every_id_of_the_catalogue_means_what_genai_prices_finds(
    book: PriceBook, noon: datetime
) -> None:
    book.preload()
    differing = [
        (provider.id, spelling)
        for provider in get_snapshot().providers
        for model in provider.models
        for spelling in (model.id, model.id.upper(), f"{model.id}-20260102")
        if not agrees(book, provider.id, spelling, noon)
    ]
    assert differing == []


@pytest.mark.parametrize(
    ("provider", "model", "expected"),
    [
        ("azure.ai.openai", "gpt-4o", ("openai", "gpt-4o")),
        ("gcp.gen_ai", "gemini-2.5-flash", ("google", "gemini-2.5-flash")),
        ("x_ai", "grok-4-0709", ("x-ai", "grok-4-0709")),
        ("", "anthropic/claude-sonnet-4-5", ("anthropic", "claude-sonnet-4-5")),
        ("openai", "openai/gpt-4o", ("openai", "gpt-4o")),
    ],
)
def test_telemetry_and_gateway_names_are_understood(
    book: PriceBook, noon: datetime, provider: str, model: str, expected: tuple[str, str]
) -> None:
    price = book.find(provider, model, noon)
    assert price is not None
    assert (price.provider, price.model) == expected


def test_a_model_of_another_provider_than_named_has_no_price(
    book: PriceBook, noon: datetime
) -> None:
    assert book.find("openai", "anthropic/claude-sonnet-4-5", noon) is None
    assert book.find("vllm", "openai/gpt-4o", noon) is None


def test_an_empty_database_prices_nothing(no_prices: None, noon: datetime) -> None:
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE pricing_provider, pricing_ratecard CASCADE")
    assert PriceBook(0).find("anthropic", "claude-sonnet-4-5", noon) is None
    assert PriceBook(0).find("", "claude-sonnet-4-5", noon) is None


def test_manual_prices_precede_the_catalogue_from_their_date_on(
    catalogue: None, noon: datetime
) -> None:
    set_price(named_card(MANUAL), "claude-sonnet-4-5", "1", "2", noon)
    book = current_book()
    before = book.find("anthropic", "claude-sonnet-4-5-20250929", noon - timedelta(seconds=1))
    after = book.find("anthropic", "claude-sonnet-4-5-20250929", noon)
    assert before is not None
    assert after is not None
    assert rate({"input_tokens": 1_000_000}, after).cost == 1
    assert rate({"input_tokens": 100_000}, before).cost == Decimal("0.3")


def test_a_contracted_card_precedes_manual_prices_for_its_organization_only(
    catalogue: None, noon: datetime
) -> None:
    contract = RateCard.objects.create(name="acme", kind="contracted")
    manual_id = set_price(named_card(MANUAL), "claude-sonnet-4-5", "1", "2", noon)
    contract_id = set_price(contract, "claude-sonnet-4-5", "0.5", "1", noon, "EUR")
    book = current_book()
    own = book.find("anthropic", "claude-sonnet-4-5", noon, "standard", contract.pk)
    other = book.find("anthropic", "claude-sonnet-4-5", noon)
    assert own is not None
    assert other is not None
    assert (own.price_version_id, own.currency) == (contract_id, "EUR")
    assert (other.price_version_id, other.currency) == (manual_id, "USD")


def test_a_card_without_the_model_leaves_it_to_the_next(catalogue: None, noon: datetime) -> None:
    contract = RateCard.objects.create(name="acme", kind="contracted")
    price = current_book().find("openai", "gpt-4o", noon, "standard", contract.pk)
    assert price is not None


def test_a_manual_model_name_shadows_the_catalogue_only_while_it_has_a_price(
    catalogue: None, noon: datetime
) -> None:
    name = "claude-sonnet-4-5-20250929"
    set_price(named_card(MANUAL), name, "1", "2", noon)
    book = current_book()
    after = book.find("anthropic", name, noon)
    before = book.find("anthropic", name, noon - timedelta(days=1))
    other = book.find("anthropic", "claude-sonnet-4-5", noon)
    assert after is not None
    assert before is not None
    assert other is not None
    assert (after.model, before.model, other.model) == (
        name,
        "claude-sonnet-4-5",
        "claude-sonnet-4-5",
    )


def test_a_service_tier_without_prices_costs_the_standard_price(
    book: PriceBook, noon: datetime
) -> None:
    standard = book.find("anthropic", "claude-3-haiku", noon)
    assert standard is not None
    assert book.find("anthropic", "claude-3-haiku", noon, "priority") == standard
    assert book.find("anthropic", "claude-3-haiku", noon, "no such tier") == standard


def test_a_reseller_charges_no_special_tiers_of_the_original(
    book: PriceBook, noon: datetime
) -> None:
    resold = book.find("azure", "gpt-5", noon, "batch")
    direct = book.find("openai", "gpt-5", noon, "batch")
    assert resold is not None
    assert direct is not None
    assert (resold.service_tier, direct.service_tier) == ("standard", "batch")


def test_time_of_day_prices_follow_utc_whatever_the_offset(book: PriceBook) -> None:
    kathmandu = timezone(timedelta(hours=5, minutes=45))
    moments = {
        datetime(2026, 11, 20, 0, 29, 59, tzinfo=UTC): "0.135",
        datetime(2026, 11, 20, 0, 30, tzinfo=UTC): "0.27",
        datetime(2026, 11, 20, 16, 29, 59, tzinfo=UTC): "0.27",
        datetime(2026, 11, 20, 16, 30, tzinfo=UTC): "0.135",
    }
    for at, cost in moments.items():
        for moment in (at, at.astimezone(kathmandu)):
            price = book.find("deepseek", "deepseek-chat", moment)
            assert price is not None
            assert rate({"input_tokens": 1_000_000}, price).cost == Decimal(cost), moment


def test_floods_of_unknown_names_do_not_grow_memory(book: PriceBook, noon: datetime) -> None:
    for number in range(3 * MAX_CACHED_NAMES):
        assert book.find("anthropic", f"unknown-{number}", noon) is None
    assert book.cached_names() <= 2 * MAX_CACHED_NAMES
    assert book.find("anthropic", "claude-sonnet-4-5", noon) is not None


@pytest.mark.parametrize(
    "name",
    [
        "-" * 256,
        "gemini-2.5-pro" + "-tts" * 60,
        "claude-" + "20250101" * 31,
        "a/" * 128,
        "\n" * 256,
        "x" * 1_000_000,
        "anthropic/" * 100_000,
    ],
    ids=["dashes", "suffixes", "digits", "slashes", "newlines", "huge", "huge prefixes"],
)
def test_hostile_names_are_answered_quickly(book: PriceBook, noon: datetime, name: str) -> None:
    providers = [provider.id for provider in get_snapshot().providers]
    for provider in providers:
        book.find(provider, "warm", noon)
    started = time.perf_counter()
    for provider in ["", *providers]:
        book.find(provider, name, noon)
    assert time.perf_counter() - started < 0.5


def test_a_known_name_is_answered_without_a_query(
    book: PriceBook, noon: datetime, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    book.find("anthropic", "claude-sonnet-4-5", noon)
    with django_assert_num_queries(0):
        assert book.find("anthropic", "claude-sonnet-4-5", noon) is not None


def test_the_same_revision_keeps_the_same_book(catalogue: None) -> None:
    assert current_book() is current_book()
