from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.utils import timezone

from budgets.alerts.handling import acknowledge, resolve_by_hand
from budgets.alerts.tidying import tidy_alerts
from budgets.models import Alert, Budget, BudgetWindow, Channel, Delivery, Notice
from budgets.notices.routing import route_alerts
from budgets.reservations.ending import release
from budgets.selectors.alerts import alerts_of_budget, live_alerts, seen_alerts
from budgets.setting import Actor, end_raise, grant_raise
from tests.budgets.asking import check, hold, refuse
from tests.budgets.budget_clients import CALL, Caller
from tests.budgets.crossing import alert_of, leveled, settle, told, use
from tests.budgets.spending import ACTOR, change, set_budget
from usage.models import Organization
from usage.selectors.access import EVERYTHING, NOTHING, Viewer

pytestmark = pytest.mark.django_db


def state_of(budget: Budget, level: str = "80%") -> tuple[Any, ...]:
    alert = alert_of(budget, level)
    return alert.state, alert.resolution, alert.occasion, alert.routed_at is not None


def route(minutes_ago: int) -> None:
    at = timezone.now() - timedelta(minutes=minutes_ago)
    Alert.objects.filter(routed_at=None).update(routed_at=at)


def test_what_comes_and_goes_is_told_once_an_hour() -> None:
    budget = leveled("80%")
    use(budget, "85")
    route(minutes_ago=50)
    acknowledge([alert_of(budget, "80%")], ACTOR, timezone.now())
    use(budget, "70")
    assert settle() == 1
    assert state_of(budget) == ("resolved", "spend", 1, True)
    use(budget, "86")
    assert state_of(budget) == ("acknowledged", "", 1, True)
    assert alert_of(budget, "80%").facts["used"] == "86.0000000000"

    use(budget, "70")
    settle()
    Alert.objects.update(routed_at=timezone.now() - timedelta(minutes=61))
    use(budget, "85")
    assert state_of(budget) == ("open", "", 2, False)
    assert alert_of(budget, "80%").acknowledged_at is None


def test_a_higher_level_is_told_within_the_hour() -> None:
    budget = leveled("80%")
    use(budget, "85")
    route(minutes_ago=1)
    raised = grant_raise(
        budget, limit=Decimal(200), until=timezone.now() + timedelta(days=1), actor=ACTOR
    )
    assert state_of(budget) == ("resolved", "limit", 1, True)
    use(budget, "165")
    assert state_of(budget) == ("open", "", 2, False)
    end_raise(raised, ACTOR)
    assert told(budget) == {"80%": "open", "100%": "open"}


def test_what_was_never_told_is_told_when_it_comes_back() -> None:
    budget = leveled("80%")
    for occasion in (2, 3):
        use(budget, "85")
        use(budget, "70")
        settle()
        # Over before it had its turn.
        route(minutes_ago=0)
        use(budget, "85")
        assert state_of(budget) == ("open", "", occasion, False)


def test_the_end_of_a_period_resolves_its_alerts() -> None:
    budget = leveled("80%", period="day")
    use(budget, "150")
    assert settle() == 0
    # The worker was away at midnight: nobody knows of it.
    assert settle(hours=25) == 0
    route_alerts(timezone.now())
    assert settle(hours=25) == 2
    assert told(budget) == {"80%": "window", "100%": "window"}
    assert settle(hours=25) == 0


def test_what_is_resolved_by_hand_stays_so_until_it_has_been_over() -> None:
    budget = leveled("80%", "90%")
    use(budget, "85")
    first = alert_of(budget, "80%")
    assert resolve_by_hand([first.pk], Actor(name="key ci"), timezone.now()) == ([first.pk], [])
    use(budget, "95")
    assert settle() == 0
    assert told(budget) == {"80%": "hand", "90%": "open"}
    use(budget, "10")
    assert settle() == 2
    assert told(budget) == {"80%": "spend", "90%": "spend"}
    assert alert_of(budget, "80%").handled_by == "key ci"
    use(budget, "85")
    assert told(budget) == {"80%": "open", "90%": "spend"}
    assert alert_of(budget, "80%").handled_by == ""

    resolve_by_hand([first], ACTOR, timezone.now())
    change(budget, timezone.now(), limit=Decimal(99))
    assert told(budget) == {"80%": "open", "90%": "spend"}


