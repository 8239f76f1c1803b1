from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from django.conf import LazySettings
from django.db import OperationalError, connections
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory

from budgets.models import Budget
from config.replica import COOKIE, ReplicaMiddleware
from usage import replica
from usage.models import APIKey, DailyRollup, Organization, SessionRollup, UsageEvent
from usage.replica import PRIMARY, REPLICA, ReplicaRouter, ReplicaState

HELD_UNTIL = datetime(2026, 11, 20, 12, tzinfo=UTC)
ROUTER = ReplicaRouter()


class Standby:
    lag: float | None = 1.0
    asked = 0


@pytest.fixture
def standby(monkeypatch: pytest.MonkeyPatch) -> Iterator[Standby]:
    """A replica that says how far behind it is, and nothing else."""
    standby = Standby()

    def ask() -> ReplicaState:
        standby.asked += 1
        if standby.lag is None:
            raise OperationalError("away")
        return ReplicaState(HELD_UNTIL, standby.lag)

    monkeypatch.setattr(replica, "_ask", ask)
    monkeypatch.setattr(replica, "is_configured", lambda: True)
    monkeypatch.setattr(replica._Known, "until", 0.0)
    monkeypatch.setattr(replica._Known, "state", ReplicaState())
    yield standby
    replica.withdraw()


def get(path: str = "/admin/") -> HttpRequest:
    return RequestFactory().get(path)


def test_events_and_sums_are_read_from_the_replica_and_nothing_else_is(standby: Standby) -> None:
    replica.offer()
    for model in (UsageEvent, DailyRollup, SessionRollup):
        assert ROUTER.db_for_read(model) == REPLICA
        assert ROUTER.db_for_write(model) == PRIMARY
    for limiting in (Budget, APIKey, Organization):
        assert ROUTER.db_for_read(limiting) == PRIMARY
    assert not ROUTER.allow_migrate(REPLICA, "usage")
    assert standby.asked == 1


def test_nothing_is_read_from_it_unless_a_reader_offers_to(standby: Standby) -> None:
    assert ROUTER.db_for_read(UsageEvent) == PRIMARY
    replica.offer()
    replica.withdraw()
    assert ROUTER.db_for_read(UsageEvent) == PRIMARY
    assert standby.asked == 0


def test_a_replica_too_far_behind_or_away_is_not_read(
    standby: Standby, settings: LazySettings
) -> None:
    settings.TALLYMAN_REPLICA_LAG = 30
    for lag, read in ((30.0, REPLICA), (30.1, PRIMARY), (None, PRIMARY)):
        standby.lag, replica._Known.until = lag, 0.0
        replica.offer()
        assert replica.read_alias() == read


def test_one_that_failed_is_left_alone_for_a_while(standby: Standby) -> None:
    standby.lag = None
    for _ in range(3):
        replica.offer()
        assert replica.read_alias() == PRIMARY
    assert standby.asked == 1


def test_sums_hold_no_more_than_what_the_replica_has_been_told(standby: Standby) -> None:
    replica.offer()
    assert replica.held_until() == HELD_UNTIL
    # It has just failed another request.
    replica._remember(ReplicaState(), 5.0)
    assert (replica.read_alias(), replica.held_until()) == (REPLICA, HELD_UNTIL)
    replica.withdraw()
    assert replica.held_until() > HELD_UNTIL + timedelta(days=1)


def test_a_transaction_reads_what_it_wrote_itself_except_for_a_file(
    standby: Standby, monkeypatch: pytest.MonkeyPatch
) -> None:
    replica.offer()
    assert replica.read_alias() == REPLICA
    monkeypatch.setattr(connections[PRIMARY], "in_atomic_block", True)
    assert replica.read_alias() == PRIMARY
    with replica.from_replica() as alias:
        assert (alias, replica.read_alias()) == (REPLICA, REPLICA)
    assert replica.read_alias() == PRIMARY


def test_only_requests_that_read_are_offered_and_not_those_after_a_write(standby: Standby) -> None:
    seen: list[str] = []

    def view(request: HttpRequest) -> HttpResponse:
        seen.append(replica.read_alias())
        return HttpResponse()

    answer = ReplicaMiddleware(view)
    answer(get())
    written = RequestFactory().post("/admin/")
    written.COOKIES["sessionid"] = "x"
    cookie = answer(written).cookies[COOKIE]
    after = get()
    after.COOKIES[COOKIE] = cookie.value
    answer(after)
    assert seen == [REPLICA, PRIMARY, PRIMARY]
    # What was last found out about the replica may be a second old.
    assert (cookie["max-age"], cookie["httponly"], cookie["samesite"]) == (31, True, "Lax")
    assert COOKIE not in answer(RequestFactory().post("/api/v1/events/")).cookies


def test_the_primary_answers_when_the_replica_fails_half_way(standby: Standby) -> None:
    seen: list[str] = []

    def view(request: HttpRequest) -> HttpResponse:
        seen.append(replica.read_alias())
        return HttpResponse("whole")

    middleware = ReplicaMiddleware(view)
    request = get()
    middleware(request)
    request.resolver_match = SimpleNamespace(func=view, args=(), kwargs={})  # type: ignore[assignment]
    answer = middleware.process_exception(request, OperationalError("conflict with recovery"))
    assert isinstance(answer, HttpResponse)
    assert (answer.content, seen) == (b"whole", [REPLICA, PRIMARY])
    assert middleware.process_exception(request, OperationalError("the primary's own")) is None
    middleware(get())
    assert seen[-1] == PRIMARY
