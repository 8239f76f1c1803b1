import random
from collections import Counter
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from budgets import book
from budgets.models import Budget, Decision, Reservation
from budgets.replay.history import replay_history
from budgets.reservations.ending import expire_due
from budgets.setting import Actor, Level, grant_raise, save_budget, switch_off
from tests.config.site_data import OPUS, UNKNOWN
from tests.databases import load_prices_if_there_are_none
from usage.ingest import identities
from usage.keys import create_key
from usage.models import Organization, UsageEvent

ACTOR = Actor(None, "the test")
PEOPLE, PROJECTS = ("ann", "bob", None), ("web", "api", None)
MODELS = (OPUS, OPUS, OPUS, UNKNOWN)


def set_budgets() -> list[Budget]:
    acme = Organization.objects.get(slug="acme")
    wanted: list[dict[str, Any]] = [
        {"limit": 9, "enforcement": "hard"},
        {"limit": 4, "enforcement": "hard", "period": "day", "per": "subject"},
        {"limit": 3, "period": "day", "model": OPUS},
        {"limit": 1_500_000, "measure": "tokens", "enforcement": "hard", "period": "week"},
        {"limit": 40, "measure": "requests", "period": "month", "per": "project"},
        {"limit": 12, "enforcement": "hard", "period": "total", "unpriced": "allow"},
    ]
    return [
        save_budget(
            Budget(organization=acme, **{**fields, "limit": Decimal(fields["limit"])}),
            [Level(Decimal(60)), Level(Decimal(90))],
            ACTOR,
        )
        for fields in wanted
    ]


class Life:
    """Requests at random, one after the other, through the interface that callers use."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        _, secret = create_key("acme", ("ingest", "read", "check", "manage"), "all")
        self.client = APIClient(headers={"Authorization": f"Bearer {secret}"})
        self.budgets = set_budgets()
        self.open: list[str] = []
        self.events: list[str] = []
        self.done: Counter[str] = Counter()

    def live(self, steps: int) -> None:
        ways = (
            (self.reserve, 9), (self.check, 5), (self.settle, 5), (self.release, 2),
            (self.send, 4), (self.correct, 2), (self.run_out, 3), (self.expire, 1),
            (self.change_limit, 1), (self.raise_limit, 1),
        )  # fmt: skip
        for way in self.random.choices(
            [way for way, _ in ways], [weight for _, weight in ways], k=steps
        ):
            way()

    def call(self) -> dict[str, Any]:
        names = {"project": self.random.choice(PROJECTS), "subject": self.random.choice(PEOPLE)}
        return {
            "provider": "anthropic", "model": self.random.choice(MODELS),
            **{name: value for name, value in names.items() if value},
        }  # fmt: skip

    def question(self) -> dict[str, Any]:
        tokens = self.random.choice((1_000, 40_000, 100_000, 200_000))
        said = {**self.call(), "input_tokens": tokens}
        if self.random.random() < 0.2:
            said["amount"] = str(Decimal(self.random.randint(0, 200)) / 100)
        return said

    def post(self, path: str, body: Any) -> Any:
        answer = self.client.post(f"/api/v1/{path}", body, "json")
        assert answer.status_code < 500, answer.content
        self.done[f"{path.split('/')[0]} {answer.status_code}"] += 1
        return answer

    def reserve(self) -> None:
        on_expiry = self.random.choice(("release", "settle"))
        answer = self.post("reservations/", {**self.question(), "on_expiry": on_expiry})
        if answer.status_code == 201:
            self.open.append(answer.json()["id"])

    def check(self) -> None:
        self.post("budgets/check/", self.question())

    def taken(self) -> str | None:
        if not self.open:
            return None
        return self.open.pop(self.random.randrange(len(self.open)))

    def settle(self) -> None:
        if pk := self.taken():
            tokens = self.random.choice((500, 60_000, 150_000, 300_000))
            body = {} if self.random.random() < 0.3 else {"input_tokens": tokens}
            answer = self.post(f"reservations/{pk}/settle/", body)
            if self.random.random() < 0.3 or not body:
                self.open.append(pk)
            assert answer.status_code in (200, 409)

    def release(self) -> None:
        if pk := self.taken():
            self.post(f"reservations/{pk}/release/", {})

    def run_out(self) -> None:
        if self.open:
            pk = self.random.choice(self.open)
            Reservation.objects.filter(pk=pk, status="held").update(expires_at=timezone.now())

    def expire(self) -> None:
        expire_due(timezone.now())

    def event(self, **fields: Any) -> None:
        name = f"e{self.done.total()}"
        late = timedelta(hours=self.random.choice((0, 0, 0, 30, 24 * 40)))
        said = {**self.call(), "event_id": name, "input_tokens": self.random.choice((100, 50_000))}
        said["occurred_at"] = (timezone.now() - late).isoformat()
        if self.post("events/", {**said, **fields}).status_code == 200:
            self.events.append(name)

    def send(self) -> None:
        self.event()

    def correct(self) -> None:
        if self.events:
            reversal = {"input_tokens": 0} if self.random.random() < 0.5 else {}
            self.event(
                corrects=self.events.pop(self.random.randrange(len(self.events))), **reversal
            )

    def change_limit(self) -> None:
        budget = self.random.choice(self.budgets)
        budget.refresh_from_db()
        budget.limit = Decimal(
            self.random.choice((2, 12, 40)) * (10**5 if budget.measure == "tokens" else 1)
        )
        budget.unpriced = self.random.choice(("estimate", "allow", "block"))
        save_budget(budget, None, ACTOR)

    def raise_limit(self) -> None:
        until = timezone.now() + timedelta(milliseconds=self.random.choice((40, 400)))
        budget = self.random.choice(self.budgets)
        grant_raise(budget, limit=Decimal(10**7), until=until, actor=ACTOR)

    def redefine(self) -> None:
        budget = self.budgets[0]
        budget.refresh_from_db()
        budget.measure, budget.per, budget.limit = "requests", "subject", Decimal(30)
        save_budget(budget, None, ACTOR)
        switch_off(Budget.objects.get(pk=self.budgets[2].pk), ACTOR)


@pytest.mark.django_db(transaction=True)
def test_playing_real_history_against_the_real_budgets_reproduces_every_decision() -> None:
    load_prices_if_there_are_none()
    for module in (identities, book):
        module.forget()
    began = timezone.now()
    life = Life(45)
    life.live(90)
    middle = timezone.now()
    life.redefine()
    life.live(40)
    end = timezone.now()

    played = replay_history(began, end)
    assert played.differences == []
    answered = Reservation.objects.count() + Decision.objects.filter(reservation=None).count()
    assert played.same == answered > 40
    outcomes = Counter(Decision.objects.values_list("outcome", flat=True))
    assert outcomes["warn"] > 10 < outcomes["block"]
    later = replay_history(middle, end)
    assert later.differences == []
    assert 10 < later.same < played.same

    counted = UsageEvent.objects.filter(state=UsageEvent.State.COUNTED, cost__gt=0)
    first = counted.earliest("received_at")
    counted.filter(occurred_at=first.occurred_at, pk=first.pk).delete()
    assert replay_history(began, end).differences
