from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule, run_state_machine_as_test

from budgets.alerts.resolving import settle_alerts
from budgets.checking import check_call
from budgets.models import Budget
from budgets.opening import roll_over
from budgets.reservations.ending import WrongState, expire_due, extend, release
from budgets.reservations.holding import Denied, reserve
from budgets.reservations.settling import settle
from budgets.setting import grant_raise, refresh_limits
from tests.budgets.books_driver import (
    ACTOR,
    BEGIN,
    KNOWN,
    PRICE,
    PROJECTS,
    SUBJECTS,
    UNKNOWN,
    BudgetsDriver,
    pick,
)
from tests.budgets.simple_books import Held, Limits, Raised, Used, Who
from tests.usage.repricing import price
from usage.models import Subject
from usage.rerating import apply_run, finish_run, plan_run, request_run
from usage.rollups import roll_up

people = st.builds(
    Who,
    organization=st.sampled_from(["acme", "acme", "other"]),
    project=st.sampled_from([*PROJECTS, None]),
    subject=st.sampled_from([*SUBJECTS, None]),
    model=st.sampled_from([KNOWN, KNOWN, UNKNOWN]),
)
priced_people = people.map(lambda who: replace(who, model=KNOWN))
tokens = st.integers(1, 6).map(lambda n: n * 1000)
# In thousands of tokens, as costs or requests a hundredth and a thousandth of that.
levels = st.sampled_from([None, 0, 3, 5, 10, 10, 20, 40])
scopes = st.sampled_from(
    [
        {"organization": None},
        {"organization": None, "model": KNOWN},
        {"organization": "acme"},
        {"organization": "acme", "project": "web"},
        {"organization": "acme", "subject": "ann"},
        {"organization": "acme", "project": "web", "model": KNOWN},
        {"organization": "other"},
    ]
)
pers = st.sampled_from(["", "", "subject", "project"])
measures = st.sampled_from(["cost", "cost", "tokens", "requests"])
periods = st.sampled_from(["day", "day", "week", "month", "quarter", "year", "total"])
numbers = st.integers(0, 99)


def limit_of(level: int | None, measure: str) -> Decimal | None:
    unit = {"cost": PRICE * 1000, "tokens": Decimal(1000), "requests": Decimal("0.5")}[measure]
    return None if level is None else level * unit


