import json
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from rest_framework.test import APIClient

from tests.usage.provider_bodies import counts, read
from usage.ingest.pipeline import Caller, ingest
from usage.ingest.values import EventValue

SAMPLES = json.loads(
    (Path(__file__).parent.parent / "samples" / "provider_usage.json").read_text()
)["samples"]
OUR_NAMES = {"output_reasoning_tokens": "reasoning_tokens"}
PRICES_NOTHING = {"cache_write_5m_tokens", "input_text_tokens"}

pytestmark = pytest.mark.django_db

each_sample = pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample["name"])


def usage_of(sample: dict[str, Any]) -> dict[str, Any]:
    body = sample["response_body"]
    usage: dict[str, Any] = body.get("usage") or body["usageMetadata"]
    return usage


def expected_counts(sample: dict[str, Any]) -> dict[str, int]:
    return {
        OUR_NAMES.get(name, name): value
        for name, value in sample["normalized"].items()
        if value and name not in PRICES_NOTHING
    }


@each_sample
def test_a_sample_is_counted_as_recorded(sample: dict[str, Any]) -> None:
    event = read(sample["provider"], sample["model"], usage_of(sample))
    assert counts(event) == expected_counts(sample)


@each_sample
def test_a_whole_response_body_is_read_like_its_usage_object(sample: dict[str, Any]) -> None:
    whole = read(sample["provider"], sample["model"], sample["response_body"])
    assert whole == read(sample["provider"], sample["model"], usage_of(sample))


@each_sample
def test_a_sample_costs_what_was_recorded_in_either_form(
    sample: dict[str, Any], caller: Caller
) -> None:
    fields: dict[str, Any] = {
        "occurred_at": datetime.fromisoformat(sample["request_at"]),
        "provider": sample["provider"],
        "model": sample["model"],
    }
    tokens: dict[str, Any] = {
        n: v for n, v in expected_counts(sample).items() if n != "cache_text_read_tokens"
    }
    tier = sample["price_context"].get("processing", "standard")
    report = ingest(
        [
            EventValue(event_id="usage", usage=usage_of(sample), **fields),
            EventValue(event_id="tokens", service_tier=tier, **fields, **tokens),
        ],
        caller,
    )
    expected = Decimal(sample["expected_cost_usd"]["total"])
    assert [Decimal(str(receipt.cost)) for receipt in report.results] == [expected, expected]


@each_sample
def test_a_posted_sample_costs_what_was_recorded(
    sample: dict[str, Any], client_for: Callable[..., APIClient]
) -> None:
    event = {
        "event_id": "posted",
        "occurred_at": sample["request_at"],
        "provider": sample["provider"],
        "model": sample["model"],
        "usage": usage_of(sample),
    }
    answer = client_for().post("/api/v1/events/", event, format="json")
    [receipt] = answer.json()["results"]
    assert Decimal(receipt["cost"]) == Decimal(sample["expected_cost_usd"]["total"])