def test_handling_again_changes_nothing_and_the_wrong_state_is_refused() -> None:
    budget = leveled("80%")
    use(budget, "150")
    user = User.objects.create_user("vera")
    first, second = (alert.pk for alert in alerts_of_budget(budget).order_by("pk"))
    now, actor = timezone.now(), Actor(user.pk)
    assert resolve_by_hand([first], actor, now) == ([first], [])
    assert acknowledge([first, second, 10**9], actor, now) == ([second], [first, 10**9])
    assert acknowledge([second], Actor(name="another"), now + timedelta(1)) == ([second], [])
    found = Alert.objects.get(pk=second)
    assert (found.acknowledged_at, found.acknowledged_by, found.handled_by) == (now, user, "vera")
    assert resolve_by_hand([second], actor, now) == ([second], [])
    assert resolve_by_hand([first], Actor(name="another"), now + timedelta(1)) == ([first], [])
    found = Alert.objects.get(pk=first)
    assert (found.resolved_at, found.resolution, found.handled_by) == (now, "hand", "vera")
    use(budget, "0")
    settle()
    assert resolve_by_hand([first, second], actor, now) == ([], [first, second])


def test_the_first_refused_call_opens_one_alert_for_all(catalogue: None) -> None:
    budget = set_budget(timezone.now(), limit=Decimal(10))
    soft = set_budget(timezone.now(), limit=Decimal(1), enforcement="soft", name="soft")
    held = hold("8", "h")
    refuse("3", subject="ann", project="web")
    alert = Alert.objects.get(kind="blocked")
    assert (alert.budget, alert.severity, alert.state) == (budget, "critical", "open")
    window = BudgetWindow.objects.get(budget=budget)
    assert alert.key == f"{budget.pk}:0:{int(window.start.timestamp())}"
    assert alert.facts == {
        "limit": "10.0000000000", "used": "0.0000000000", "reserved": "8.0000000000",
        "asked": "3", "unpriced_events": 0, "who": "ann", "project": "web",
        "model": "claude-sonnet-4-5",
    }  # fmt: skip

    before = version_of(alert)
    check("4")
    refuse("5")
    assert version_of(alert) == before
    assert not Alert.objects.filter(kind="blocked", budget=soft).exists()

    release(held, timezone.now())
    settle()
    assert told(budget, "blocked").popitem()[1] == "over"
    check("11")
    assert Alert.objects.get(kind="blocked").occasion == 2
    change(budget, timezone.now(), limit=Decimal(11))
    assert Alert.objects.get(kind="blocked").resolution == "limit"


