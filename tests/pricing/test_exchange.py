from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, transaction
from pytest_django import DjangoAssertNumQueries

from pricing.exchange import DatedRate, exchange_rate, set_rates
from pricing.exchange_rates import current_rates
from pricing.models import ExchangeRate, PriceChange
from pricing.price_book import current_book
from pricing.publishing import Provenance
from tests.pricing.exchange_samples import HISTORY_CSV

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
FRIDAY = date(2026, 11, 20)
SOURCE = Provenance("test", actor="pytest")


def store(*rates: tuple[str, str, date, str]) -> PriceChange:
    return set_rates((DatedRate(b, q, day, Decimal(rate)) for b, q, day, rate in rates), SOURCE)


def test_a_rate_holds_from_its_day_until_the_next_one() -> None:
    store(("EUR", "USD", FRIDAY, "1.25"), ("EUR", "USD", FRIDAY + 3 * DAY, "1.3"))
    days = [FRIDAY - DAY, FRIDAY, FRIDAY + 2 * DAY, FRIDAY + 3 * DAY, date(2199, 1, 1)]
    rates = [exchange_rate("EUR", "USD", day) for day in days]
    assert rates == [None, Decimal("1.25"), Decimal("1.25"), Decimal("1.3"), Decimal("1.3")]


def test_the_inverse_has_twelve_decimals_rounded_half_up() -> None:
    store(("EUR", "USD", FRIDAY, "1.0860"), ("EUR", "GBP", FRIDAY, "0.75"))
    assert str(exchange_rate("USD", "EUR", FRIDAY)) == "0.920810313076"
    assert str(exchange_rate("GBP", "EUR", FRIDAY)) == "1.333333333333"


def test_a_currency_is_worth_one_of_itself() -> None:
    assert exchange_rate("USD", "USD", FRIDAY) == 1


def test_two_currencies_convert_across_the_euro_with_one_rounding() -> None:
    store(
        ("EUR", "USD", FRIDAY, "1.0860"),
        ("EUR", "JPY", FRIDAY + DAY, "168.45"),
        ("CHF", "USD", FRIDAY, "2"),
        ("CHF", "JPY", FRIDAY, "2"),
    )
    assert exchange_rate("USD", "JPY", FRIDAY) == 1
    across_the_euro = exchange_rate("USD", "JPY", FRIDAY + DAY)
    # 168.45 / 1.086 = 155.110497237569060…; the rounded inverse times 168.45 would end in 652.
    assert str(across_the_euro) == "155.110497237569"


def test_a_rate_of_the_pair_precedes_its_reverse_and_any_other() -> None:
    store(("EUR", "USD", FRIDAY, "2"), ("EUR", "GBP", FRIDAY, "2"))
    assert exchange_rate("USD", "GBP", FRIDAY) == 1
    store(("GBP", "USD", FRIDAY, "4"))
    assert exchange_rate("USD", "GBP", FRIDAY) == Decimal("0.25")
    store(("USD", "GBP", FRIDAY, "0.3"))
    assert exchange_rate("USD", "GBP", FRIDAY) == Decimal("0.3")


def test_unknown_currencies_have_no_rate() -> None:
    store(("EUR", "USD", FRIDAY, "2"), ("AAA", "BBB", FRIDAY, "2"))
    assert exchange_rate("USD", "XXX", FRIDAY) is None
    assert exchange_rate("USD", "BBB", FRIDAY) is None
    assert current_rates().first_day("USD", "BBB") is None


def test_the_last_recorded_rate_of_a_day_holds_and_the_first_stays_on_record() -> None:
    store(("EUR", "USD", FRIDAY, "1.25"))
    store(("EUR", "USD", FRIDAY, "1.5"))
    store(("EUR", "USD", FRIDAY, "1.25"))
    assert exchange_rate("EUR", "USD", FRIDAY) == Decimal("1.25")
    assert ExchangeRate.objects.count() == 3


def test_only_what_differs_is_stored_and_counted() -> None:
    first = store(("EUR", "USD", FRIDAY, "1.25"), ("EUR", "USD", FRIDAY - DAY, "1.2"))
    again = store(
        ("EUR", "USD", FRIDAY, "1.250"),
        ("EUR", "USD", FRIDAY + DAY, "1.25"),
        ("EUR", "USD", FRIDAY - DAY, "9"),
        ("EUR", "USD", FRIDAY - DAY, "1.2"),
    )
    nothing = store(("EUR", "USD", FRIDAY, "1.25"))
    assert [change.count for change in (first, again, nothing)] == [2, 1, 0]
    assert first.holds_from == datetime(2026, 11, 19, tzinfo=UTC)
    assert again.holds_from == datetime(2026, 11, 21, tzinfo=UTC)
    assert nothing.holds_from is None
    assert (first.action, first.actor) == ("update_exchange_rates", "pytest")
    assert again.details == {
        "currencies": ["EUR", "USD"],
        "first_day": "2026-11-21",
        "last_day": "2026-11-21",
    }


