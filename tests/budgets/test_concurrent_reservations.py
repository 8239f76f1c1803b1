import random
import threading
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.models import F, Sum
from django.utils import timezone

from budgets.counting import recount
from budgets.models import Budget, BudgetWindow, Hold, Reservation
from budgets.reservations.ending import expire_due, release
from budgets.reservations.holding import Denied
from budgets.reservations.settling import settle, settle_at_estimate
from budgets.setting import save_budget
from tests.budgets.asking import hold
from tests.budgets.spending import ACTOR, MODEL, caller, change, set_budget, worth
from usage.ingest.pipeline import ingest
from usage.models import UsageEvent

pytestmark = pytest.mark.django_db(transaction=True)


def together(count: int, work: Callable[[int], None]) -> None:
    """Run it in threads that begin at once; raise what any of them raised."""
    start, failures = threading.Barrier(count), []

    def run(number: int) -> None:
        try:
            start.wait()
            work(number)
        except BaseException as error:  # noqa: BLE001 - told below, by the thread that waits
            failures.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads)
    if failures:
        raise failures[0]


def figures() -> dict[int, tuple[Decimal, Decimal, Decimal]]:
    rows = BudgetWindow.objects.filter(start__gte=F("budget__counts_since"), budget__enabled=True)
    return {row.pk: (row.spent, row.reserved, row.overage) for row in rows}


def assert_exact() -> None:
    """What windows say is what they would say if they were counted anew."""
    said = figures()
    with transaction.atomic():
        recount(list(said))
    assert figures() == said


def test_threads_that_first_use_a_window_together_count_each_event_once(catalogue: None) -> None:
    now = timezone.now()
    set_budget(now, name="whole", limit=Decimal(3))
    set_budget(now, name="each", per="subject", limit=Decimal(1))
    BudgetWindow.objects.all().delete()

    def work(number: int) -> None:
        events = [worth("0.05", f"{number}-{n}", now, subject=f"s{n}") for n in range(5)]
        if number % 2:
            ingest(events, caller())
        else:
            for event in reversed(events):
                ingest([event], caller())

    together(16, work)
    whole: Any = BudgetWindow.objects.get(budget__name="whole")
    assert (whole.spent, whole.overage) == (3, 1)
    shares: Any = BudgetWindow.objects.filter(budget__name="each")
    assert [(row.spent, row.overage) for row in shares] == [(Decimal("0.8"), 0)] * 5
    assert_exact()


def test_whatever_happens_at_once_hard_windows_hold_and_nothing_deadlocks(
    catalogue: None,
) -> None:
    now = timezone.now()
    budgets = [
        set_budget(now, name="day", limit=Decimal(2)),
        set_budget(now, name="month", period="month", limit=Decimal("2.2")),
        set_budget(now, name="each", per="subject", limit=Decimal("0.7")),
        set_budget(now, name="soft", enforcement="soft", measure="tokens"),
    ]

    def work(number: int) -> None:
        chance = random.Random(number)
        for turn in range(8):
            name = f"{number}-{turn}"
            if number == 0:
                redefine(budgets, turn, chance)
            elif number == 1:
                expire_due(timezone.now())
            elif chance.random() < 0.3:
                subjects = [f"s{chance.randrange(4)}" for _ in range(4)]
                ingest([worth("0.01", f"{name}-{s}", now, subject=s) for s in subjects], caller())
            else:
                reserve_and_end(name, chance)

    together(10, work)
    assert_exact()
    hard = BudgetWindow.objects.filter(is_hard=True, is_overcommitted=False, limit__isnull=False)
    assert not hard.filter(limit__lt=F("spent") + F("reserved")).exists()
    held = Reservation.objects.filter(status="held").values_list("pk", flat=True)
    assert set(Hold.objects.values_list("reservation", flat=True)) <= set(held)
    for row in Reservation.objects.filter(status="held"):
        release(row, timezone.now())
    assert BudgetWindow.objects.aggregate(left=Sum("reserved"))["left"] == 0


def redefine(budgets: list[Budget], turn: int, chance: random.Random) -> None:
    now = timezone.now()
    change(budgets[turn % 4], now, limit=Decimal(chance.choice((1, 2, 3))))
    change(budgets[1], now, period=("month", "week")[turn % 2])
    change(budgets[2], now, enabled=bool(turn % 3))
    extra = Budget(organization=budgets[0].organization, name=f"extra {turn}", period="year")
    save_budget(extra, None, ACTOR, now=now)


def reserve_and_end(name: str, chance: random.Random) -> None:
    said: dict[str, Any] = {"model": MODEL, "project": "web", "subject": f"s{chance.randrange(4)}"}
    try:
        row = hold(str(chance.randrange(1, 9) / 100), name, **said)
    except Denied:
        return
    now, end = timezone.now(), chance.random()
    if end < 0.3:
        release(row, now)
    elif end < 0.9:
        settle(row, {"input_tokens": chance.randrange(1, 120_000)}, now, api_key_id=None)


def test_an_estimate_and_what_is_told_at_the_same_moment_count_once(catalogue: None) -> None:
    set_budget(timezone.now(), limit=None)
    said: dict[str, Any] = {
        "model": MODEL,
        "project": "web",
        "subject": "ann",
        "input_tokens": 1000,
    }
    held = [hold("0.5", f"k{n}", on_expiry="settle", **said) for n in range(8)]

    def work(number: int) -> None:
        for row in held:
            twin = Reservation.objects.get(pk=row.pk)
            if number % 2:
                settle(twin, {"input_tokens": 2000}, timezone.now(), api_key_id=None)
            else:
                settle_at_estimate(twin, timezone.now(), api_key_id=None)

    together(4, work)
    counted = UsageEvent.objects.filter(state=UsageEvent.State.COUNTED)
    assert [row.input_tokens for row in counted] == [2000] * 8
    assert_exact()
