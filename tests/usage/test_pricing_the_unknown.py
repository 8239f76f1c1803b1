from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from rest_framework.test import APIClient

from tests.usage.conftest import body
from tests.usage.price_calls import put
from usage.rollups import roll_up
from usage.tasks import continue_ratings
from usage.verification import verify

pytestmark = pytest.mark.django_db


def totals(client: APIClient) -> tuple[Any, ...]:
    answer = client.get("/api/v1/usage/?from=2026-11-01&to=2026-12-01").json()
    sums = answer["totals"]
    return sums["events"], Decimal(sums["cost"]), answer["unpriced_events"]


def test_an_unknown_model_adds_nothing_and_a_price_rates_all_of_it_once(
    client_for: Callable[..., APIClient],
) -> None:
    client, manager = client_for("acme", "ingest", "read"), client_for(None, "manage", "read")
    unknown = {"provider": "acme-ai", "model": "in-house-9"}
    events = [body("known"), *(body(f"u{number}", **unknown) for number in range(5))]
    sent = client.post("/api/v1/events/", events, format="json").json()
    roll_up(wait=True)
    known = Decimal("0.0045")

    assert (sent["accepted"], sent["unpriced"]) == (6, 5)
    assert totals(client) == (6, known, 5)

    prices = [
        {**unknown, "meter": meter, "unit_price": unit_price, "currency": "USD"}
        for meter, unit_price in (("input_tokens", "8.03"), ("output_tokens", "1"))
    ]
    assert put(manager, *prices).status_code == 200
    for _ in range(2):
        continue_ratings()
        assert totals(client) == (6, known + 5 * Decimal("0.00813"), 0)
    assert verify().drifts == []
