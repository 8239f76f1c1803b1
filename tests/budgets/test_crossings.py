import threading
from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.db import Error, connection, transaction
from django.utils import timezone

from budgets.limits import in_ledger
from budgets.models import Alert, BudgetWindow
from budgets.notices.routing import route_alerts
from budgets.reservations.ending import release
from budgets.setting import save_budget
from pricing.exchange import DatedRate, set_rates
from pricing.publishing import Provenance
from tests.budgets.asking import hold
from tests.budgets.crossing import alert_of, level, leveled, settle, told, use
from tests.budgets.spending import ACTOR, change, spend
from tests.usage.repricing import price
from usage.models import Subject
from usage.organizations import change_time_zone, ensure_organization
from usage.rerating import apply_run, finish_run, plan_run, request_run

pytestmark = pytest.mark.django_db
OPEN = "open"


def alert_at(budget_id: int) -> Decimal | None:
    return BudgetWindow.objects.get(budget=budget_id).alert_at


def test_each_level_is_told_once_by_what_reaches_it(catalogue: None) -> None:
    budget = leveled("80%", "50", "120.5%")
    start = BudgetWindow.objects.get(budget=budget).start
    now = timezone.now()
    for dollars, name, reached, following in (
        ("49.9999", "a", [], 50),
        ("0.0001", "b", ["50"], 80),
        ("29", "c", ["50"], 80),
        ("41.5", "d", ["50", "80%", "100%", "120.5%"], None),
        ("1", "e", ["50", "80%", "100%", "120.5%"], None),
    ):
        spend(dollars, name, now)
        assert told(budget) == dict.fromkeys(reached, OPEN)
        assert alert_at(budget.pk) == following
    first, second = alert_of(budget, "50"), alert_of(budget, "120.5%")
    assert first.key == f"{budget.pk}:0:{int(start.timestamp())}:50"
    assert first.organization == budget.organization
    assert (first.severity, second.severity) == ("warning", "critical")
    assert alert_of(budget, "100%").severity == "critical"
    assert second.facts == {
        "level": "120.5000000000", "limit": "100.0000000000", "used": "120.5000000000",
        "reserved": "0.0000000000", "unpriced_events": 0, "late": False,
    }  # fmt: skip
    assert Alert.objects.filter(routed_at=None, occasion=1).count() == 4


@pytest.mark.parametrize(
    ("limit", "levels", "spent", "reached"),
    [
        (None, ["80%", "5"], "1000", ["5"]),
        ("0", ["80%"], "0", []),
        ("0", ["80%"], "0.0000000001", ["100%"]),
        ("100", ["0"], "0", []),
        ("100", ["0", "100%"], "0.01", ["0"]),
        ("100", ["100"], "100", ["100", "100%"]),
        # Half of the limit is 0.00000000015: the first amount beyond it reaches it.
        ("0.0000000003", ["50%"], "0.0000000001", []),
        ("0.0000000003", ["50%"], "0.0000000002", ["50%"]),
        ("3", ["33.33%"], "0.9998999999", []),
        ("3", ["33.33%"], "0.9999", ["33.33%"]),
        ("999999999999999999", ["1000%"], "999999999999999999", ["100%"]),
    ],
)
def test_levels_are_exact(
    db: None, limit: str | None, levels: list[str], spent: str, reached: list[str]
) -> None:
    budget = leveled(*levels, limit=None if limit is None else Decimal(limit))
    use(budget, spent)
    assert sorted(told(budget)) == sorted(reached)


def test_amounts_in_another_currency_are_levels_at_the_windows_rate(db: None) -> None:
    today = timezone.now()
    rate = Decimal("1.086234567891")
    set_rates([DatedRate("EUR", "USD", date(2020, 1, 1), rate)], Provenance("test"))
    budget = leveled("80%", "33333333.3333333333", currency="EUR", limit=Decimal(10**9))
    window = BudgetWindow.objects.get(budget=budget)
    amount = in_ledger(budget, Decimal("33333333.3333333333"), window.start, today)
    # 33333333.3333333333 times 1.086234567891 is 36207818.92969999996…
    assert amount == window.alert_at == Decimal("36207818.9297")
    use(budget, "36207818.9296999999")
    assert told(budget) == {}
    use(budget, "36207818.9297")
    assert told(budget) == {"33333333.3333333333": OPEN}
    assert alert_at(budget.pk) == rate * 800_000_000


def test_other_limits_and_levels_are_looked_at_at_once(db: None) -> None:
    budget = leveled("80%")
    use(budget, "85")
    change(budget, timezone.now(), limit=Decimal(200))
    assert told(budget) == {"80%": "limit"}
    assert alert_at(budget.pk) == 160

    change(budget, timezone.now(), limit=Decimal(84))
    assert told(budget) == {"80%": OPEN, "100%": OPEN}
    assert alert_of(budget, "80%").occasion == 2

    save_budget(budget, [level("101%"), level("10")], ACTOR)
    assert told(budget) == {"80%": "budget", "100%": OPEN, "101%": OPEN, "10": OPEN}
    save_budget(budget, [level("80%"), level("110%")], ACTOR)
    assert told(budget) == {"80%": OPEN, "100%": OPEN, "101%": "budget", "10": "budget"}
    assert alert_at(budget.pk) == Decimal("92.4")

    change(budget, timezone.now(), limit=None)
    assert set(told(budget).values()) == {"limit", "budget"}
    assert alert_at(budget.pk) is None


