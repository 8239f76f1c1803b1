from collections.abc import Callable, Iterator
from datetime import UTC, datetime, time, timedelta
from ipaddress import ip_network
from typing import Any

import pytest
from django.db import connection
from pytest_django import Settings
from standardwebhooks import Webhook

from budgets.channels.saving import save_channel, signing_secret
from budgets.models import Alert, Channel, Delivery, Notice
from budgets.notices import marking, sending
from budgets.notices.backoff import next_try
from budgets.notices.resending import resend, send_test
from budgets.notices.routing import route_alerts
from budgets.notices.sending import send_due
from budgets.selectors.notices import failing_channels, seen_notices
from tests.budgets.channels.making import ACTOR, channel, organization
from tests.budgets.channels.sink import Answer, Sink, http_sink
from tests.budgets.test_routing import alert, resolve
from usage.selectors.access import EVERYTHING, NOTHING, Viewer

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 18, 12, 0, tzinfo=UTC)
SECOND, HOUR = timedelta(seconds=1), timedelta(hours=1)


@pytest.fixture
def sink(settings: Settings) -> Iterator[Sink]:
    settings.TALLYMAN_ALLOWED_NETWORKS = (ip_network("127.0.0.0/8"),)
    with http_sink() as running:
        yield running


def answering(code: int, **headers: str) -> Callable[[Any], Answer]:
    return lambda _: Answer(code, {name.replace("_", "-"): text for name, text in headers.items()})


def run(now: datetime) -> list[str]:
    """One beat: what each try of it came to."""
    before = set(Delivery.objects.values_list("pk", flat=True))
    route_alerts(now)
    send_due(now)
    tries = Delivery.objects.exclude(pk__in=before).order_by("pk")
    return [f"{each.outcome} {each.status_code or ''}".strip() for each in tries]


def live_system_alerts() -> list[Alert]:
    return list(Alert.objects.filter(kind="system").exclude(state="resolved"))


def test_a_notice_is_sent_once_and_every_try_has_the_same_id_and_text(sink: Sink) -> None:
    to = channel("ops", target=f"{sink.url}/hook")
    alert()
    sink.answer = answering(500)
    assert run(NOW) == ["failed 500"]
    assert run(NOW + 5 * SECOND) == []
    sink.answer = answering(204)
    assert run(NOW + 12 * SECOND) == ["sent 204"]
    assert run(NOW + HOUR) == []
    notice = Notice.objects.get()
    assert (notice.state, notice.attempts, notice.lease_until) == ("sent", 2, None)
    first, second = sink.requests
    assert first.body == second.body
    assert first.headers["webhook-id"] == second.headers["webhook-id"] == str(notice.pk)
    assert Webhook(signing_secret(to)).verify(second.body, dict(second.headers))
    to.refresh_from_db()
    assert (to.failing_since, to.fault) == (None, "")
    assert to.worked_at is not None


def test_tries_come_later_and_later_and_end(settings: Settings) -> None:
    patience = timedelta(hours=settings.TALLYMAN_NOTICE_HOURS)
    at, waits = NOW, []
    for attempts in range(1, 100):
        following = next_try(attempts, NOW, at, patience)
        if following is None:
            break
        waits.append((following - at).total_seconds())
        at = following
    for wait, least in zip(waits[:7], (10, 30, 120, 600, 1_800, 3_600, 3_600), strict=True):
        assert least <= wait <= least * 1.1
    assert timedelta(hours=24) <= at - NOW <= timedelta(hours=26)
    assert next_try(1, NOW, NOW, patience, asked=3_000) == NOW + timedelta(seconds=3_000)
    # However old it is, it is tried before it is given up.
    assert next_try(5, NOW - timedelta(days=9), NOW, patience) is not None


def test_a_receiver_that_asks_for_time_gets_it(sink: Sink) -> None:
    channel(target=sink.url)
    alert()
    sink.answer = answering(429, retry_after="300")
    assert run(NOW) == ["failed 429"]
    assert run(NOW + 299 * SECOND) == []
    assert run(NOW + 302 * SECOND) == ["failed 429"]


