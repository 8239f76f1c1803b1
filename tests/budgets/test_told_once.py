from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from ipaddress import ip_network
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings

from budgets import tasks
from budgets.alerts.keeping import Finding, keep
from budgets.channels import email
from budgets.models import Alert, Budget, BudgetWindow, Channel, Notice
from budgets.notices import advising, composing
from budgets.notices.advising import Adviser
from budgets.notices.figures import read_figures
from budgets.notices.routing import route_alerts
from budgets.notices.sending import LEASE, send_due
from tests.budgets.channels.making import channel, organization
from tests.budgets.channels.sink import Answer, Sink, http_sink
from tests.budgets.crossing import alert_of, leveled, settle, use
from tests.budgets.test_routing import alert, sent

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 18, 12, 0, tzinfo=UTC)
SECOND, HOUR, DAY = timedelta(seconds=1), timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def sink(settings: Settings) -> Iterator[Sink]:
    settings.TALLYMAN_ALLOWED_NETWORKS = (ip_network("127.0.0.0/8"),)
    with http_sink() as running:
        yield running


def titles(**which: Any) -> list[str]:
    rows = Notice.objects.filter(**which).order_by("created_at", "pk")
    return [notice.content["title"] for notice in rows]


def past_days(budget: Budget, *used: str) -> datetime:
    """Windows of days that are over, oldest first, in which so much arrives now."""
    today = BudgetWindow.objects.get(budget=budget).start
    for number, spent in enumerate(used):
        start = today - (len(used) - number) * DAY
        row = BudgetWindow.objects.create(
            budget=budget, member=0, start=start, end=start + DAY, is_hard=False, limit=budget.limit
        )
        BudgetWindow.objects.filter(pk=row.pk).update(spent=Decimal(spent))
    return today


def test_levels_of_many_past_windows_are_told_as_one() -> None:
    channel()
    budget = leveled("80%", period="day")
    today = past_days(budget, "90", "120", "85", "10", "99", "85", "85", "85")
    BudgetWindow.objects.filter(budget=budget, start=today).update(spent=Decimal(90))
    assert route_alerts(timezone.now()) == 9
    present, past = Notice.objects.order_by("alert__window_start").reverse()
    assert present.alert is not None
    assert past.alert is not None
    assert present.alert.window_start == today
    # The gravest, though others are later.
    assert (past.alert.window_start, past.content["severity"]) == (today - 7 * DAY, "critical")
    assert "6 other periods reached levels, too: " in past.content["summary"]
    assert past.content["summary"].count("2026") >= 6
    assert "and 1 more." in past.content["summary"]
    levels = [line["value"] for line in past.content["lines"] if line["label"] == "Level reached"]
    assert levels == ["100 %, and 80 %"]
    assert "other period" not in present.content["summary"]


def test_what_was_over_before_it_was_routed_is_told_when_it_is_back() -> None:
    channel()
    finding = Finding("a", "warning", {}, organization().pk)
    for minute, found, told in (
        (0, [finding], 0), (1, [], 0), (3, [finding], 1), (4, [], 1), (5, [finding], 1),
    ):  # fmt: skip
        at = NOW + minute * timedelta(minutes=1)
        keep(Alert.Kind.STALE, found, at)
        if minute:
            route_alerts(at + SECOND)
        assert Notice.objects.filter(kind="alert").count() == told


def test_what_ended_while_a_long_run_went_on_was_not_told() -> None:
    channel()
    budget = leveled("80%")
    use(budget, "90")
    use(budget, "0")
    began = timezone.now()
    settle()
    # This run began before.
    assert route_alerts(began) == 1
    assert Notice.objects.count() == 0
    use(budget, "90")
    assert route_alerts(timezone.now()) == 1
    assert Notice.objects.count() == 1


def test_who_was_told_the_end_is_told_that_it_is_back() -> None:
    channel(tells_resolved=True)
    budget = leveled("80%", limit=Decimal(100))
    for turn in (1, 2):
        use(budget, "90")
        route_alerts(timezone.now())
        sent()
        use(budget, "0")
        settle()
        Alert.objects.update(resolution="limit")
        route_alerts(timezone.now())
        sent()
        kinds = Notice.objects.order_by("created_at").values_list("kind", "occasion")
        assert list(kinds)[-2:] == [("alert", turn), ("resolved", turn)]
    assert alert_of(budget, "80%").occasion == 2


