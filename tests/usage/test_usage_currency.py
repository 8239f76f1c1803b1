import csv
import io
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from pytest_django import Settings
from rest_framework.test import APIClient

from pricing.exchange import DatedRate, set_rates
from pricing.publishing import Provenance
from pricing.rating import MeterPrice
from pricing.selectors import MANUAL, named_card
from tests.published import publish_price
from tests.usage.asking import ask, table_asked
from tests.usage.conftest import event
from usage.ingest.pipeline import Caller, ingest
from usage.models import UsageEvent
from usage.rollups import roll_up
from usage.selectors.questions import Granularity, QuestionError

pytestmark = pytest.mark.django_db
THURSDAY, FRIDAY = date(2026, 11, 19), date(2026, 11, 20)
LAST_MINUTE = datetime(2026, 11, 19, 23, 59, tzinfo=UTC)
MIDNIGHT = datetime(2026, 11, 20, tzinfo=UTC)
MILLION = 1_000_000


def set_dollar(*rates: tuple[date, str], quote: str = "EUR") -> None:
    dated = [DatedRate("USD", quote, day, Decimal(rate)) for day, rate in rates]
    set_rates(dated, Provenance("test"))


def sell(model: str, unit_price: str) -> None:
    publish_price(
        rate_card=named_card(MANUAL),
        provider="shop",
        model=model,
        prices=[MeterPrice("output_tokens", Decimal(unit_price), MILLION)],
        effective_from=datetime(2026, 1, 1, tzinfo=UTC),
        source=Provenance("test"),
    )


def use(caller: Caller, event_id: str, at: datetime, **fields: Any) -> None:
    counts = {"input_tokens": 0, "output_tokens": MILLION}
    names = {"provider": "shop", "model": "m-1", "occurred_at": at}
    ingest([event(event_id, **{**counts, **names, **fields})], caller)


@pytest.fixture
def two_days(caller: Caller) -> Caller:
    """8.03 dollars in the last minute of Thursday and again in the first of Friday (UTC)."""
    sell("m-1", "8.03")
    use(caller, "a", LAST_MINUTE)
    use(caller, "b", MIDNIGHT)
    roll_up()
    return caller


def test_each_day_counts_by_its_own_rate(two_days: Caller) -> None:
    set_dollar((THURSDAY - timedelta(days=3), "0.92"), (FRIDAY, "0.95"))
    answer = ask(granularity=Granularity.DAY, currency="EUR")
    costs = {row.start: row.sums.cost for row in answer.rows if row.sums.events}
    assert costs == {THURSDAY: Decimal("7.3876"), FRIDAY: Decimal("7.6285")}
    assert answer.totals.cost == answer.totals.output_cost == Decimal("15.0161")
    assert answer.currency == "EUR"
    assert answer.totals.output_tokens == 2 * MILLION


@pytest.mark.parametrize("granularity", list(Granularity))
@pytest.mark.parametrize("zone", ["UTC", "Asia/Kathmandu", "America/New_York"])
def test_every_granularity_adds_up_to_the_same(
    two_days: Caller, granularity: Granularity, zone: str
) -> None:
    set_dollar((THURSDAY, "0.92"), (FRIDAY, "0.95"))
    answer = ask(granularity=granularity, currency="EUR", time_zone=zone)
    both = {
        "UTC": Decimal("15.0161"),
        "Asia/Kathmandu": Decimal("15.257"),
        "America/New_York": Decimal("14.7752"),
    }
    assert answer.totals.cost == sum(row.sums.cost for row in answer.rows) == both[zone]


def test_the_ledger_currency_needs_no_rate_and_changes_nothing(two_days: Caller) -> None:
    assert ask(currency="USD").totals == ask().totals
    assert str(ask(currency="USD").totals.cost) == "16.0600000000"
    assert ask().currency == "USD"


def test_whole_months_are_then_summed_by_days(two_days: Caller) -> None:
    set_dollar((THURSDAY, "0.92"))
    assert table_asked() == "monthlyfacet"
    assert table_asked(currency="USD") == "monthlyfacet"
    assert table_asked(currency="EUR") == "dailyfacet"
    assert table_asked(currency="EUR", group_by=("team", "model")) == "dailyrollup"
    assert table_asked(currency="EUR", group_by=("session",)) == "usagerollup"
    assert table_asked(currency="EUR", group_by=("tag:env",)) == "usageevent"


@pytest.mark.parametrize("group_by", [(), ("model",), ("session",), ("tag:env",)])
def test_sums_are_rounded_half_up_once_and_only_where_they_are_shown(
    caller: Caller, group_by: tuple[str, ...]
) -> None:
    sell("m-1", "0.0001")
    set_dollar((THURSDAY, "0.5"))
    use(caller, "a", LAST_MINUTE, output_tokens=1)
    use(caller, "b", MIDNIGHT, output_tokens=1)
    roll_up()
    daily = ask(currency="EUR", granularity=Granularity.DAY, group_by=group_by)
    shown = {row.sums.cost for row in daily.rows if row.sums.events}
    assert shown == {Decimal("0.0000000001")}
    assert daily.totals.cost == Decimal("0.0000000001")
    assert ask(currency="EUR", group_by=group_by).rows[0].sums.cost == Decimal("0.0000000001")


