from datetime import date
from decimal import Decimal

import pytest

from usage.formats import compact, dated, days, duration, money, percent, quantity, rounded, share


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("11387.545", "$11,387.55"),
        ("0.005", "$0.01"),
        ("0.0049", "<$0.01"),
        ("0", "$0.00"),
        ("-12.5", "-$12.50"),
        ("1e12", "$1,000,000,000,000.00"),
    ],
)
def test_money_is_rounded_half_up_and_never_hides_a_small_amount(value: str, text: str) -> None:
    assert money(Decimal(value), "USD") == text


def test_money_without_a_price_or_a_symbol() -> None:
    assert money(None, "USD") == "unpriced"
    assert money(Decimal(5), "CHF") == "CHF 5.00"
    assert money(Decimal("0.0000012"), "EUR", 6) == "€0.000001"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (9_999, "9,999"),
        (10_000, "10.0 k"),
        (12_340, "12.3 k"),
        (999_950, "1.00 M"),
        (999_949, "999.9 k"),
        (2_410_000_000, "2.41 B"),
        (999_995_000, "1.00 B"),
        (3_000_000_000_000, "3.00 T"),
    ],
)
def test_large_counts_are_short(value: int, text: str) -> None:
    assert compact(value) == text


def test_shares_and_percentages() -> None:
    assert share(1, 0) is None
    assert percent(share(1, 3), 1) == "33.3 %"
    assert percent(Decimal("0.4")) == "<1 %"
    assert percent(Decimal("0.5")) == "1 %"
    assert percent(Decimal(0)) == "0 %"
    assert percent(None) == "—"


@pytest.mark.parametrize(
    ("milliseconds", "text"),
    [
        (None, "—"),
        (320, "320 ms"),
        (2_400, "2.4 s"),
        (59_949, "59.9 s"),
        (59_950, "1 m 0 s"),
        (252_000, "4 m 12 s"),
        (30_180_000, "8 h 23 m"),
        (180_000_000, "2 d 2 h"),
    ],
)
def test_durations(milliseconds: int | None, text: str) -> None:
    assert duration(milliseconds) == text


def test_days_quantities_and_rounding() -> None:
    assert days(date(2026, 10, 4), date(2026, 11, 22)) == "4 Oct \N{EN DASH} 22 Nov"
    assert days(date(2026, 10, 4), date(2026, 10, 4)) == "4 Oct"
    assert dated(date(2026, 10, 4), date(2026, 11, 22)) == "4 Oct \N{EN DASH} 22 Nov 2026"
    assert dated(date(2025, 11, 1), date(2026, 11, 30)) == "1 Nov 2025 \N{EN DASH} 30 Nov 2026"
    assert quantity(318_204) == "318,204"
    assert rounded(Decimal("2.675"), 2) == Decimal("2.68")
