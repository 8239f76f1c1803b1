"""What a state machine of budgets needs: the real ones beside books kept in the simplest way."""

import json
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, TypeAlias, TypeVar
from unittest.mock import patch

from django.db import transaction
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant

from budgets import book
from budgets.asking import Ask, read_ask
from budgets.deciding import Verdict, fits
from budgets.models import Alert, Budget, BudgetWindow, Reservation
from budgets.setting import Actor, Level, save_budget
from budgets.verification import unseen_levels
from tests.budgets.simple_books import ALL, ZONES, Books, Limits, Member, Who
from tests.usage.repricing import price
from usage.ingest import identities, partitions
from usage.ingest.identities import tenant_of
from usage.ingest.pipeline import Caller, ingest
from usage.ingest.prepare import Tenancy
from usage.ingest.values import EventValue
from usage.models import Organization, Project, Subject
from usage.organizations import change_time_zone, change_week_start, ensure_organization

BEGIN = datetime(2026, 11, 20, 12, tzinfo=UTC)
PRICE = Decimal("0.000003")
PROJECTS, SUBJECTS = ("web", "api"), ("ann", "bob")
KNOWN, UNKNOWN = "quux-1", "quux-2"
ACTOR = Actor(None, "the test")

Item = TypeVar("Item")
LiveAlerts: TypeAlias = dict[tuple[str, int | None, int, datetime | None], list[Alert]]
"""By kind, budget, member and beginning of the window."""


def pick(items: list[Item], number: int) -> Item:
    return items[number % len(items)]