def test_what_could_not_be_sent_for_an_hour_is_all_sent_after(sink: Sink) -> None:
    channel(target=sink.url)
    rows = [alert() for _ in range(7)]
    sink.answer = answering(503)
    minutes = (0, 1, 2, 4, 8, 15, 30, 59)
    tries = [len(run(NOW + timedelta(minutes=minute))) for minute in minutes]
    # The channel is asked, not every message in turn.
    assert max(tries) <= 2
    sink.requests.clear()
    sink.answer = answering(200)
    for minute in (60, 90, 125):
        run(NOW + timedelta(minutes=minute))
    assert set(sink.ids().values()) == {1}
    assert len(sink.ids()) == len(rows) == Notice.objects.filter(state="sent", kind="alert").count()


def test_a_channel_that_stays_down_is_given_up_and_told_elsewhere(sink: Sink) -> None:
    broken = channel("broken", target=f"{sink.url}/broken", kinds=["stale"])
    channel("site", "webhook", f"{sink.url}/site", slug=None)
    sink.answer = lambda request: Answer(500 if request.path == "/broken" else 200)
    row = alert()
    at = NOW
    run(at)
    while due := Notice.objects.filter(state="waiting").order_by("due_at").first():
        at = due.due_at
        run(at)
    assert timedelta(hours=23) < at - NOW < timedelta(hours=27)
    lost = Notice.objects.get(alert=row)
    assert (lost.state, lost.deliveries.count()) == ("failed", lost.attempts)
    (told,) = live_system_alerts()
    assert (told.key, told.organization) == (f"channel:{broken.pk}", organization())
    assert told.facts["detail"] == "It answered 500: ok."
    run(at)
    assert sorted({request.path for request in sink.requests}) == ["/broken", "/site"]
    assert [notice.channel.name for notice in Notice.objects.filter(alert=told)] == ["site"]
    # It works again: what was given up is sent by hand, with its old id.
    sink.answer = answering(200)
    assert resend(lost, at)
    assert run(at) == ["sent 200"]
    assert str(lost.pk) == sink.requests[-1].headers["webhook-id"]
    assert live_system_alerts() == []
    assert not resend(Notice.objects.create(channel=broken, kind="test", due_at=at), at)


def test_a_channel_that_fails_for_minutes_is_found_before_anything_is_given_up(sink: Sink) -> None:
    failing = channel(target=sink.url)
    alert()
    sink.answer = answering(500)
    run(NOW)
    assert not failing_channels(NOW + timedelta(minutes=9))
    assert list(failing_channels(NOW + timedelta(minutes=11))) == [failing]
    failing.refresh_from_db()
    failing.enabled = False
    save_channel(failing, None, ACTOR)
    assert not failing_channels(NOW + timedelta(minutes=11))


def test_a_receiver_that_is_gone_is_switched_off_and_told(sink: Sink) -> None:
    gone = channel(target=sink.url)
    alert()
    sink.answer = answering(410)
    assert run(NOW) == ["failed 410"]
    gone.refresh_from_db()
    assert (gone.enabled, Notice.objects.get().state) == (False, "failed")
    (told,) = live_system_alerts()
    assert "switched off" in told.facts["hint"]
    gone.enabled = True
    save_channel(gone, sink.url, ACTOR)
    assert not failing_channels(NOW + HOUR)


