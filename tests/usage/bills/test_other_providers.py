from datetime import date
from decimal import Decimal

import pytest

from tests.usage.bills.provider import (
    OPENAI_KEY,
    YESTERDAY,
    Provider,
    a_source,
    cells,
    fetch,
    page,
)
from usage.models import BillLine, BillSource
from usage.selectors.bills import billed_days

pytestmark = pytest.mark.django_db


def test_openai_tells_model_meter_and_tier_of_an_amount_in_one_text(provider: Provider) -> None:
    start = {"start_time": 1793664000, "end_time": 1793750400, "object": "bucket"}
    project = {"project_id": "proj_1"}
    items = (
        ("gpt-5-mini-2025-08-07, input", 0.06),
        ("gpt-5-mini-2025-08-07, cached input", "0.13080438340307526"),
        ("priority | gpt-5-mini-2025-08-07, output, long context", 2),
        ("gpt-audio-mini-2025-12-15 audio, input", 0.5),
        ("text-embedding-3-small", 0.25),
        ("web search tool calls", 1.5),
    )
    costs = [
        {"object": "organization.costs.result", "line_item": item, **project,
         "amount": {"value": value, "currency": "usd"}}
        for item, value in items
    ]  # fmt: skip
    usage = {
        "object": "organization.usage.completions.result", "input_tokens": 5000,
        "input_cached_tokens": 4000, "input_cache_write_tokens": None, "output_tokens": 1000,
        "num_model_requests": 5, "model": "gpt-5-mini-2025-08-07", "batch": False,
        "service_tier": "default", "input_audio_tokens": 0, **project,
    }  # fmt: skip
    embedded = {
        "object": "organization.usage.embeddings.result", "input_tokens": 16,
        "num_model_requests": 2, "model": "text-embedding-3-small", **project,
    }  # fmt: skip
    provider.will_answer("/v1/organization/costs", page({**start, "results": costs}))
    provider.will_answer("/v1/organization/usage/completions", page({**start, "results": [usage]}))
    provider.will_answer(
        "/v1/organization/usage/embeddings", page({**start, "results": [embedded]})
    )
    source = a_source(BillSource.Kind.OPENAI)
    fetch(source)
    found = {cell.model: cell for cell in cells(source)}
    mini = found["gpt-5-mini-2025-08-07"]
    assert mini.amounts == {
        "input_tokens": Decimal("0.06"),
        "cache_read_tokens": Decimal("0.1308043834"),
        "output_tokens": Decimal(2),
    }
    assert mini.quantities == {
        "input_tokens": 5000, "cache_read_tokens": 4000, "output_tokens": 1000, "requests": 5,
    }  # fmt: skip
    assert found["gpt-audio-mini-2025-12-15"].amounts == {"input_audio_tokens": Decimal("0.5")}
    embedding = found["text-embedding-3-small"]
    assert (embedding.amounts, embedding.quantities["input_tokens"]) == ({"": Decimal("0.25")}, 16)
    assert found[""].descriptions == ["web search tool calls"]
    assert {cell.currency for cell in found.values()} == {"USD"}
    (asked,) = provider.asked("/v1/organization/costs")
    assert (asked["start_time"], asked["end_time"]) == ("1793664000", "1793750400")
    assert provider.sink.requests[0].headers["authorization"] == f"Bearer {OPENAI_KEY}"


def test_openrouter_tells_thirty_days_of_which_only_finished_ones_count(
    provider: Provider,
) -> None:
    line = {
        "model": "openai/gpt-4.1", "model_permaslug": "openai/gpt-4.1-2025-04-14", "usage": 0.015,
        "endpoint_id": "e", "provider_name": "OpenAI", "byok_usage_inference": 0.012,
        "requests": 5, "prompt_tokens": 50, "completion_tokens": 125, "reasoning_tokens": 25,
    }  # fmt: skip
    provider.will_answer(
        "/api/v1/activity",
        page({**line, "date": "2026-11-03 00:00:00"}, {**line, "date": "2026-11-04"}),
    )
    source = a_source(BillSource.Kind.OPENROUTER, first_day=date(2026, 1, 1))
    fetch(source)
    (cell,) = cells(source)
    assert (cell.day, cell.total, cell.currency) == (YESTERDAY, Decimal("0.015"), "USD")
    assert cell.quantities == {
        "input_tokens": 50, "output_tokens": 125, "reasoning_tokens": 25, "requests": 5,
    }  # fmt: skip
    assert min(billed_days(source.pk, date(2026, 1, 1), YESTERDAY)) == date(2026, 10, 5)
    (described,) = BillLine.objects.values_list("description", flat=True)
    assert described == "OpenAI (0.012 USD paid with an own key)"