def test_rows_come_in_the_order_of_converted_costs_page_by_page(caller: Caller) -> None:
    for model, price in (("m-1", "10"), ("m-2", "9"), ("m-3", "8")):
        sell(model, price)
    set_dollar((THURSDAY, "1"), (FRIDAY, "2"))
    use(caller, "a", LAST_MINUTE)
    use(caller, "b", MIDNIGHT, model="m-2")
    use(caller, "c", MIDNIGHT, model="m-3")
    roll_up()
    asked: dict[str, Any] = {"group_by": ("model",), "order_by": "-cost", "currency": "EUR"}
    first = ask(**asked, limit=2)
    second = ask(**asked, limit=2, cursor=first.next_cursor)
    rows = [(row.group["model"], row.sums.cost) for row in (*first.rows, *second.rows)]
    assert rows == [("m-2", Decimal(18)), ("m-3", Decimal(16)), ("m-1", Decimal(10))]
    assert first.totals.cost == second.totals.cost == 44
    assert second.next_cursor is None
    with pytest.raises(QuestionError, match="start over"):
        ask(**{**asked, "currency": ""}, limit=2, cursor=first.next_cursor)


def test_a_day_with_costs_before_all_rates_is_named(two_days: Caller) -> None:
    set_dollar((FRIDAY, "0.95"))
    with pytest.raises(QuestionError, match="2026-11-19 has usage") as refusal:
        ask(currency="EUR", granularity=Granularity.MONTH)
    assert (refusal.value.field, refusal.value.code) == ("currency", "no_exchange_rate")
    assert ask(currency="EUR", start=FRIDAY).totals.cost == Decimal("7.6285")
    assert ask(currency="EUR", start=MIDNIGHT).totals.cost == Decimal("7.6285")
    assert ask(currency="EUR", filters={"project": ["other"]}).totals.cost == 0


def test_usage_without_a_cost_needs_no_rate(two_days: Caller) -> None:
    set_dollar((THURSDAY, "0.95"))
    use(two_days, "c", LAST_MINUTE - timedelta(days=1), model="nobody-knows-9")
    roll_up()
    totals = ask(currency="EUR").totals
    assert (totals.events, totals.unpriced_events) == (3, 1)
    assert totals.cost == Decimal("15.257")


def test_the_dollar_converts_across_the_euro(two_days: Caller) -> None:
    euro = [("USD", "1.25"), ("GBP", "0.5")]
    set_rates(
        (DatedRate("EUR", quote, THURSDAY, Decimal(rate)) for quote, rate in euro),
        Provenance("test"),
    )
    assert ask(currency="GBP").totals.cost == Decimal("6.424")


def get(client: APIClient, **parameters: Any) -> Any:
    return client.get("/api/v1/usage/", {"from": "2026-11-01", "to": "2026-12-01", **parameters})


def test_the_endpoint_answers_in_the_currency_asked_for(
    two_days: Caller, client: APIClient
) -> None:
    set_dollar((THURSDAY, "0.92"), (FRIDAY, "0.95"))
    found = get(client, currency="EUR", group_by="model").json()
    assert (found["currency"], found["totals"]["cost"]) == ("EUR", "15.0161000000")
    assert found["results"][0]["output_cost"] == "15.0161000000"
    lines = b"".join(get(client, currency="EUR", format="csv").streaming_content).decode()
    (row,) = csv.DictReader(io.StringIO(lines))
    assert (row["currency"], row["cost"]) == ("EUR", "15.0161000000")


@pytest.mark.parametrize("currency", ["XXX", "eur", "€", "EURO" * 99, "EUR'; --"])
def test_a_currency_without_rates_is_a_problem(
    two_days: Caller, client: APIClient, currency: str
) -> None:
    set_dollar((THURSDAY, "0.92"))
    answer = get(client, currency=currency)
    (error,) = answer.json()["errors"]
    assert (answer.status_code, error["field"], error["code"]) == (
        400,
        "currency",
        "no_exchange_rate",
    )


def test_the_endpoint_names_the_day_without_a_rate(two_days: Caller, client: APIClient) -> None:
    set_dollar((FRIDAY, "0.95"))
    answer = get(client, currency="EUR")
    assert answer.status_code == 400
    assert "2026-11-19" in answer.json()["errors"][0]["message"]


@pytest.fixture
def euro_ledger(settings: Settings) -> None:
    settings.TALLYMAN_CURRENCY = "EUR"


def test_a_euro_ledger_keeps_dollar_prices_by_the_rate_of_the_call(
    euro_ledger: None, two_days: Caller
) -> None:
    assert ask().totals.unpriced_events == 2
    set_dollar((THURSDAY, "0.925925925926"), (FRIDAY, "0.920810313076"))
    use(two_days, "c", LAST_MINUTE)
    use(two_days, "d", MIDNIGHT)
    kept = UsageEvent.objects.filter(event_id__in=["c", "d"]).order_by("event_id")
    assert list(kept.values_list("cost", "exchange_rate")) == [
        (Decimal("7.4351851852"), Decimal("0.925925925926")),
        (Decimal("7.3941068140"), Decimal("0.920810313076")),
    ]
    roll_up()
    totals = ask().totals
    assert (totals.cost, totals.unpriced_events) == (Decimal("14.8292919992"), 2)


def test_euros_in_a_euro_ledger_stay_what_they_are(euro_ledger: None, caller: Caller) -> None:
    publish_price(
        rate_card=named_card(MANUAL),
        provider="shop",
        model="m-1",
        prices=[MeterPrice("output_tokens", Decimal("8.03"), MILLION)],
        effective_from=datetime(2026, 1, 1, tzinfo=UTC),
        source=Provenance("test"),
        currency="EUR",
    )
    use(caller, "a", MIDNIGHT)
    roll_up()
    assert str(ask().totals.cost) == "8.0300000000"
    assert UsageEvent.objects.get().exchange_rate is None