class BudgetsMachine(BudgetsDriver):
    """The whole life of budgets, of reservations and of the calls that they limit."""

    @rule(
        scope=scopes, per=pers, measure=measures, period=periods, level=levels,
        hard=st.sampled_from([True, True, False]),
        percent=st.sampled_from([Decimal(80), Decimal(80), Decimal(50), None]), amount=levels,
    )  # fmt: skip
    def set_budget(
        self,
        scope: dict[str, Any],
        per: str,
        measure: str,
        period: str,
        level: int | None,
        *,
        hard: bool,
        percent: Decimal | None,
        amount: int | None,
    ) -> None:
        if scope.get(per) or len(self.books.budgets) == 6:
            return
        model = Limits(
            **scope, per=per, measure=measure, period=period, limit=limit_of(level, measure),
            hard=hard, percent=percent, amount=limit_of(amount, measure),
        )  # fmt: skip
        row = self.put(Budget(name=f"budget {self.next_number()}"), model)
        self.books.budgets[row.pk] = model

    @precondition(lambda self: self.books.budgets)
    @rule(
        number=numbers, what=st.sampled_from(["limit", "hard", "scope", "period", "enabled"]),
        level=levels, scope=scopes, period=periods,
    )  # fmt: skip
    def change_budget(
        self, number: int, what: str, level: int | None, scope: dict[str, Any], period: str
    ) -> None:
        pk = pick(list(self.books.budgets), number)
        model = self.books.budgets[pk]
        if what == "scope" and scope.get(model.per):
            return
        if what == "scope" and scope["organization"] != model.organization:
            return
        changed: dict[str, dict[str, Any]] = {
            "limit": {"limit": limit_of(level, model.measure)},
            "hard": {"hard": not model.hard},
            "scope": {"project": None, "subject": None, "model": "", **scope},
            "period": {"period": period},
            "enabled": {"enabled": not model.enabled},
        }
        changes = changed[what]
        renewed = any(
            getattr(model, name) != value for name, value in changes.items()
        ) and what in ("scope", "period", "enabled")
        for name, value in changes.items():
            setattr(model, name, value)
        self.put(Budget.objects.get(pk=pk), model, renewed=renewed and model.enabled)

    @precondition(lambda self: any(b.enabled for b in self.books.budgets.values()))
    @rule(
        number=numbers,
        level=levels,
        hours=st.integers(1, 60),
        member=st.sampled_from([None, "ann"]),
    )
    def raise_limit(self, number: int, level: int | None, hours: int, member: str | None) -> None:
        pk = pick([pk for pk, b in self.books.budgets.items() if b.enabled], number)
        model = self.books.budgets[pk]
        if member and (model.per != "subject" or model.organization is None):
            member = None
        until = self.now + timedelta(hours=hours)
        limit = limit_of(level, model.measure)
        row = Budget.objects.get(pk=pk)
        subject = member and Subject.objects.get(organization=row.organization, key=member).pk
        whose = (str(model.organization), member) if member else None
        made = grant_raise(
            row, limit=limit, until=until, member=subject or 0, actor=ACTOR, now=self.now
        )
        model.raises.append(Raised(made.pk, whose, limit, self.now, until))

    @rule(who=people, tokens=tokens, hours=st.sampled_from([0, 0, 0, 1, 30, 300]))
    def use(self, who: Who, tokens: int, hours: int) -> None:
        name, at = f"e{self.next_number()}", self.now - timedelta(hours=hours)
        self.take_in(self.event(name, who, at, tokens), who)
        self.books.calls[name] = Used(who, at, tokens, self.cost(who, tokens))

    @precondition(lambda self: self.correctable())
    @rule(number=numbers, tokens=st.integers(0, 6).map(lambda n: n * 1000), who=people)
    def correct(self, number: int, tokens: int, who: Who) -> None:
        former = pick(self.correctable(), number)
        name, call = f"c{self.next_number()}", self.books.calls[former]
        who = replace(who, organization=call.who.organization)
        self.take_in(self.event(name, who, call.at, tokens, former), who)
        call.counts = False
        if tokens:
            self.books.calls[name] = Used(who, call.at, tokens, self.cost(who, tokens))

    @rule(who=priced_people, tokens=tokens)
    def check(self, who: Who, tokens: int) -> None:
        cost = PRICE * tokens
        expected = self.books.answers(who, tokens, cost, self.now)
        found = check_call(self.ask(who, tokens, known_only=True), self.now)
        self.compare(found, expected)

    @rule(
        who=priced_people, tokens=tokens, minutes=st.sampled_from([1, 60, 600]),
        settles=st.booleans(),
    )  # fmt: skip
    def reserve(self, who: Who, tokens: int, minutes: int, *, settles: bool) -> None:
        terms = {
            "ttl_seconds": minutes * 60,
            "on_expiry": "settle" if settles else "release",
            "reservation_key": f"k{self.next_number()}",
        }
        cost = PRICE * tokens
        expected = self.books.answers(who, tokens, cost, self.now)
        if any(word == "block" for word, _ in expected.values()):
            self.books.expire(self.now, who.organization)
            expected = self.books.answers(who, tokens, cost, self.now)
        ask = self.ask(who, tokens, known_only=False, **terms)
        try:
            found = reserve(ask, self.now)
        except Denied as denied:
            self.compare(denied.verdict, expected)
            return
        assert found.verdict is not None
        self.compare(found.verdict, expected)
        until = self.now + timedelta(minutes=minutes)
        key = str(found.reservation.pk)
        self.books.held[key] = Held(who, self.now, until, tokens, cost, settles)
        assert str(reserve(ask, self.now).reservation.pk) == key

    @precondition(lambda self: self.books.held)
    @rule(number=numbers, tokens=tokens)
    def settle(self, number: int, tokens: int) -> None:
        key = pick(list(self.books.held), number)
        held = self.books.held[key]
        found = settle(self.row(key), {"input_tokens": tokens}, self.now, api_key_id=None)
        status = found.report.results[0].status
        if held.status == "released":
            assert status == "conflict"
        elif held.settled_tokens is not None:
            assert status == ("duplicate" if tokens == held.settled_tokens else "conflict")
        else:
            assert status == "accepted", found.report
            if held.estimate:
                self.books.calls[held.estimate].counts = False
            held.status, held.settled_tokens, held.estimate = "settled", tokens, None
            cost = self.cost(held.who, tokens)
            self.books.calls[f"settled {key}"] = Used(held.who, held.at, tokens, cost)

    @precondition(lambda self: self.books.held)
    @rule(number=numbers, lets_go=st.booleans())
    def release_or_extend(self, number: int, *, lets_go: bool) -> None:
        key = pick(list(self.books.held), number)
        held, ttl = self.books.held[key], timedelta(hours=5)
        refused = held.status == "settled" if lets_go else held.status != "held"
        try:
            row = self.row(key)
            release(row, self.now) if lets_go else extend(row, ttl, self.now)
        except WrongState:
            assert refused
            return
        assert not refused
        if lets_go and held.status == "held":
            held.status = "released"
        elif not lets_go:
            held.expires = max(held.expires, self.now + ttl)

    @rule(minutes=st.sampled_from([1, 10, 60, 60, 600, 3000, 20_000]))
    def wait(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)

    @rule()
    def beat(self) -> None:
        roll_over(self.now)
        refresh_limits(self.now)
        expire_due(self.now)
        self.books.expire(self.now)
        roll_up(wait=True)
        settle_alerts(self.now)
        self.is_settled = True

    @precondition(lambda self: not self.is_repriced and self.unpriced())
    @rule()
    def price_the_unknown(self) -> None:
        self.is_repriced = True
        price("3", model=UNKNOWN)
        start, end = BEGIN - timedelta(days=99), self.now + timedelta(days=1)
        run = finish_run(apply_run(plan_run(request_run(start=start, end=end))))
        assert run.status == run.Status.APPLIED, run.error
        for call in self.books.calls.values():
            call.cost = PRICE * call.tokens

    def correctable(self) -> list[str]:
        # Those that settle may be corrected as well; they are left to settling.
        return [
            name
            for name, call in self.books.calls.items()
            if call.counts and name[0] in "ec" and name[1:].isdigit()
        ]

    def unpriced(self) -> bool:
        return any(call.counts and call.cost is None for call in self.books.calls.values())


@pytest.mark.django_db
def test_budgets_do_what_the_simplest_books_do(catalogue: None) -> None:
    run_state_machine_as_test(
        BudgetsMachine,
        settings=settings(
            max_examples=8,
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