@pytest.mark.parametrize(
    "rate",
    [
        ("EUR", "EUR", FRIDAY, "1"),
        ("eur", "USD", FRIDAY, "1"),
        ("EUR", "USD", date(1969, 12, 31), "1"),
        ("EUR", "USD", FRIDAY, "-1"),
        ("EUR", "USD", FRIDAY, "NaN"),
        ("EUR", "USD", FRIDAY, "1000000000000"),
        ("EUR", "USD", FRIDAY, "0.0000000000001"),
    ],
)
def test_a_bad_rate_stores_nothing(rate: tuple[str, str, date, str]) -> None:
    with pytest.raises(ValueError, match=r"rate|currency"):
        store(("EUR", "GBP", FRIDAY, "2"), rate)
    assert not ExchangeRate.objects.exists()
    assert not PriceChange.objects.filter(action=PriceChange.Action.EXCHANGE).exists()


def test_the_database_refuses_to_rewrite_rates() -> None:
    store(("EUR", "USD", FRIDAY, "2"))
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        ExchangeRate.objects.update(rate=3)
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        ExchangeRate.objects.all().delete()


def test_a_new_rate_is_noticed_at_once_and_known_ones_need_no_query(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    store(("EUR", "USD", FRIDAY, "2"))
    book = current_book()
    assert exchange_rate("USD", "EUR", FRIDAY) == Decimal("0.5")
    with django_assert_num_queries(1):
        assert exchange_rate("USD", "EUR", FRIDAY + DAY) == Decimal("0.5")
    store(("EUR", "USD", FRIDAY + DAY, "4"))
    assert current_book() is not book
    assert exchange_rate("USD", "EUR", FRIDAY + DAY) == Decimal("0.25")


def test_currencies_that_convert_are_listed_with_their_first_day() -> None:
    store(
        ("EUR", "USD", FRIDAY, "2"),
        ("EUR", "JPY", FRIDAY + DAY, "2"),
        ("CHF", "JPY", FRIDAY, "2"),
        ("USD", "EUR", FRIDAY - DAY, "2"),
    )
    rates = current_rates()
    assert rates.currencies("USD") == ["EUR", "JPY"]
    assert rates.currencies("GBP") == []
    assert rates.first_day("EUR", "USD") == FRIDAY - DAY
    assert rates.first_day("USD", "JPY") == FRIDAY + DAY
    assert rates.first_day("USD", "USD") == date.min


def test_a_long_history_is_stored_in_seconds() -> None:
    days = [FRIDAY - number * DAY for number in range(1000)]
    codes = [f"{a}{b}X" for a in "ABCDE" for b in "ABCD"]
    rates = [DatedRate("EUR", code, day, Decimal("1.5")) for day in days for code in codes]
    started = datetime.now(UTC)
    assert set_rates(rates, SOURCE).count == 20_000
    assert set_rates(rates, SOURCE).count == 0
    assert datetime.now(UTC) - started < timedelta(seconds=10)


@pytest.fixture
def history(tmp_path: Path) -> Path:
    path = tmp_path / "history.csv"
    path.write_bytes(HISTORY_CSV)
    return path


def test_the_command_imports_a_file_and_lists_it(
    history: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("exchangerates", "import", str(history))
    call_command("exchangerates", "import", str(history))
    assert capsys.readouterr().out == (
        "exchange rates: 3 stored, 0 known before\nexchange rates: 0 stored, 3 known before\n"
    )
    call_command("exchangerates", "list", "--quote", "usd", "--limit", "1")
    shown = capsys.readouterr().out
    assert "2026-11-20   EUR   1.086   USD   file" in shown
    assert "2026-11-19" not in shown
    assert "JPY" not in shown


def test_the_command_sets_one_rate(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("exchangerates", "set", "usd", "eur", "0.92", "--day", "2026-11-20")
    assert capsys.readouterr().out == "exchange rates: 1 stored, 0 known before\n"
    assert exchange_rate("USD", "EUR", FRIDAY) == Decimal("0.92")


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["set", "USD", "EUR", "-1"], None),
        (["set", "USD", "EUR", "0"], 2),
        (["set", "USD", "USD", "1"], 2),
        (["set", "USD", "EUR", "much"], None),
        (["import", "/no/such/file"], 1),
        (["list"], 1),
        ([], None),
    ],
)
def test_faults_of_the_command_are_one_line(words: list[str], code: int | None) -> None:
    with pytest.raises(CommandError) as failure:
        call_command("exchangerates", *words)
    assert "\n" not in str(failure.value)
    assert code is None or failure.value.returncode == code


def test_a_faulty_file_is_named_with_its_line(history: Path) -> None:
    history.write_bytes(HISTORY_CSV + b"2026-11-18,abc,,,\n")
    with pytest.raises(CommandError, match=r"^history.csv: line 4: 'abc' is not a rate"):
        call_command("exchangerates", "import", str(history))
    assert not ExchangeRate.objects.exists()