def test_addresses_that_are_not_allowed_are_refused_logged_and_given_up(
    sink: Sink, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    channel(target=f"{sink.url}/s3cretpath")
    alert()
    settings.TALLYMAN_ALLOWED_NETWORKS = ()
    assert run(NOW) == ["refused"]
    assert Notice.objects.get().state == "failed"
    assert sink.requests == []
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "s3cretpath" not in caplog.text + Delivery.objects.get().detail
    assert len(live_system_alerts()) == 1


def test_a_secret_that_cannot_be_read_is_a_failed_delivery(settings: Settings, sink: Sink) -> None:
    channel("lost", target=sink.url)
    alert()
    kept, settings.SECRET_KEY = settings.SECRET_KEY, "another"
    other = channel("other", target=f"{sink.url}/other")
    assert sorted(run(NOW)) == ["failed", "sent 200"]
    assert "SECRET_KEY" in Delivery.objects.get(outcome="failed").detail
    settings.SECRET_KEY_FALLBACKS = [kept]
    assert run(NOW + 12 * SECOND) == ["sent 200"]
    assert other.name == "other"


def test_what_waited_for_the_end_of_quiet_hours_is_not_told_when_it_is_over(sink: Sink) -> None:
    channel(target=sink.url, quiet_from=time(22), quiet_until=time(7), repeat_hours=1)
    night = NOW.replace(hour=23)
    over, still = alert(), alert()
    assert run(night) == []
    resolve(Alert.objects.get(pk=over.pk), night + HOUR)
    assert run(night + 8 * HOUR) == ["sent 200"]
    assert dict(Notice.objects.values_list("alert", "state")) == {
        over.pk: "dropped", still.pk: "sent",
    }  # fmt: skip
    # A try that fails at night comes again in the morning.
    sink.answer = answering(500)
    run(NOW.replace(day=19, hour=21, minute=59, second=55))
    waiting = Notice.objects.get(state="waiting")
    assert waiting.due_at == datetime(2026, 11, 20, 7, tzinfo=UTC)
    Channel.objects.update(enabled=False)
    assert run(NOW.replace(day=20, hour=8)) == []
    waiting.refresh_from_db()
    assert waiting.state == "dropped"


def test_a_test_is_sent_at_once_and_says_what_came_of_it(sink: Sink) -> None:
    to = channel(target=sink.url, enabled=False)
    assert send_test(to, ACTOR).state == "sent"
    sink.answer = answering(404)
    failed = send_test(to, ACTOR)
    assert (failed.state, failed.deliveries.get().status_code) == ("failed", 404)
    assert run(NOW + 50 * HOUR) == []
    to.refresh_from_db()
    assert to.failing_since is None


def test_a_lease_keeps_others_away_and_ends_with_who_took_it(
    sink: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    channel(target=sink.url)
    alert()
    route_alerts(NOW)

    def die(*_: Any) -> None:
        raise SystemExit

    for part in ("send_each", "mark"):
        with monkeypatch.context() as patched:
            patched.setattr(sending, part, die)
            with pytest.raises(SystemExit):
                send_due(NOW)
        assert run(NOW + 59 * SECOND) == []
        Notice.objects.update(lease_until=NOW)
    assert run(NOW + 61 * SECOND) == ["sent 200"]
    # It had been sent before the second one died: twice, and with the same id.
    assert list(sink.ids().values()) == [2]
    assert Notice.objects.get().attempts == 1


def test_what_was_deleted_meanwhile_harms_nothing(
    sink: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    channel("one", target=sink.url)
    doomed = channel("two", target=sink.url)
    alert()
    kept = marking._locked

    def delete_first(notices: Any) -> Any:
        Notice.objects.filter(channel=doomed).delete()
        return kept(notices)

    monkeypatch.setattr(marking, "_locked", delete_first)
    assert run(NOW) == ["sent 200"]
    connection.check_constraints()


def test_more_than_two_runs_at_once_would_be_idle(sink: Sink) -> None:
    channel(target=sink.url)
    for number in range(3):
        alert()
        route_alerts(NOW)
        Notice.objects.filter(lease_until=None).update(lease_until=NOW + (50 + number % 2) * SECOND)
    alert()
    assert run(NOW) == []
    assert len(run(NOW + 52 * SECOND)) == 4


def test_notices_are_seen_by_who_sees_the_channel_or_the_alert(sink: Sink) -> None:
    channel("own", target=sink.url)
    channel("site", target=sink.url, slug=None)
    alert()
    alert(slug="zeta")
    route_alerts(NOW)
    acme, zeta = organization(), organization("zeta")
    assert seen_notices(EVERYTHING).count() == 2
    assert [each.channel.name for each in seen_notices(Viewer(frozenset((acme.pk,))))] == ["own"]
    assert [each.channel.name for each in seen_notices(Viewer(frozenset((zeta.pk,))))] == ["site"]
    assert not seen_notices(NOTHING)
