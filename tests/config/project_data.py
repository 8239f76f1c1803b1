from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client

from tests.config.site_data import OPUS, UNKNOWN, at, event, send
from usage.ingest.values import EventValue

NOW = at(20)
WEB = "/admin/projects/acme/web/ai-cost/"


def stop_the_clock(monkeypatch: pytest.MonkeyPatch, now: datetime = NOW) -> None:
    monkeypatch.setattr("django.utils.timezone.now", lambda: now)
    monkeypatch.setattr("usage.api.reads.today_in", lambda _zone: now.date())


def job(number: str, when: datetime, **fields: Any) -> EventValue:
    return event(number, when, **{"project": "web", **fields})


def a_project_month() -> None:
    build = {"agent_type": "implementation", "run_id": "r1", "run_trigger": "push"}
    send(
        [
            job("a1", at(18), **build, input_tokens=100_000),
            job("a2", at(18, 13), **build, output_tokens=100_000),
            job("a3", at(19), agent_type="ui_ux", run_id="r2", input_tokens=200_000,
                cache_read_tokens=0, status="error"),
            job("a4", at(20, 9), agent_type="Poetry", output_tokens=20_000),
            job("a5", at(20, 10), model=UNKNOWN, provider="local", input_tokens=500),
            job("a6", datetime(2026, 10, 15, 12, tzinfo=UTC), agent_type="research",
                output_tokens=200_000),
            job("a7", at(19), project="api", agent_type="testing", input_tokens=1_000_000,
                model=OPUS),
            job("g1", at(19), organization="globex", agent_type="secretive", run_id="r1",
                model=OPUS, output_tokens=40_000),
        ]
    )  # fmt: skip


def shown(client: Client, query: str = "", path: str = WEB) -> Any:
    answer = client.get(f"{path}?{query}")
    assert answer.status_code == 200
    return answer
