from datetime import UTC, datetime
from typing import Any

from rest_framework.test import APIClient

from usage.keys import create_key

ALL = ("ingest", "read", "check", "manage")
CALL: dict[str, Any] = {
    "project": "web", "subject": "ann", "provider": "anthropic", "model": "claude-sonnet-4-5",
}  # fmt: skip
BUDGET: dict[str, Any] = {
    "name": "month", "scope": {"organization": "acme"}, "measure": "cost", "period": "month",
    "limit": "10.00", "enforcement": "hard",
}  # fmt: skip


class Caller:
    """A key, and the interface it opens."""

    def __init__(self, organization: str | None = "acme", *scopes: str) -> None:
        self.key, secret = create_key(organization, scopes or ALL, f"{organization} key")
        self.client = APIClient(headers={"Authorization": f"Bearer {secret}"})

    def ask(self, method: str, path: str, body: Any = None, status: int = 200) -> Any:
        """The body of an answer that has this status."""
        send = getattr(self.client, method)
        answer = send(f"/api/v1/{path}", *(() if body is None else (body, "json")))
        assert answer.status_code == status, (answer.status_code, answer.content)
        kind = "application/problem+json" if status >= 400 else "application/json"
        assert answer.content == b"" or answer.headers["Content-Type"] == kind
        return answer.json() if answer.content else None

    def get(self, path: str, status: int = 200) -> Any:
        return self.ask("get", path, status=status)

    def post(self, path: str, body: Any = None, status: int = 200) -> Any:
        return self.ask("post", path, {} if body is None else body, status)

    def faults(self, method: str, path: str, body: Any, status: int = 422) -> list[tuple[str, str]]:
        """Fields and codes of what is refused."""
        errors = self.ask(method, path, body, status)["errors"]
        return [(error["field"], error["code"]) for error in errors]

    def sent(self, event_id: str = "e1", **fields: Any) -> Any:
        now = datetime.now(UTC).isoformat()
        return self.post("events/", {"event_id": event_id, "occurred_at": now, **CALL, **fields})

    def budget(self, **fields: Any) -> Any:
        return self.post("budgets/", {**BUDGET, **fields}, 201)
