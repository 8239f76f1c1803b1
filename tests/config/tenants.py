import zlib
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from rest_framework.test import APIClient

from budgets.recording import count_tallies
from tests.config.site_data import staff
from tests.usage.reconciling.world import FIRST, bill, bill_days, source_of
from usage.keys import create_key
from usage.models import (
    CostCentre,
    CostCentreAssignment,
    Export,
    ExportPart,
    Organization,
    Project,
)
from usage.reconciling.working import reconcile
from usage.rollups import roll_up

SCOPES = ("ingest", "read", "check", "manage")


@dataclass
class Tenant:
    """An organization in which everything is called by one word."""

    word: str
    key: APIClient = field(init=False)
    member: APIClient = field(init=False)
    exports: list[str] = field(init=False)
    ids: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        key, secret = create_key(self.word, SCOPES, f"{self.word}-key")
        self.key = APIClient(headers={"Authorization": f"Bearer {secret}"})
        self._set_price()
        self._send()
        self.ids = self._limit()
        user = staff(f"{self.word}-member", self.word)
        self.member = APIClient()
        self.member.force_login(user)
        self._assign()
        roll_up(wait=True)
        self.exports = [self._export(api_key=key), self._export(requested_by=user)]
        self.ids["reconciliation_id"] = self._reconcile()

    @property
    def callers(self) -> list[tuple[APIClient, str]]:
        """Who may read it, each with an export of its own."""
        return list(zip((self.key, self.member), self.exports, strict=True))

    def _export(self, **whose: Any) -> str:
        organization = Organization.objects.get(slug=self.word)
        export = Export.objects.create(
            kind="events", format="csv", status="done", organization_ids=[organization.pk],
            parameters={"project": f"{self.word}-project"}, **whose,
        )  # fmt: skip
        data = zlib.compress(f"{self.word}-event_id".encode())
        ExportPart.objects.create(export=export, number=0, data=data)
        return str(export.pk)

    def _set_price(self) -> None:
        price = {
            "provider": f"{self.word}-provider", "model": f"{self.word}-model",
            "meter": "input_tokens", "unit_price": "2", "currency": "USD",
            "reason": f"{self.word}-reason",
        }  # fmt: skip
        assert self.key.put("/api/v1/prices/", {"prices": [price]}, "json").status_code == 200

    def _send(self) -> None:
        now = datetime.now(UTC)
        answer = self.key.post("/api/v1/events/", [self._event(now, i) for i in range(4)], "json")
        assert answer.json()["accepted"] == 4, answer.content

    def _limit(self) -> dict[str, str]:
        """Budgets of its own, a call that they warned about, a reservation, an alert, a channel."""
        call = {
            "project": f"{self.word}-project", "subject": f"{self.word}-subject", "amount": "9",
            "model": f"{self.word}-model", "provider": f"{self.word}-provider",
        }  # fmt: skip
        until = (datetime.now(UTC) + timedelta(days=2)).isoformat()
        raised = {"limit": "0.5", "until": until, "reason": f"{self.word}-reason"}
        budget = self._made("budgets/", {"per": "subject", "limit": "0.50"})
        self._made(f"budgets/{budget}/raises/", raised)
        policy = {"daily_limit": 5, "currency": "USD"}
        answer = self.key.put("/api/v1/policies/organization/", policy, "json")
        assert answer.status_code == 200, answer.content
        reservation = self._made("reservations/", call)
        count_tallies()
        channel = {"name": self.word, "kind": "email", "target": f"ops@{self.word}.example"}
        (decision,) = self.key.get("/api/v1/decisions/").json()["results"]
        alert = self.key.get("/api/v1/alerts/").json()["results"][0]
        return {
            "budget_id": budget, "reservation_id": reservation, "decision_id": str(decision["id"]),
            "alert_id": str(alert["id"]), "channel_id": self._made("channels/", channel),
        }  # fmt: skip

    def _reconcile(self) -> str:
        """What a provider billed on one day, compared with what was recorded then."""
        source = source_of(self.word, name=f"{self.word}-bill", providers=[f"{self.word}-provider"])
        bill_days(source, FIRST, FIRST)
        bill(
            source,
            FIRST.day,
            {"input_tokens": "1.50"},
            model=f"{self.word}-model",
            project=f"{self.word}-project",
            input_tokens=500_000,
        )
        return str(reconcile(source, FIRST, FIRST).pk)

    def _made(self, path: str, body: dict[str, Any]) -> str:
        answer = self.key.post(f"/api/v1/{path}", body, "json")
        assert answer.status_code == 201, answer.content
        return str(answer.json()["id"])

    def _event(self, now: datetime, number: int) -> dict[str, Any]:
        names = {
            name: f"{self.word}-{name}"
            for name in ("project", "subject", "team", "session_id", "run_id", "action",
                         "operation", "agent_type", "run_trigger", "provider")
        }  # fmt: skip
        # Half of them have no price; one was billed though it failed, outside of any run.
        known, failed = number % 2 == 0, number == 2
        return names | {
            "event_id": f"{self.word}-event_id" + (f"-{number}" if number else ""),
            "occurred_at": (now - timedelta(days=number, minutes=1)).isoformat(),
            "model": f"{self.word}-model" + ("" if known else "-unknown"),
            "status": "error" if failed else "success",
            "run_id": None if failed else names["run_id"],
            "input_tokens": 1000 * (number + 1),
            "tags": {f"{self.word}-tag": f"{self.word}-value"},
        }

    def _assign(self) -> None:
        organization = Organization.objects.get(slug=self.word)
        centre = CostCentre.objects.create(
            organization=organization, code=f"{self.word}-code", name=f"{self.word}-centre"
        )
        CostCentreAssignment.objects.create(
            project=Project.objects.get(organization=organization),
            cost_centre=centre,
            from_month=date(2020, 1, 1),
        )


def signed_in(name: str, **fields: Any) -> APIClient:
    user = staff(name)
    for attribute, value in fields.items():
        setattr(user, attribute, value)
    user.save()
    client = APIClient()
    client.force_login(user)
    return client