def test_what_is_held_reaches_levels_and_lets_go_of_them(catalogue: None) -> None:
    budget = leveled("80%", enforcement="hard")
    spend("60", "a", timezone.now())
    held = hold("25", "h")
    assert told(budget) == {"80%": OPEN}
    assert alert_of(budget, "80%").facts["reserved"] == "25.0000000000"

    release(held, timezone.now())
    assert settle() == 1
    assert told(budget) == {"80%": "over"}
    assert alert_at(budget.pk) == 80
    hold("40", "exactly the limit")
    assert told(budget) == {"80%": OPEN, "100%": OPEN}


def test_late_usage_tells_of_the_period_it_belongs_to(catalogue: None) -> None:
    now = timezone.now()
    then = now - timedelta(days=40)
    budget = leveled("80%", period="day", limit=Decimal(10))
    BudgetWindow.objects.filter(budget=budget).delete()
    budget.counts_since = then - timedelta(days=2)
    budget.save()
    change(budget, now, limit=Decimal(20))
    # The first opens the window of that day, the second finds it.
    spend("15", "late", then)
    assert told(budget) == {}
    spend("1", "later", then + timedelta(seconds=1))
    found = alert_of(budget, "80%")
    assert found.window_start == then.replace(hour=0, minute=0, second=0, microsecond=0)
    assert found.facts["late"] is True
    spend("30", "another day", then - timedelta(days=1))
    assert Alert.objects.filter(budget=budget, facts__late=True).count() == 3
    route_alerts(timezone.now())
    assert settle(hours=1) == 0
    assert settle(hours=24 * 7 + 1) == 3
    assert set(told(budget).values()) == {"window"}
    spend("50", "latest", then - timedelta(days=1))
    assert set(told(budget).values()) == {"window"}


def test_corrections_and_prices_move_levels_too(catalogue: None) -> None:
    now = timezone.now()
    price("1", model="quux")
    budget = leveled("80%")
    spend("81", "a", now, model="quux")
    spend("2", "b", now, model="quux", corrects="a")
    assert settle() == 1
    assert told(budget) == {"80%": "spend"}
    spend("40", "c", now, model="quux")
    price("2", model="quux")
    run = finish_run(
        apply_run(plan_run(request_run(start=now - timedelta(1), end=now + timedelta(1))))
    )
    assert run.status == run.Status.APPLIED, run.error
    assert told(budget) == {"80%": OPEN}
    assert alert_of(budget, "80%").facts["used"] == "84.0000000000"


def test_each_member_has_alerts_of_its_own(catalogue: None) -> None:
    budget = leveled("80%", per="subject", limit=Decimal(10))
    now = timezone.now()
    spend("9", "a", now, subject="ann")
    spend("7", "b", now, subject="bob")
    ann = Subject.objects.get(key="ann")
    assert [alert.member for alert in Alert.objects.filter(budget=budget)] == [ann.pk]
    spend("3", "c", now, subject="bob")
    assert Alert.objects.filter(budget=budget).count() == 3


def test_another_calendar_and_other_scopes_begin_anew(catalogue: None) -> None:
    budget = leveled("80%", limit=Decimal(10))
    now = timezone.now()
    spend("9", "a", now, project="web")
    change_time_zone(ensure_organization("acme"), "Asia/Kathmandu")
    assert sorted(Alert.objects.values_list("state", "resolution")) == [
        ("open", ""), ("resolved", "budget"),
    ]  # fmt: skip
    change(budget, now, action="chat")
    again = Alert.objects.get(state="open")
    assert (again.occasion, again.resolution) == (2, "")
    change(budget, now, model="nothing of it")
    assert not Alert.objects.exclude(state="resolved").exists()


def test_a_budget_that_is_off_tells_nothing(catalogue: None) -> None:
    budget = leveled("80%", limit=Decimal(10))
    spend("9", "a", timezone.now())
    change(budget, timezone.now(), enabled=False)
    assert told(budget) == {"80%": "budget"}
    BudgetWindow.objects.filter(budget=budget).update(spent=50)
    assert told(budget) == {"80%": "budget"}
    spend("3", "b", timezone.now())
    change(budget, timezone.now(), enabled=True)
    assert told(budget) == {"80%": OPEN, "100%": OPEN}


@pytest.mark.django_db(transaction=True)
def test_those_who_reach_a_level_together_tell_it_once(catalogue: None) -> None:
    budget = leveled("80%", "50", limit=Decimal(10**6))
    failures: list[Error] = []
    ready = threading.Barrier(5)

    def move(number: int) -> None:
        try:
            ready.wait(10)
            for turn in range(12):
                sign = (-1) ** turn
                with transaction.atomic(), connection.cursor() as cursor:
                    cursor.execute(
                        "SELECT budgets_move(array_agg(id), ARRAY[%s::numeric], ARRAY[0::bigint],"
                        " ARRAY[0::numeric]) FROM budgets_budgetwindow",
                        (sign * 60,),
                    )
                if number == 0:
                    settle()
        except Error as error:
            failures.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=move, args=(number,)) for number in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failures == []
    settle()
    window = BudgetWindow.objects.get(budget=budget)
    assert (window.spent, window.alert_at) == (Decimal(0), Decimal(50))
    assert told(budget) == {"50": "spend"}
