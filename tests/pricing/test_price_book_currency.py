from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from pytest_django import DjangoAssertNumQueries

from pricing.exchange import DatedRate, set_rates
from pricing.price_book import MAX_CACHED_CONVERSIONS, PriceBook, current_book
from pricing.publishing import Provenance
from pricing.rating import MeterPrice, PriceValue, rate
from pricing.selectors import MANUAL, named_card
from tests.published import publish_price

SOURCE = Provenance("manual")
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.fixture
def dollars(db: None) -> PriceValue:
    """8.03 dollars for a million tokens; one euro is 1.08 and from 20 November 1.086 dollars."""
    publish_price(
        rate_card=named_card(MANUAL),
        provider="shop",
        model="m-1",
        prices=[MeterPrice("output_tokens", Decimal("8.03"), 1_000_000)],
        effective_from=datetime(2026, 1, 1, tzinfo=UTC),
        source=SOURCE,
    )
    days = {date(2026, 11, 19): "1.08", date(2026, 11, 20): "1.086"}
    set_rates((DatedRate("EUR", "USD", day, Decimal(rate)) for day, rate in days.items()), SOURCE)
    found = current_book().find("shop", "m-1", NOON)
    assert found is not None
    return found


def cost(price: PriceValue | None) -> Decimal | None:
    return None if price is None else rate({"output_tokens": 1_000_000}, price).cost


def test_an_amount_in_its_own_currency_stays_what_it_is(dollars: PriceValue) -> None:
    same = current_book().in_currency(dollars, "USD", NOON)
    assert same is dollars
    assert cost(same) == Decimal("8.03")
    assert same.exchange_rate is None


def test_the_rate_of_the_utc_day_counts_on_both_sides_of_a_change(dollars: PriceValue) -> None:
    book = current_book()
    kathmandu = timezone(timedelta(hours=5, minutes=45))
    before = datetime(2026, 11, 19, 23, 59, 59, tzinfo=UTC).astimezone(kathmandu)
    after = datetime(2026, 11, 20, tzinfo=UTC).astimezone(kathmandu)
    # 8.03 / 1.08 = 7.4351851851…, 8.03 / 1.086 = 7.3941068139…, by rates of 12 decimals.
    assert cost(book.in_currency(dollars, "EUR", before)) == Decimal("7.4351851852")
    assert cost(book.in_currency(dollars, "EUR", after)) == Decimal("7.3941068140")
    assert cost(book.in_currency(dollars, "EUR", after + timedelta(days=90))) == Decimal(
        "7.3941068140"
    )
    euros = book.in_currency(dollars, "EUR", after)
    assert euros is not None
    assert euros.exchange_rate == Decimal("0.920810313076")
    assert euros.price_version_id == dollars.price_version_id


def test_without_a_rate_there_is_no_price(dollars: PriceValue) -> None:
    book = current_book()
    assert book.in_currency(dollars, "EUR", NOON - timedelta(days=2)) is None
    assert book.in_currency(dollars, "XXX", NOON) is None


def test_a_conversion_is_remembered_and_the_memory_bounded(
    dollars: PriceValue, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    book: PriceBook = current_book()
    first = book.in_currency(dollars, "EUR", NOON)
    with django_assert_num_queries(0):
        for number in range(MAX_CACHED_CONVERSIONS + 10):
            book.in_currency(dollars, "EUR", NOON + timedelta(days=number))
    assert len(book._converted) == MAX_CACHED_CONVERSIONS
    assert book.in_currency(dollars, "EUR", NOON) == first


def test_a_new_rate_makes_a_new_book_and_leaves_the_old_one(dollars: PriceValue) -> None:
    book = current_book()
    old = cost(book.in_currency(dollars, "EUR", NOON))
    set_rates([DatedRate("EUR", "USD", NOON.date(), Decimal("1.25"))], SOURCE)
    assert cost(current_book().in_currency(dollars, "EUR", NOON)) == Decimal("6.424")
    assert cost(book.in_currency(dollars, "EUR", NOON)) == old