class BudgetsDriver(RuleBasedStateMachine):
    """Keeps `now`, the rows and the books; after every step they must say the same."""

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        self.now = BEGIN
        self.stack.enter_context(patch("django.utils.timezone.now", lambda: self.now))
        self.stack.enter_context(transaction.atomic())
        self.stack.callback(transaction.set_rollback, True)
        for module in (identities, partitions, book):
            module.forget()
            self.stack.callback(module.forget)
        self.books = Books()
        self.serial = 0
        self.is_repriced = self.is_settled = False
        self.tenancy: dict[str, Tenancy] = {}

    def teardown(self) -> None:
        self.stack.close()

    @initialize()
    def begin(self) -> None:
        price("3", model=KNOWN)
        for slug in ("acme", "other"):
            owner = ensure_organization(slug)
            change_time_zone(owner, ZONES[slug][0])
            change_week_start(owner, ZONES[slug][1])
            for name in PROJECTS:
                Project.objects.create(organization=owner, slug=name)
            for name in SUBJECTS:
                Subject.objects.create(organization=owner, key=name)
            self.tenancy[slug] = Tenancy(tenant_of(owner), {})

    def next_number(self) -> int:
        self.serial += 1
        return self.serial

    def put(self, row: Budget, model: Limits, *, renewed: bool = True) -> Budget:
        owner = Organization.objects.filter(slug=model.organization).first()
        row.organization = owner
        row.project = self._part(Project, owner, slug=model.project)
        row.subject = self._part(Subject, owner, key=model.subject)
        row.model, row.per, row.measure = model.model, model.per, model.measure
        row.period, row.limit, row.enabled = model.period, model.limit, model.enabled
        row.enforcement = "hard" if model.hard else "soft"
        chosen = [] if model.percent is None else [Level(model.percent)]
        chosen += [] if model.amount is None else [Level(amount=model.amount)]
        saved = save_budget(row, chosen, ACTOR, now=self.now)
        if renewed:
            model.counts_since = model.span(self.now)[0]
        return saved

    def _part(self, kind: Any, owner: Organization | None, **name: str | None) -> Any:
        if owner is None or None in name.values():
            return None
        return kind.objects.get(organization=owner, **name)

    def take_in(self, event: EventValue, who: Who) -> None:
        caller = Caller(self.tenancy[who.organization])
        report = ingest([event], caller, now=self.now)
        assert report.accepted == 1, report

    def event(
        self, name: str, who: Who, at: datetime, tokens: int, corrects: str | None = None
    ) -> EventValue:
        return EventValue(
            event_id=name, occurred_at=at, provider="anthropic", model=who.model,
            project=who.project, subject=who.subject, input_tokens=tokens, corrects=corrects,
        )  # fmt: skip

    def ask(self, who: Who, tokens: int, *, known_only: bool, **terms: Any) -> Ask:
        said = {"model": who.model, "provider": "anthropic", "input_tokens": tokens, **terms}
        said |= {name: getattr(who, name) for name in ("project", "subject") if getattr(who, name)}
        return read_ask(
            json.dumps(said).encode(), self.tenancy[who.organization], self.now,
            api_key_id=None, known_only=known_only,
        )  # fmt: skip

    def row(self, key: str) -> Reservation:
        return Reservation.objects.get(pk=key)

    def cost(self, who: Who, tokens: int) -> Decimal | None:
        return PRICE * tokens if who.model == KNOWN or self.is_repriced else None

    def compare(self, verdict: Verdict, expected: dict[int, tuple[str, datetime | None]]) -> None:
        found = {one.state.facts.id: (one.outcome, one.state.end) for one in verdict.tested}
        assert found == expected
        blocking = {pk for pk, (word, _) in expected.items() if word == "block"}
        blocked = Alert.objects.filter(kind="blocked").exclude(state="resolved")
        assert blocking <= set(blocked.values_list("budget", flat=True))
        words = [word for word, _ in expected.values()]
        worst = max(words, key=("allow", "warn", "block").index, default="allow")
        assert verdict.outcome == worst
        if worst == "block":
            ends = [end for word, end in expected.values() if word == "block"]
            assert verdict.retry_at == (None if None in ends else max(filter(None, ends)))

    @invariant()
    def windows_say_what_the_books_say(self) -> None:
        rows, live = Budget.objects.in_bulk(list(self.books.budgets)), self._live_alerts()
        assert unseen_levels() == {}
        for pk, model in self.books.budgets.items():
            if not model.enabled:
                continue
            assert rows[pk].counts_since == model.counts_since
            seen = set()
            for window in BudgetWindow.objects.filter(budget=pk, start__gte=model.counts_since):
                member = self.name_of(model.per, window.member)
                seen.add((member, window.start))
                self._compare_window(window, model, member)
                self._compare_levels(window, model, member, live)
            assert seen >= set(self._used_windows(model))
        self.is_settled = False

    def _compare_levels(
        self, window: BudgetWindow, model: Limits, member: Member, live: LiveAlerts
    ) -> None:
        if window.end is not None and window.end <= self.now:
            return
        alerts = live["threshold", window.budget_id, window.member, window.start]
        found = {alert.key.split(":")[-1] for alert in alerts}
        reached = self.books.reached(model, member, window.start, window.limit)
        assert found == reached if self.is_settled else found >= reached
        blocked = live["blocked", window.budget_id, window.member, window.start]
        for alert in blocked if self.is_settled else ():
            asked, used = Decimal(alert.facts["asked"]), window.spent + window.overage
            assert not fits(window.limit, used, window.reserved, asked)

    def _live_alerts(self) -> LiveAlerts:
        live: LiveAlerts = defaultdict(list)
        for alert in Alert.objects.exclude(state="resolved"):
            live[alert.kind, alert.budget_id, alert.member, alert.window_start].append(alert)
        off = {pk for pk, model in self.books.budgets.items() if not model.enabled}
        assert off.isdisjoint(budget for _, budget, _, _ in live)
        return live

    def _compare_window(self, window: BudgetWindow, model: Limits, member: Member) -> None:
        assert (window.start, window.end) == model.span(window.start)
        found = self.books.figures(model, member, window.start)
        assert (window.spent + window.overage, window.reserved, window.unpriced_events) == (
            found.used, found.reserved, found.unpriced,
        )  # fmt: skip
        limit = window.limit
        if window.end is None or window.end > self.now:
            assert window.is_hard == model.hard
            if window.limit_until is None or window.limit_until > self.now:
                assert limit == model.limit_at(member, self.now)
        if not window.is_hard or limit is None:
            assert not window.overage
            assert not window.is_overcommitted
            return
        room = max(limit - found.reserved, Decimal(0))
        assert window.spent == min(found.used, room)
        assert window.is_overcommitted == (found.reserved > limit)

    def _used_windows(self, model: Limits) -> Iterator[tuple[Member, datetime]]:
        for call in self.books.calls.values():
            start = model.span(call.at)[0]
            if call.counts and model.holds(call.who) and start >= (model.counts_since or BEGIN):
                yield model.member(call.who) or ALL, start

    def name_of(self, per: str, member: int) -> Member:
        if not per:
            return ALL
        row: Any = {"subject": Subject, "project": Project}[per]._default_manager.get(pk=member)
        return row.organization.slug, row.key if per == "subject" else row.slug
