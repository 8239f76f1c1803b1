import csv
import io
import json
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from pricing.exchange import DatedRate, set_rates
from pricing.publishing import Provenance
from tests.config.site_data import at, event, panels, send

pytestmark = pytest.mark.django_db
DAYS = "range=custom&from=2026-11-09&through=2026-11-13"
EUROS = f"{DAYS}&currency=EUR"


def set_dollar(*rates: tuple[int, str]) -> None:
    dated = [DatedRate("USD", "EUR", date(2026, 11, day), Decimal(rate)) for day, rate in rates]
    set_rates(dated, Provenance("test"))


@pytest.fixture
def rates(usage: None) -> None:
    """Dollars on 10, 11 and 12 November: 2.10, 2.00 and 1.33."""
    set_dollar((1, "0.5"), (11, "0.8"), (12, "1"))


def overview(client: Client, query: str) -> Any:
    answer = client.get(f"/admin/?{query}")
    assert answer.status_code == 200
    return answer


def test_everything_is_shown_in_the_currency_chosen(admin_client: Client, rates: None) -> None:
    answer = overview(admin_client, EUROS)

    # 2.1 by 0.5, 2 by 0.8 and 1.33 by 1.
    assert answer.context["cards"][0].value == "€3.98"
    assert answer.context["cards"][0].exact == "3.9800000000 EUR"
    for panel in panels(answer.context):
        assert panel.totals.cost == Decimal("3.98")
    models = next(panel for panel in panels(answer.context) if panel.title == "Models")
    assert {row.name: row.cost for row in models.rows} == {
        "claude-opus-4-5": Decimal("2.6"),
        "claude-sonnet-4-5": Decimal("1.38"),
        "llama-farm-7b": None,
    }
    assert answer.text.count("€") > 20
    assert "$" not in answer.text.partition('id="figures"')[2]
    assert "EUR · UTC" in answer.text


def test_the_choice_survives_drill_down_other_ranges_and_csv(
    admin_client: Client, rates: None
) -> None:
    context = overview(admin_client, EUROS).context

    links = [url for _, url, _ in (*context["bar"]["ranges"], *context["bar"]["steps"])]
    links += [row.url for panel in panels(context) for row in panel.rows]
    assert len(links) > 10
    assert all("currency=EUR" in url for url in (*links, context["spend"].url, context["csv_url"]))
    lines = admin_client.get(context["csv_url"]).text
    rows = list(csv.DictReader(io.StringIO(lines)))
    assert [row["total EUR"] for row in rows[1:4]] == [
        "1.0500000000", "1.6000000000", "1.3300000000",
    ]  # fmt: skip


def test_the_chart_has_the_converted_costs(admin_client: Client, rates: None) -> None:
    answer = admin_client.get(f"/admin/charts/spend/?{EUROS}")
    found = json.loads(answer.content, parse_float=Decimal)

    assert found["symbol"] == "€"
    assert found["totals"] == [0, Decimal("1.05"), Decimal("1.6"), Decimal("1.33"), 0]


def test_the_choice_is_offered_where_there_are_rates(admin_client: Client, usage: None) -> None:
    assert 'name="currency"' not in overview(admin_client, DAYS).text
    set_dollar((1, "0.5"))
    page = overview(admin_client, EUROS).text
    assert "<option>USD</option><option selected>EUR</option>" in page


@pytest.mark.parametrize("currency", ["XXX", "eur", "%00", "EUR%27--"])
def test_an_unknown_currency_is_told_and_the_ledgers_shown(
    admin_client: Client, rates: None, currency: str
) -> None:
    answer = overview(admin_client, f"{DAYS}&currency={currency}")

    assert answer.context["cards"][0].value == "$5.43"
    told = "No exchange rate from USD to" in answer.text
    assert told == (currency != "%00")


def test_a_day_without_a_rate_is_told_and_the_ledgers_currency_shown(
    admin_client: Client, usage: None
) -> None:
    set_dollar((11, "0.8"))

    answer = overview(admin_client, EUROS)
    assert "2026-11-10 has usage, but no rate to EUR is known" in answer.text
    assert answer.context["cards"][0].value == "$5.43"
    assert "currency=EUR" not in answer.context["spend"].url
    found = admin_client.get(f"/admin/charts/spend/?{EUROS}").json()
    assert found["symbol"] == "$"
    assert "total USD" in admin_client.get(f"/admin/charts/spend.csv?{EUROS}").text


def test_a_period_before_all_rates_leaves_only_the_comparison_out(
    admin_client: Client, usage: None
) -> None:
    set_dollar((11, "0.8"))

    answer = overview(admin_client, "range=custom&from=2026-11-11&through=2026-11-12&currency=EUR")
    assert answer.context["cards"][0].value == "€2.66"
    assert answer.context["cards"][0].context == "no exchange rate for the 2 days before"


def test_roundings_of_converted_sums_make_no_series_of_their_own(
    admin_client: Client, catalogue: None
) -> None:
    set_dollar((1, "0.33335"))
    send(event(n, at(10), project=f"p{n}", input_tokens=1) for n in range(1, 5))

    answer = admin_client.get(f"/admin/charts/spend/?{EUROS}&group=project")
    found = json.loads(answer.content, parse_float=Decimal)
    assert [row["label"] for row in found["data"]["datasets"]] == ["p1", "p2", "p3", "p4"]
    # Each cost is 0.00000100005 euros.
    shown = [row["data"][1] for row in found["data"]["datasets"]]
    assert shown == [Decimal("0.0000010001")] * 4
    assert found["totals"][1] == Decimal("0.0000040002")