def test_the_end_is_not_told_while_it_is_so_again(sink: Sink) -> None:
    to = channel(target=sink.url, tells_resolved=True)
    row = alert()
    late = Notice.objects.create(channel=to, kind="resolved", alert=row, due_at=NOW)
    Alert.objects.update(routed_at=NOW)
    send_due(NOW)
    late.refresh_from_db()
    assert (late.state, sink.requests) == ("dropped", [])


def test_an_alert_of_a_budget_that_has_moved_is_news_for_the_other_organization() -> None:
    budget = leveled("80%")
    use(budget, "90")
    route_alerts(timezone.now())
    use(budget, "0")
    settle()
    Budget.objects.filter(pk=budget.pk).update(organization=organization("zeta"))
    use(budget, "90")
    row = alert_of(budget, "80%")
    assert (row.organization, row.occasion, row.routed_at) == (organization("zeta"), 2, None)


def test_a_digest_that_cannot_be_written_holds_up_nothing(
    monkeypatch: pytest.MonkeyPatch, sink: Sink
) -> None:
    def broken(*_: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(composing, "digest_message", broken)
    channel(target=sink.url, digest="daily")
    Channel.objects.update(created_at=NOW - 2 * DAY)
    alert()
    for _ in range(2):
        tasks.send_notices()
    assert titles(state="sent", kind="digest") == ["Digest for ops"]
    assert len(sink.ids()) == 2


def test_a_way_that_cannot_be_opened_makes_no_other_send_twice(
    monkeypatch: pytest.MonkeyPatch, sink: Sink
) -> None:
    def broken() -> None:
        raise UnicodeError

    monkeypatch.setattr(email, "get_connection", broken)
    channel(target=sink.url)
    channel("mail", "email")
    alert()
    route_alerts(NOW)
    for seconds in (0, 61):
        send_due(NOW + seconds * SECOND)
    assert list(sink.ids().values()) == [1]
    mail = Notice.objects.get(channel__name="mail")
    assert (mail.state, mail.attempts) == ("waiting", 2)


def test_all_that_waits_for_a_channel_is_given_up_with_it(sink: Sink) -> None:
    channel(target=sink.url)
    rows = [alert() for _ in range(5)]
    fresh = alert()
    sink.answer = lambda _: Answer(503)
    route_alerts(NOW)
    Notice.objects.filter(alert=fresh).update(created_at=NOW + 20 * HOUR)
    send_due(NOW)
    Notice.objects.update(due_at=NOW + 25 * HOUR)
    send_due(NOW + 25 * HOUR)
    lost = Notice.objects.filter(state="failed").values_list("alert", flat=True)
    assert set(lost) == {row.pk for row in rows}
    assert len(sink.requests) <= 3


def test_neither_tests_nor_a_clock_set_back_hold_up_what_is_due(sink: Sink) -> None:
    to = channel(target=sink.url)
    for number in range(3):
        until = NOW + (50 + number) * SECOND
        Notice.objects.create(channel=to, kind="test", due_at=NOW, lease_until=until)
    for _ in range(3):
        alert()
    route_alerts(NOW)
    ahead = Notice.objects.filter(kind="alert")
    for number, notice in enumerate(ahead[:2]):
        Notice.objects.filter(pk=notice.pk).update(lease_until=NOW + HOUR + number * LEASE)
    assert send_due(NOW) == 3


def test_a_slow_receiver_holds_up_one_run_and_not_both(sink: Sink) -> None:
    slow, swift = channel(target=sink.url), channel("swift", target=f"{sink.url}/swift")
    alert()
    route_alerts(NOW)
    Notice.objects.filter(channel=slow).update(lease_until=NOW + LEASE)
    alert()
    route_alerts(NOW)
    assert send_due(NOW) == 2
    assert Notice.objects.filter(channel=swift, state="sent").count() == 2
    assert send_due(NOW + LEASE) == 2


def test_to_be_told_soon_matters_more_than_advice(monkeypatch: pytest.MonkeyPatch) -> None:
    budget = leveled("80%")
    use(budget, "90")
    figures = read_figures(alert_of(budget, "80%"), timezone.now())
    assert figures is not None
    monkeypatch.setattr(advising, "_SECONDS", 0)
    monkeypatch.setattr(advising, "advise", None)
    monkeypatch.setattr(advising, "dearest_episodes", None)
    assert (Adviser().advice(figures), Adviser().sessions(figures)) == (None, [])