def version_of(alert: Alert) -> str:
    """Which version of its row is stored: another one after any write."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT ctid || ' ' || xmax FROM budgets_alert WHERE id = %s", (alert.pk,))
        return str(cursor.fetchone()[0])


def test_refused_calls_stay_handled_and_end_with_their_period_or_budget(catalogue: None) -> None:
    budget = set_budget(timezone.now(), limit=Decimal(0))
    refuse("3")
    blocked = Alert.objects.filter(kind="blocked")
    resolve_by_hand(blocked, ACTOR, timezone.now())
    refuse("3")
    assert blocked.get().resolution == "hand"
    change(budget, timezone.now(), limit=Decimal(1))
    refuse("3")
    assert (blocked.get().state, blocked.get().occasion) == ("open", 2)
    route_alerts(timezone.now())
    assert settle(hours=25) == 1
    assert blocked.get().resolution == "window"

    change(budget, timezone.now(), enabled=False)
    unpriced = set_budget(timezone.now(), name="x", limit=Decimal(9), unpriced="block")
    nothing: Any = None
    refuse(nothing, model="nobody-knows-it", input_tokens=5)
    found = Alert.objects.get(kind="blocked", budget=unpriced)
    assert (found.facts["asked"], found.facts["used"]) == (None, "0.0000000000")
    assert settle() == 0
    change(unpriced, timezone.now(), unpriced="allow")
    assert told(unpriced, "blocked").popitem()[1] == "budget"


def test_alerts_follow_what_callers_do_over_http(catalogue: None) -> None:
    caller = Caller()
    made = caller.budget(limit="1.00", thresholds=[{"percent": "40"}])
    budget = Budget.objects.get(pk=made["id"])
    call = {**CALL, "input_tokens": 100_000, "max_output_tokens": 10_000}
    for status in (201, 201, 402):
        caller.post("reservations/", call, status)
    assert told(budget) == {"40%": "open"}
    assert told(budget, "blocked").popitem()[1] == "open"
    # Each call may cost 0.45.
    caller.ask("patch", f"budgets/{budget.pk}/", {"limit": "2.50"})
    assert told(budget) == {"40%": "limit"}
    assert told(budget, "blocked").popitem()[1] == "limit"


def test_who_sees_which_alerts() -> None:
    acme, other = leveled("80%"), Organization.objects.create(slug="other", name="Other")
    use(acme, "90")
    site = Alert.objects.create(kind="system", key="rollups", severity="critical")
    elsewhere = Alert.objects.create(
        kind="unpriced", key="m", severity="info", organization=other, state="resolved",
        resolved_at=timezone.now(),
    )  # fmt: skip
    mine = Viewer(frozenset([acme.organization_id or 0]))
    theirs = Viewer(frozenset([other.pk]))
    warned = alert_of(acme, "80%")
    assert set(seen_alerts(EVERYTHING)) == {site, elsewhere, warned}
    assert list(live_alerts(EVERYTHING)) == [site, warned]
    assert list(live_alerts(EVERYTHING, severity="warning")) == [warned]
    assert list(live_alerts(EVERYTHING, kind="system")) == [site]
    assert list(seen_alerts(mine)) == list(alerts_of_budget(acme)) == [warned]
    assert list(seen_alerts(theirs)) == [elsewhere]
    assert not seen_alerts(NOTHING).exists()


def test_old_alerts_are_dropped_with_what_was_sent() -> None:
    now, keep = timezone.now(), timedelta(days=400)
    old, recent = now - timedelta(days=401), now - timedelta(days=399)
    total = leveled("80%", period="total")
    use(total, "90")
    Alert.objects.update(state="resolved", resolution="hand", resolved_at=old)
    channel = Channel.objects.create(name="ops", kind="email", target="sealed")
    for number, (at, end) in enumerate(((old, old), (recent, old), (old, recent), (old, None))):
        alert = Alert.objects.create(
            kind="threshold", key=f"k{number}", severity="info", state="resolved", resolved_at=at,
            window_start=end and end - timedelta(days=1), window_end=end,
        )  # fmt: skip
        notice = Notice.objects.create(channel=channel, kind="alert", alert=alert, due_at=at)
        Delivery.objects.create(notice=notice, started_at=at, ended_at=at, outcome="sent")
    Notice.objects.create(channel=channel, kind="test", due_at=old, ended_at=old, state="sent")
    Notice.objects.create(channel=channel, kind="digest", due_at=old, until=old)

    assert tidy_alerts(now, keep) == 2
    assert set(Alert.objects.values_list("key", flat=True)) >= {"k1", "k2"}
    assert Alert.objects.filter(budget=total).exists()
    assert not Alert.objects.filter(key__in=("k0", "k3")).exists()
    assert sorted(Notice.objects.values_list("kind", flat=True)) == ["alert", "alert", "digest"]
    assert Delivery.objects.count() == 2
