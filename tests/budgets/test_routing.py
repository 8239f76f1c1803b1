import threading
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from itertools import count
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from pytest_django import Settings

from budgets.models import Alert, Budget, Channel, Notice
from budgets.notices import composing, routing
from budgets.notices.quiet import not_in_quiet
from budgets.notices.routing import route_alerts
from budgets.notices.scheduling import digest_span
from budgets.setting import Actor, Level, save_budget
from tests.budgets.channels.making import channel, organization

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 18, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
_numbers = count()


def alert(severity: str = "warning", *, slug: str | None = "acme", **fields: Any) -> Alert:
    said = {"kind": "stale", "key": f"key:{next(_numbers)}", "opened_at": NOW, **fields}
    owner = organization(slug) if slug else None
    return Alert.objects.create(organization=owner, severity=severity, **said)


def resolve(row: Alert, now: datetime) -> None:
    row.state, row.resolved_at, row.resolution = "resolved", now, "over"
    row.save()


def told(row: Alert, *kinds: str) -> set[str]:
    rows = Notice.objects.filter(alert=row, kind__in=kinds or ["alert"])
    return {f"{notice.channel.organization or 'site'}/{notice.channel.name}" for notice in rows}


def sent(**which: Any) -> None:
    Notice.objects.filter(state="waiting", **which).update(state="sent")


def test_alerts_go_to_the_channels_named_by_their_budget_or_else_to_the_default_ones() -> None:
    channel("ops", "email", slug=None)
    channel("spare", slug=None, is_default=False)
    channel("ops", "email", is_default=False)
    channel("team", "slack")
    channel("off", enabled=False)
    channel("ops", slug="zeta", is_default=False)
    budgets = {
        "none": [], "own": ["ops", "spare"], "off": ["off"], "gone": ["deleted"],
    }  # fmt: skip
    rows = {}
    for name, channels in budgets.items():
        budget = Budget(organization=organization(), name=name, channels=channels)
        rows[name] = alert(budget=save_budget(budget, None, Actor()))
    rows["acme"], rows["zeta"] = alert(), alert(slug="zeta")
    rows["site"] = alert(slug=None)
    assert route_alerts(NOW) == 7
    assert {name: told(row) for name, row in rows.items()} == {
        "none": {"acme/team"},
        "own": {"acme/ops", "site/spare"},
        "off": set(),
        "gone": {"acme/team"},
        "acme": {"acme/team"},
        "zeta": {"site/ops"},
        "site": {"site/ops"},
    }
    assert route_alerts(NOW) == 0
    assert not Alert.objects.filter(routed_at=None).exists()


def test_channels_choose_kinds_and_severities_and_never_hear_of_their_own_trouble() -> None:
    first = channel("all", "slack")
    channel("grave", "email", least_severity="critical")
    channel("stale", kinds=["stale", "system"])
    channel("digest", at_once=False)
    channel("ops", "email", slug=None)
    info, critical = alert("info"), alert("critical", kind="unpriced")
    own = alert(kind="system", key=f"channel:{first.pk}")
    route_alerts(NOW)
    assert told(info) == {"acme/all", "acme/stale"}
    assert told(critical) == {"acme/all", "acme/grave"}
    assert told(own) == {"acme/stale"}
    Channel.objects.exclude(name__in=["all", "ops"]).delete()
    own.occasion, own.routed_at = 2, None
    own.save()
    route_alerts(NOW)
    assert told(own) == {"site/ops"}


def crossed(*levels: str, used: str = "120") -> Budget:
    budget = save_budget(
        Budget(organization=organization(), limit=Decimal(100)),
        [Level(percent=Decimal(level)) for level in levels],
        Actor(),
    )
    budget.windows.update(spent=Decimal(used))
    return budget


def test_of_levels_crossed_at_once_the_highest_is_told_and_names_the_others() -> None:
    channel()
    budget = crossed("50", "80")
    assert route_alerts(NOW) == 3
    notice = Notice.objects.get()
    assert notice.alert is not None
    assert notice.alert.percent == 100
    assert notice.content["severity"] == "critical"
    assert notice.content["type"] == "budget.threshold_reached"
    assert "50 %" in str(notice.content)
    budget.windows.update(spent=Decimal(0))
    for row in Alert.objects.filter(percent=50):
        row.routed_at = None
        resolve(row, NOW)
    # What was over before anybody could be told of it is not told.
    assert route_alerts(NOW) == 1
    assert Notice.objects.count() == 1


