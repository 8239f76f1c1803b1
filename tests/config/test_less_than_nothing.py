import re
from decimal import Decimal

import pytest
from django.test import Client

from config.dashboards.cards import HEIGHT, sparkline
from tests.config.site_data import UNKNOWN, at, event, send
from usage.formats import bar
from usage.models import UsageRollup
from usage.rollups.buckets import spans_of
from usage.rollups.calendar import recompute_calendar

DAYS = "range=custom&from=2026-11-09&through=2026-11-13"


@pytest.fixture
def corrected(catalogue: None) -> None:
    """Eleven projects at 30 cents; what re-rating took back is all that the last one has."""
    send([event(n, at(11), project=f"p{n:02}", input_tokens=100_000) for n in range(11)])
    last = UsageRollup.objects.filter(project__slug="p10")
    assert last.update(events=0, cost=Decimal("-0.5"), input_cost=Decimal("-0.5")) == 1
    row = last.get()
    recompute_calendar(row.organization_id, spans_of([row.bucket]), "UTC", None)


def test_a_ranked_table_adds_up_to_its_total_where_money_was_taken_back(
    corrected: None, admin_client: Client
) -> None:
    context = admin_client.get(f"/admin/?{DAYS}").context
    panel = context["owners"][0]

    assert panel.cost == Decimal("2.5")
    assert panel.rest.cost == Decimal("-0.5")
    assert sum(row.sums.cost for row in panel.rows) + panel.rest.cost == panel.cost


def test_no_bar_is_shorter_than_nothing(corrected: None, admin_client: Client) -> None:
    month = f"{DAYS}&tab=months"
    for path in ("/admin/", "/admin/projects/", "/admin/projects/acme/p10/ai-cost/"):
        for asked in (DAYS, month):
            assert 'width="-' not in admin_client.get(f"{path}?{asked}").text


def test_lengths_and_lines_stay_in_their_box() -> None:
    assert [bar(Decimal(value)) for value in ("-3", "0", "99.9", "250")] == [0, 0, 99, 100]
    assert bar(None) == 0
    assert sparkline([-4, 8]) == f"0.0,{HEIGHT - 2}.0 120.0,2.0"
    assert sparkline([-4, -8]) == f"0.0,{HEIGHT - 2}.0 120.0,{HEIGHT - 2}.0"


def test_totals_of_what_nobody_knows_the_price_of_are_no_zero(
    catalogue: None, admin_client: Client
) -> None:
    send([event(1, at(11), project="web", model=UNKNOWN, input_tokens=100)])

    for path in ("/admin/", "/admin/projects/acme/web/ai-cost/"):
        page = admin_client.get(f"{path}?{DAYS}")
        totals = re.findall("<tfoot>.*?</tfoot>", page.text, re.DOTALL)
        assert totals, path
        assert not [total for total in totals if "$0.00" in total], path
