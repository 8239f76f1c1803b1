import urllib.request
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pytest_django.live_server_helper import LiveServer

from budgets.models import Budget
from budgets.static.tallyman import tallyman
from tests.budgets.budget_values import budget
from tests.budgets.guard.guard_server import CALL, NOWHERE
from usage.keys import create_key
from usage.organizations import ensure_organization

# 12,000 tokens at 3 dollars a million and 4,000 at 15: 0.096.
PRICED: dict[str, Any] = {**CALL, "model": "claude-sonnet-4-5"}

NOTHING = Decimal(0)


def standing(client: tallyman.Client) -> tuple[Decimal, Decimal]:
    (found,) = client.check(amount=0, project="web").budgets
    assert found["start"].tzinfo is not None
    assert found["remaining"] == found["limit"] - found["spent"] - found["reserved"]
    return found["spent"], found["reserved"]


def test_the_file_as_it_is_served_and_the_real_server_understand_each_other(
    live_server: LiveServer, catalogue: None
) -> None:
    with urllib.request.urlopen(f"{live_server.url}/static/tallyman/tallyman.py") as answer:
        assert answer.read() == Path(tallyman.__file__).read_bytes()
    ensure_organization("acme")
    hard = budget(limit="0.10", enforcement=Budget.Enforcement.HARD, name="Trial")
    _, secret = create_key("acme", ("check", "ingest"), "guard")
    client = tallyman.Client(url=live_server.url, key=secret, timeout=30, fail="closed")

    with client.reserve(**PRICED, key="call-1", keep_alive=True) as held:
        assert (held.status, held.amount) == ("held", Decimal("0.096"))
        assert standing(client) == (NOTHING, Decimal("0.096"))
        again = client.reserve(**PRICED, key="call-1")
        assert (again.id, again.decision.allowed) == (held.id, True)
        with pytest.raises(tallyman.Refused):
            client.reserve(amount=1, key="call-1")
        with pytest.raises(tallyman.Blocked, match="Trial") as stop:
            client.reserve(**PRICED)
        assert (stop.value.decision.binding, stop.value.decision.answered) == (hard.pk, True)
        assert stop.value.retry_at is not None
        before = held.expires_at
        held.extend(3600)
        assert before is not None
        assert held.expires_at is not None
        assert held.expires_at > before
        # 1,000 at 3 and 200 at 15.
        assert held.settle({"input_tokens": 1000, "output_tokens": 200}) == Decimal("0.006")
    assert standing(client) == (Decimal("0.006"), NOTHING)

    with client.reserve(amount="0.05") as released:
        released.release()
    with client.reserve(**{**PRICED, "input_tokens": 2000, "max_output_tokens": 400}) as streamed:
        assert streamed.settle(None) == Decimal("0.012")
        assert standing(client) == (Decimal("0.018"), NOTHING)
        assert streamed.settle(input_tokens=1000, output_tokens=200) == Decimal("0.006")
    assert (released.status, streamed.status) == ("released", "settled")
    assert standing(client) == (Decimal("0.012"), NOTHING)

    client.configure(url=NOWHERE, key=secret, retries=0)
    with client.reserve(**PRICED) as unasked:
        client.configure(url=live_server.url, key=secret, timeout=30)
        assert not client.check(**PRICED).allowed
        assert unasked.settle(input_tokens=1000, output_tokens=200) == Decimal("0.006")
    assert (unasked.status, unasked.id, len(client.unsent)) == ("settled", None, 0)
    assert standing(client) == (Decimal("0.018"), NOTHING)
