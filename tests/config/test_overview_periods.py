from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from config.dashboards.cards import moved, read_cards
from config.dashboards.parsing import read_question
from config.dashboards.periods_card import read_periods
from config.dashboards.reading import Reading
from pricing.exchange import DatedRate, set_rates
from pricing.publishing import Provenance
from tests.config.site_data import UNKNOWN, at, event, send
from usage.selectors.access import EVERYTHING

pytestmark = pytest.mark.django_db


def reading_at(now: datetime, **asked: str) -> Reading:
    return Reading(EVERYTHING, read_question(asked, now, EVERYTHING))


def costs(reading: Reading) -> dict[str, tuple[Decimal, Decimal]]:
    return {each.label: (each.now.cost, each.before.cost) for each in read_periods(reading)}


def test_each_period_is_compared_with_the_same_part_of_the_one_before(usage: None) -> None:
    october = datetime(2026, 10, 11, 12, tzinfo=UTC)
    send(
        [
            event(10, at(4), output_tokens=20_000),
            event(11, at(5, 12, 14), output_tokens=40_000),
            event(12, at(5, 12, 15), output_tokens=500),
            event(13, october, output_tokens=100_000),
            event(14, october + timedelta(days=1, minutes=15), output_tokens=500),
        ]
    )

    # Thursday, 12 November: 2.10 on the 10th, 2.00 on the 11th at noon, 1.33 on the 12th.
    found = costs(reading_at(at(12, 12, 20)))
    assert found["Today"] == (Decimal("1.33"), Decimal(2))
    assert found["Week"] == (Decimal("5.43"), Decimal("0.90"))
    assert found["Month"] == (Decimal("5.43") + Decimal("0.9075"), Decimal("1.50"))


def test_the_last_day_of_the_period_before_is_cut_at_the_quarter_hour(usage: None) -> None:
    assert costs(reading_at(at(12, 12, 14)))["Today"][1] == 0
    assert costs(reading_at(at(12, 12, 15)))["Today"][1] == Decimal(2)
    against = [each.against for each in read_periods(reading_at(at(12, 12, 20)))]
    assert against == [
        "11 Nov until 12:15",
        "2 Nov \N{EN DASH} 5 Nov until 12:15",
        "1 Oct \N{EN DASH} 12 Oct until 12:15",
    ]


def test_a_month_before_that_is_shorter_counts_in_full(catalogue: None) -> None:
    late = datetime(2026, 9, 30, 23, 50, tzinfo=UTC)
    send([event(1, late, output_tokens=100_000)])

    month = read_periods(reading_at(datetime(2026, 10, 31, 1, tzinfo=UTC)))[-1]

    assert (month.before.cost, month.against) == (Decimal("1.50"), "1 Sep \N{EN DASH} 30 Sep")


def test_filters_and_the_zone_hold_for_periods_but_the_range_does_not(usage: None) -> None:
    now = at(12, 20)

    only = costs(reading_at(now, range="last-month", organization="globex"))
    assert only["Today"][0] == only["Month"][0] == Decimal(1)
    # In Auckland the noon of the 12th lies in the 13th, at one o'clock.
    there = costs(reading_at(at(12, 11, 59), tz="Pacific/Auckland"))
    assert there["Today"] == (Decimal("1.33"), Decimal(0))


def test_cards_carry_the_periods_with_words_for_the_change(usage: None) -> None:
    reading = reading_at(at(12, 12, 20))

    spend, tokens, requests, errors = read_cards(reading, read_periods(reading))

    assert [(line.label, line.value, line.change) for line in spend.lines] == [
        ("Today", "$1.33", "▼ 34 %"), ("Week", "$5.43", "new"), ("Month", "$5.43", "new"),
    ]  # fmt: skip
    assert spend.lines[0].partial
    assert [line.value for line in tokens.lines] == ["240.5 k", "940.5 k", "940.5 k"]
    assert [line.value for line in requests.lines] == ["3", "6", "6"]
    assert (errors.lines[0].value, errors.lines[0].change) == ("1", "new")
    assert [moved(3, 2), moved(2, 3), moved(2, 2), moved(2, 0)] == [
        "▲ 50 %", "▼ 33 %", "same", "new",
    ]  # fmt: skip


def test_spend_of_unpriced_calls_alone_is_never_nothing(catalogue: None) -> None:
    send([event(1, at(12), model="llama-farm-7b", provider="local", input_tokens=500)])
    reading = reading_at(at(12, 20))

    spend = read_cards(reading, read_periods(reading))[0]

    assert spend.value == "unpriced"
    assert [line.value for line in spend.lines] == ["unpriced"] * 3


def test_days_without_an_exchange_rate_leave_only_the_periods_out(usage: None) -> None:
    rate = DatedRate("USD", "EUR", date(2026, 11, 11), Decimal("0.8"))
    set_rates([rate], Provenance("test"))
    asked = {"range": "custom", "from": "2026-11-11", "through": "2026-11-12", "currency": "EUR"}

    reading = reading_at(at(12, 20), **asked)

    assert read_periods(reading) == []
    assert read_cards(reading)[0].value == "€2.66"


def test_periods_cost_four_questions_however_much_there_is(
    admin_client: Client, usage: None, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    send(event(f"x{n}", at(1 + n % 12), project=f"p{n}", input_tokens=5) for n in range(40))
    reading = reading_at(at(12, 20))

    with django_assert_num_queries(6):
        read_periods(reading)


def test_unknown_costs_are_not_compared(catalogue: None) -> None:
    def cards() -> tuple[str, list[str]]:
        reading = reading_at(at(12, 12, 20), range="7d")
        spend = read_cards(reading, read_periods(reading))[0]
        return spend.context, [line.change for line in spend.lines]

    unknown = {"model": UNKNOWN, "provider": "local", "input_tokens": 5}
    send([event(1, at(12), **unknown)])
    assert cards() == ("no price is known for any of it", ["", "", ""])
    send([event(2, at(11), output_tokens=20_000)])
    assert cards() == ("none in the 7 days before", ["", "new", "new"])
    send([event(3, at(3), **unknown)])
    assert cards() == ("unpriced in the 7 days before", ["", "", "new"])
