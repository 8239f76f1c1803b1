from collections.abc import Callable
from contextlib import nullcontext
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection
from rest_framework.test import APIClient

from usage.ingest.identities import tenant_of
from usage.ingest.pipeline import Caller
from usage.ingest.prepare import Tenancy
from usage.ingest.values import EventValue
from usage.keys import create_key
from usage.organizations import ensure_organization

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def event(event_id: str = "e1", **fields: Any) -> EventValue:
    values: dict[str, Any] = {
        "occurred_at": NOON,
        "model": "claude-sonnet-4-5",
        "provider": "anthropic",
        "project": "web",
        "subject": "ann",
        "action": "chat",
        "input_tokens": 1000,
        "output_tokens": 100,
    }
    return EventValue(event_id=event_id, **{**values, **fields})


def body(event_id: str = "e1", **fields: Any) -> dict[str, Any]:
    values: dict[str, Any] = {
        "event_id": event_id,
        "occurred_at": "2026-11-20T12:00:00Z",
        "model": "claude-sonnet-4-5",
        "provider": "anthropic",
        "project": "web",
        "subject": "ann",
        "action": "chat",
        "input_tokens": 1000,
        "output_tokens": 100,
    }
    return {**values, **fields}


@pytest.fixture
def caller(catalogue: None) -> Caller:
    return Caller(Tenancy(tenant_of(ensure_organization("acme")), {}))


@pytest.fixture
def client_for(catalogue: None) -> Callable[..., APIClient]:
    def make(organization: str | None = "acme", *scopes: str) -> APIClient:
        _, secret = create_key(organization, scopes or ("ingest", "read"), "test")
        return APIClient(headers={"Authorization": f"Bearer {secret}"})

    return make


@pytest.fixture
def client(client_for: Callable[..., APIClient]) -> APIClient:
    return client_for()


@pytest.fixture
def on_the_twentieth(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("usage.api.reads.today_in", lambda _zone: NOON.date())


@pytest.fixture
def one_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("usage.exports.working.snapshot_for_file", lambda **_: nullcontext())
    monkeypatch.setattr("usage.exports.working.closing", nullcontext)
    monkeypatch.setattr("usage.exports.working._another_connection", lambda: connection)
