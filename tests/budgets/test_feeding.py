from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from budgets import feeding
from budgets.models import BudgetWindow, Reservation
from budgets.reservations.settling import settle, settle_at_estimate
from tests.budgets.asking import hold
from tests.budgets.spending import MODEL, caller, change, set_budget, spend, used, window_of, worth
from tests.usage.conftest import NOON
from tests.usage.repricing import applied, price
from usage.ingest import gathering
from usage.ingest.pipeline import ingest
from usage.ingest.store import store
from usage.models import EventKey, Subject, UsageEvent
from usage.rerating import finish_run, roll_back_run
from usage.rollups import roll_up

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def at_noon(catalogue: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("django.utils.timezone.now", lambda: NOON)


def test_what_cannot_be_counted_is_not_stored(monkeypatch: pytest.MonkeyPatch) -> None:
    budget = set_budget()

    def broken(*_: Any) -> str:
        raise RuntimeError("the power is out")

    with monkeypatch.context() as patched:
        patched.setattr(feeding, "_call", broken)
        with pytest.raises(RuntimeError, match="power"):
            spend("3", "e1")
    assert (UsageEvent.objects.count(), EventKey.objects.count(), used(budget)) == (0, 0, 0)
    spend("3", "e1")
    assert used(budget) == 3


def test_windows_count_each_event_once_in_every_measure_and_share(
    django_assert_num_queries: Any,
) -> None:
    cost, tokens = set_budget(name="cost"), set_budget(name="tokens", measure="tokens")
    shares = set_budget(name="each", per="subject", measure="requests", period="month")
    yesterday = NOON - timedelta(days=1)
    batch = [
        worth("3", "a", subject="ann"),
        worth("1.5", "b", subject="bob", project="api"),
        worth("6", "c", subject="ann"),
        worth("6", "before", yesterday, subject="ann"),
        worth("0", "d", subject="ann", model="quux-9"),
        worth("0", "nobody", subject=None),
    ]
    ingest(batch, caller(), now=NOON)
    ingest(batch, caller(), now=NOON)
    assert (used(cost), used(tokens)) == (Decimal("10.5"), 10_500_000)
    row = window_of(cost)
    assert (row.spent, row.overage, row.unpriced_events) == (10, Decimal("0.5"), 1)
    names = dict(Subject.objects.values_list("pk", "key"))
    windows = BudgetWindow.objects.filter(budget=shares)
    assert {names[w.member]: w.spent for w in windows} == {"ann": 4, "bob": 1}
    # Yesterday's window of a budget made today is history.
    assert not BudgetWindow.objects.filter(budget=cost, start__lt=NOON.replace(hour=0)).exists()


def test_corrections_move_what_they_replace() -> None:
    tomorrow = NOON + timedelta(days=1)
    web, whole = set_budget(limit=None, period="week"), set_budget(name="day")
    spend("6", "a")
    spend("3", "b", tomorrow)
    spend("1.5", "a2", corrects="a")
    assert (used(web), used(whole)) == (Decimal("4.5"), Decimal("1.5"))
    nothing = worth("0", "b2", tomorrow, corrects="b")
    ingest([nothing], caller(), now=tomorrow)
    assert (used(web), used(whole, tomorrow), used(whole)) == (Decimal("1.5"), 0, Decimal("1.5"))
    spend("12", "c")
    assert window_of(whole).overage == Decimal("3.5")
    spend("0.3", "c2", corrects="c")
    assert (window_of(whole).spent, window_of(whole).overage) == (Decimal("1.8"), 0)


def test_re_rating_and_its_undoing_move_windows() -> None:
    budget = set_budget()
    spend("3", "a")
    ingest([worth("3", "new", model="quux-9")], caller(), now=NOON)
    assert (used(budget), window_of(budget).unpriced_events) == (3, 1)
    roll_up(wait=True)
    price("3", model="quux-9")
    run = applied()
    row = window_of(budget)
    assert (row.spent, row.overage, row.unpriced_events) == (10, 2, 0)
    finish_run(roll_back_run(run))
    assert (used(budget), window_of(budget).unpriced_events) == (3, 1)


def test_a_budget_that_is_switched_off_counts_nothing_and_is_exact_when_it_is_on_again() -> None:
    budget = set_budget()
    spend("3", "a")
    held = hold("1.5", "kept", NOON, model=MODEL)
    change(budget, enabled=False)
    spend("1.5", "b")
    hold("0.75", "later", NOON)
    assert used(budget) == 3
    settle(held, {"input_tokens": 750_000}, NOON, api_key_id=None)
    roll_up(wait=True)
    spend("0.3", "c")
    change(budget, enabled=True)
    assert (used(budget), window_of(budget).reserved) == (Decimal("5.55"), Decimal("0.75"))


@pytest.mark.parametrize("rolled_up", [False, True])
def test_a_window_that_opens_counts_what_was_there_and_what_opens_it(*, rolled_up: bool) -> None:
    spend("3", "a")
    if rolled_up:
        roll_up(wait=True)
    spend("1.5", "b")
    budget = set_budget(per="project")
    BudgetWindow.objects.all().delete()
    ingest([worth("6", "c"), worth("0.3", "d", project="api")], caller(), now=NOON)
    rows = BudgetWindow.objects.filter(budget=budget).order_by("member")
    assert [row.spent + row.overage for row in rows] == [Decimal("10.5"), Decimal("0.3")]


@pytest.mark.parametrize("told_first", [False, True])
def test_an_estimate_and_what_is_told_meanwhile_never_both_count(
    monkeypatch: pytest.MonkeyPatch, *, told_first: bool
) -> None:
    budget = set_budget()
    # The amount wins over what the tokens come to, until the call is settled.
    held = hold("2", "k", NOON, model=MODEL, input_tokens=100_000, on_expiry="settle")
    twin = Reservation.objects.get(pk=held.pk)

    def tell(row: Reservation) -> None:
        settle(row, {"input_tokens": 1_500_000}, NOON, api_key_id=None)

    def estimate(row: Reservation) -> None:
        settle_at_estimate(row, NOON, api_key_id=None)

    first, second = (tell, estimate) if told_first else (estimate, tell)
    waiting = [twin]

    def overtaken(*arguments: Any, **named: Any) -> Any:
        while waiting:
            first(waiting.pop())
        return store(*arguments, **named)

    # Both were offered while the reservation was still held.
    monkeypatch.setattr(gathering, "store", overtaken)
    second(held)
    held.refresh_from_db()
    assert (held.status, held.is_estimated, held.cost) == ("settled", False, Decimal("1.5"))
    assert (used(budget), window_of(budget).reserved) == (Decimal("1.5"), 0)
