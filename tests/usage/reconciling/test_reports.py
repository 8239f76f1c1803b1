import json
from datetime import date, timedelta
from decimal import Decimal

import pytest

from tests.usage.bills.provider import NOON, YESTERDAY, a_source, anthropic_day, cost, used
from tests.usage.reconciling.world import at, record
from usage.bill_updates import take_files
from usage.bills.files import BillFile
from usage.models import Reconciliation
from usage.models.reconciliations import CLASSES

pytestmark = pytest.mark.django_db
# In cents: $3 a million uncached, 0.30 read, 3.75 and 6 written, 15 out; a search is one cent.
CENTS = {
    "uncached_input_tokens": "0.45",
    "cache_read_input_tokens": "0.006",
    "cache_creation.ephemeral_5m_input_tokens": "0.1875",
    "cache_creation.ephemeral_1h_input_tokens": "0.6",
    "output_tokens": "0.75",
}
SEARCHES = {
    "cost_type": "web_search", "description": "Web Search Usage", "model": None,
    "token_type": None, "service_tier": None, "context_window": None,
}  # fmt: skip


def report(day: date, *results: dict[str, object]) -> BillFile:
    return BillFile(str(day), json.dumps({"data": [anthropic_day(day, *results)]}).encode())


def test_a_report_of_the_provider_agrees_with_the_call_that_it_bills(catalogue: None) -> None:
    call = {
        "input_tokens": 3200, "cache_read_tokens": 200, "cache_write_tokens": 1500,
        "cache_write_1h_tokens": 1000, "output_tokens": 500,
        "meters": {"web_searches": Decimal(10)},
    }  # fmt: skip
    record([(1, at(3, month=11), call)])
    source = a_source()
    tokens = [cost(cents, token_type=name) for name, cents in CENTS.items()]
    day_before = YESTERDAY - timedelta(days=1)
    files = [
        report(YESTERDAY, used()),
        report(YESTERDAY, *tokens, cost("10", **SEARCHES)),
        report(day_before, cost("300", model="claude-opus-4-5")),
    ]
    take_files(source, files, NOON)
    row = Reconciliation.objects.get()
    assert row.recorded == Decimal("0.119935")
    assert row.gap == row.missing_here == 3
    lines = row.lines.filter(day=YESTERDAY)
    assert {line.model: line.gap for line in lines} == {
        "claude-sonnet-4-5": Decimal("-0.1"), "": Decimal("0.1")
    }  # fmt: skip
    assert all(line.gap == line.other for line in lines)
    assert [name for name in CLASSES if getattr(row, name)] == ["missing_here"]
