from decimal import Decimal
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.usage.conftest import event
from usage.ingest.pipeline import Caller, ingest
from usage.ingest.values import EventValue

pytestmark = pytest.mark.django_db

MODELS = (
    ("anthropic", "claude-sonnet-4-5"),
    ("openai", "gpt-6-sol"),
    ("google", "gemini-2.5-flash"),
    ("nobody", "unknown"),
)
counts = st.integers(0, 300_000)


@st.composite
def calls(draw: st.DrawFn) -> dict[str, object]:
    provider, model = draw(st.sampled_from(MODELS))
    fresh, read, written = draw(counts), draw(counts), draw(counts)
    return {
        "provider": provider,
        "model": model,
        "input_tokens": fresh + read + written,
        "cache_read_tokens": read,
        "cache_write_tokens": written,
        "output_tokens": draw(counts),
    }


def costs(batches: list[list[EventValue]], caller: Caller) -> list[str | None]:
    receipts = [receipt for batch in batches for receipt in ingest(batch, caller).results]
    assert {receipt.status for receipt in receipts} == {"accepted"}
    return [receipt.cost if isinstance(receipt.cost, str) else None for receipt in receipts]


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(given_calls=st.lists(calls(), min_size=2, max_size=8), cut=st.integers(1, 7))
def test_splitting_a_batch_changes_no_cost(
    caller: Caller, given_calls: list[dict[str, object]], cut: int
) -> None:
    def events() -> list[EventValue]:
        return [event(uuid4().hex, **fields) for fields in given_calls]

    whole, parts, last = events(), events(), events()
    together = costs([whole], caller)
    assert costs([batch for batch in (parts[:cut], parts[cut:]) if batch], caller) == together
    assert costs([[one] for one in reversed(last)], caller) == together[::-1]
    priced = [Decimal(cost) for cost in together if cost is not None]
    assert all(cost >= 0 for cost in priced)
