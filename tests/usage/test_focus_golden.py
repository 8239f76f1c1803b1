import json
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest
from rest_framework.test import APIClient

from tests.usage.focus_files import Row, charged
from usage.models import Organization, Project, Team

SAMPLES = Path(__file__).parent.parent / "samples"
EXPECTED: list[dict[str, Any]] = json.loads((SAMPLES / "focus_rows.json").read_text())["rows"]
CALLS = ("anthropic_cache_5m_1h_read", "openai_chat_cached_reasoning")

pytestmark = pytest.mark.django_db


@pytest.fixture
def rows(client: APIClient) -> list[Row]:
    Organization.objects.filter(slug="acme").update(name="Example Org")
    acme = Organization.objects.get()
    Team.objects.create(organization=acme, slug="team-search", name="Search")
    Project.objects.create(organization=acme, slug="svc/checkout-bot", name="checkout-bot")
    bodies = {
        sample["name"]: sample
        for sample in json.loads((SAMPLES / "provider_usage.json").read_text())["samples"]
    }
    for name in CALLS:
        answer = client.post(
            "/api/v1/events/",
            {
                "event_id": name,
                "occurred_at": bodies[name]["request_at"],
                "provider": bodies[name]["provider"],
                "model": bodies[name]["model"],
                "project": "svc/checkout-bot",
                "team": "team-search",
                "tags": {"environment": "prod"},
                "usage": bodies[name]["response_body"]["usage"],
            },
            format="json",
        )
        assert answer.status_code == 200, answer.content
    return charged(date(2026, 11, 20), date(2026, 11, 21))


def as_read(expected: dict[str, Any], name: str, value: Any) -> Any:
    if isinstance(value, Decimal):
        return Decimal(expected[name])
    if isinstance(value, datetime):
        return datetime.fromisoformat(expected[name])
    if isinstance(value, msgspec.Raw):
        return msgspec.Raw(expected[name].encode())
    return None if expected[name] == "" else expected[name]


@pytest.mark.parametrize("expected", EXPECTED, ids=lambda row: row["ChargeDescription"])
def test_a_sample_row_comes_out_cell_by_cell(rows: list[Row], expected: dict[str, Any]) -> None:
    ours = {"BillingAccountId": "acme"}
    (row,) = (r for r in rows if r["ChargeDescription"] == expected["ChargeDescription"])
    wanted = {name: as_read(expected | ours, name, row[name]) for name in expected}
    assert {name: row[name] for name in expected} == wanted


def test_there_are_no_other_rows(rows: list[Row]) -> None:
    assert len(rows) == len(EXPECTED) == 8
