import json
from collections import defaultdict, deque
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tests.budgets.channels.sink import Answer, Request, Sink
from usage.bills.calling import Patience
from usage.bills.fetching import fetch_source
from usage.bills.storing import Stored
from usage.models import BillSource
from usage.organizations import ensure_organization
from usage.selectors.bills import BillCell, bill_cells

ANTHROPIC_KEY = "sk-ant-admin01-0123456789abcdefX7Qa"
OPENAI_KEY = "sk-admin-0123456789abcdefX7Qa"
OPENROUTER_KEY = "sk-or-v1-0123456789abcdefX7Qa"
USAGE = "/v1/organizations/usage_report/messages"
COST = "/v1/organizations/cost_report"
NOON = datetime(2026, 11, 4, 12, tzinfo=UTC)
YESTERDAY = date(2026, 11, 3)


class Provider:
    """Answers each path with what is queued for it, and then with an empty page for ever."""

    def __init__(self, sink: Sink) -> None:
        self.sink, self.url = sink, sink.url
        self._queues: dict[str, deque[Answer]] = defaultdict(deque)
        sink.answer = self._answer

    def will_answer(self, path: str, *answers: Answer) -> None:
        self._queues[path].extend(answers)

    def asked(self, path: str) -> list[dict[str, Any]]:
        requests = [r for r in self.sink.requests if urlsplit(r.path).path == path]
        return [_parameters(request) for request in requests]

    def _answer(self, request: Request) -> Answer:
        queue = self._queues[urlsplit(request.path).path]
        return queue.popleft() if queue else page()


def _parameters(request: Request) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in parse_qsl(urlsplit(request.path).query):
        found[name] = [*found.get(name, []), value] if name.endswith("[]") else value
    return found


def page(*parts: dict[str, Any], next_page: str | None = None) -> Answer:
    body = {"data": parts, "has_more": next_page is not None, "next_page": next_page}
    return Answer(body=json.dumps(body).encode())


def failing(code: int, **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(code, named, b'{"error": "' + ANTHROPIC_KEY.encode() + b'"}')


def anthropic_day(day: date, *results: dict[str, Any]) -> dict[str, Any]:
    return {
        "starting_at": f"{day}T00:00:00Z",
        "ending_at": f"{day + timedelta(days=1)}T00:00:00Z",
        "results": list(results),
    }


def cost(amount: str, **fields: Any) -> dict[str, Any]:
    return {
        "amount": amount, "currency": "USD", "cost_type": "tokens", "context_window": "0-200k",
        "description": "Claude Sonnet 4.5 Usage - Input Tokens", "model": "claude-sonnet-4-5",
        "service_tier": "standard", "token_type": "uncached_input_tokens", "workspace_id": None,
        **fields,
    }  # fmt: skip


def used(**fields: Any) -> dict[str, Any]:
    return {
        "uncached_input_tokens": 1500, "cache_read_input_tokens": 200, "output_tokens": 500,
        "cache_creation": {"ephemeral_1h_input_tokens": 1000, "ephemeral_5m_input_tokens": 500},
        "server_tool_use": {"web_search_requests": 10}, "service_tier": "standard",
        "context_window": "0-200k", "api_key_id": None, "model": "claude-sonnet-4-5",
        "workspace_id": None, **fields,
    }  # fmt: skip


def a_source(
    kind: str = BillSource.Kind.ANTHROPIC, first_day: date = YESTERDAY, **fields: Any
) -> BillSource:
    given = {"name": "The bill", "providers": [kind], "first_day": first_day, **fields}
    organization = ensure_organization(given.pop("organization", "acme"))
    return BillSource.objects.create(organization=organization, kind=kind, **given)


class Clock:
    def __init__(self) -> None:
        self.slept: list[float] = []

    def patience(self, seconds: float = 60) -> Patience:
        found = Patience.of(seconds)
        found.sleep = self.slept.append
        return found


def fetch(source: BillSource) -> Stored:
    return fetch_source(source, NOON, Clock().patience())


def cells(source: BillSource) -> list[BillCell]:
    return bill_cells(source.pk, date(2026, 1, 1), YESTERDAY)