def test_what_it_says_is_kept_as_it_was_and_told_even_without_figures(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    channel()

    def broken(*_: Any, **__: Any) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 / 0")

    monkeypatch.setattr(composing, "alert_message", broken)
    row = alert()
    assert route_alerts(NOW) == 1
    assert Notice.objects.get().content["title"] == str(row)


def test_quiet_hours_hold_back_all_but_what_is_critical() -> None:
    organization(time_zone="Europe/Berlin")
    channel(quiet_from=time(22), quiet_until=time(7))
    night = datetime(2026, 11, 18, 22, 30, tzinfo=UTC)
    grave, light = alert("critical"), alert()
    route_alerts(night)
    due = dict(Notice.objects.values_list("alert", "due_at"))
    assert due == {grave.pk: night, light.pk: datetime(2026, 11, 19, 6, 0, tzinfo=UTC)}


@pytest.mark.parametrize(
    ("hours", "local", "until"),
    [
        ((22, 7), "2026-10-24 23:30", "2026-10-25 07:00"),
        ((22, 7), "2026-03-28 23:30", "2026-03-29 07:00"),
        ((22, 7), "2026-11-18 06:59:59", "2026-11-18 07:00"),
        ((22, 7), "2026-11-18 07:00", None),
        ((12, 14), "2026-11-18 12:00", "2026-11-18 14:00"),
        ((12, 14), "2026-11-18 14:00", None),
        ((12, 14), "2026-11-18 23:00", None),
        ((7, 7), "2026-11-18 07:00", None),
        ((1, 3), "2026-03-29 01:30", "2026-03-29 03:00"),
        ((2, 4), "2026-10-25 02:30", "2026-10-25 04:00"),
        ((None, None), "2026-11-18 03:00", None),
    ],
)
def test_quiet_hours_are_those_of_the_clock(
    hours: tuple[int | None, int | None], local: str, until: str | None
) -> None:
    berlin = ZoneInfo("Europe/Berlin")
    organization(time_zone="Europe/Berlin")
    begin, end = (None if hour is None else time(hour) for hour in hours)
    quiet = channel(quiet_from=begin, quiet_until=end)
    for fold in (0, 1):
        at = datetime.fromisoformat(local).replace(tzinfo=berlin, fold=fold).astimezone(UTC)
        free = not_in_quiet(quiet, "warning", at)
        wanted = datetime.fromisoformat(until).replace(tzinfo=berlin) if until else at
        assert free == wanted.astimezone(UTC)
        assert not_in_quiet(quiet, "critical", at) is at


def test_an_alert_is_repeated_until_somebody_acknowledges_it() -> None:
    channel(repeat_hours=2)
    channel("once", "email")
    row = alert()
    route_alerts(NOW)
    # The one before still waits.
    route_alerts(NOW + 3 * HOUR)
    assert told(row, "repeat") == set()
    sent()
    for hours, turns in ((1.9, []), (2, [1]), (2, [1]), (3.9, [1]), (4, [1, 2])):
        route_alerts(NOW + hours * HOUR)
        sent()
        repeats = Notice.objects.filter(alert=row, kind="repeat").order_by("turn")
        assert list(repeats.values_list("turn", flat=True)) == turns
    assert told(row, "repeat") == {"acme/ops"}
    row.refresh_from_db()
    row.state, row.acknowledged_at = "acknowledged", NOW
    row.save()
    route_alerts(NOW + 9 * HOUR)
    assert Notice.objects.filter(kind="repeat").count() == 2


def test_the_end_is_told_once_to_who_was_told_and_wants_to_know() -> None:
    channel("wants", tells_resolved=True)
    channel("wants-not", "email")
    channel("was-not-told", "slack", tells_resolved=True, least_severity="critical")
    row, unseen = alert(), alert()
    route_alerts(NOW)
    sent(alert=row)
    for each in (row, unseen):
        each.refresh_from_db()
        resolve(each, NOW + HOUR)
    # It may come back within the hour, which would not be told.
    route_alerts(NOW + 1.9 * HOUR)
    assert told(row, "resolved") == set()
    for _ in range(2):
        route_alerts(NOW + 2 * HOUR)
    assert (told(row, "resolved"), told(unseen, "resolved")) == ({"acme/wants"}, set())
    # It happens again: another occasion, which is told again and ends again.
    row.occasion, row.state, row.resolved_at, row.resolution = 2, "open", None, ""
    row.routed_at = None
    row.save()
    route_alerts(NOW + 2 * HOUR)
    sent()
    resolve(row, NOW + 3 * HOUR)
    route_alerts(NOW + 4 * HOUR)
    assert Notice.objects.filter(alert=row, kind="resolved", occasion=2).count() == 1


def test_digests_are_due_at_their_hour_of_the_zone_and_none_is_sent_twice(
    settings: Settings,
) -> None:
    organization(time_zone="America/New_York", week_start=7)
    daily, weekly = channel(digest="daily"), channel("weekly", "email", digest="weekly")
    Channel.objects.update(created_at=NOW - timedelta(days=30))
    made = []
    for at in (
        datetime(2026, 11, 18, 12, 59, tzinfo=UTC),  # 7:59 there: still that of the day before
        datetime(2026, 11, 18, 13, 0, tzinfo=UTC),
        datetime(2026, 11, 18, 20, 0, tzinfo=UTC),
        datetime(2026, 11, 23, 13, 0, tzinfo=UTC),  # nothing ran for days: the last of them
    ):
        route_alerts(at)
        made.append(Notice.objects.filter(kind="digest", channel=daily).count())
    assert made == [1, 2, 2, 3]
    spans = Notice.objects.filter(channel=daily).order_by("until").values_list("since", "until")
    assert list(spans)[1] == (
        datetime(2026, 11, 17, 5, tzinfo=UTC), datetime(2026, 11, 18, 5, tzinfo=UTC),
    )  # fmt: skip
    weeks = Notice.objects.filter(channel=weekly).order_by("until").values_list("until", flat=True)
    assert list(weeks) == [datetime(2026, 11, day, 5, tzinfo=UTC) for day in (15, 22)]


def test_a_new_channel_gets_no_digest_of_a_time_before_it() -> None:
    fresh = channel(digest="daily", digest_hour=8)
    fresh.created_at = NOW
    assert digest_span(fresh, NOW + HOUR) is None
    span = digest_span(fresh, NOW + 21 * HOUR)
    assert span is not None
    assert span.end == datetime(2026, 11, 19, tzinfo=UTC)


@pytest.mark.django_db(transaction=True)
def test_two_at_once_make_every_notice_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(routing, "_BATCH", 5)
    channel("one")
    channel("two", "email", repeat_hours=1, tells_resolved=True, digest="daily")
    for _ in range(40):
        alert()
    crossed("50")
    counts = []

    def work() -> None:
        try:
            counts.append(route_alerts(NOW))
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    route_alerts(NOW)
    assert sum(counts) == 42
    assert Notice.objects.filter(kind="alert").count() == 41 * 2
