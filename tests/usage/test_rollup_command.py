import threading
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import closing
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from tests.usage.conftest import NOON, event
from usage.ingest.pipeline import Caller, ingest
from usage.models import DailyRollup, DirtyMark, MonthlyRollup, UsageRollup
from usage.rollups import roll_up
from usage.tasks import make_partitions_ahead
from usage.tasks import roll_up as roll_up_task
from usage.verification import verify


def run(*arguments: str) -> str:
    out = StringIO()
    call_command("rollup", *arguments, stdout=out)
    return out.getvalue()


@pytest.mark.django_db
def test_rollup_sums_what_is_dirty_and_says_how_much(caller: Caller) -> None:
    ingest([event("a", session_id="s"), event("b", occurred_at=NOON.replace(day=1))], caller)
    assert run() == "rolled up 2 buckets, 2 days, 1 months, 1 sessions, 0 runs\n"
    assert run() == "rolled up 0 buckets, 0 days, 0 months, 0 sessions, 0 runs\n"


@pytest.mark.django_db
def test_rebuild_is_limited_to_the_days_asked_for(caller: Caller) -> None:
    ingest([event("a"), event("b", occurred_at=NOON.replace(day=1))], caller)
    roll_up()
    UsageRollup.objects.update(events=7)
    run("--rebuild", "--from", "2026-11-02", "--to", "2026-11-21")
    assert list(UsageRollup.objects.order_by("bucket").values_list("events", flat=True)) == [7, 1]
    run("--rebuild", "--to", "2026-11-02")
    assert list(UsageRollup.objects.values_list("events", flat=True)) == [1, 1]


@pytest.mark.django_db
def test_rebuild_removes_sums_of_days_without_events(caller: Caller) -> None:
    ingest([event("a")], caller)
    roll_up()
    DailyRollup.objects.update(day="2025-03-01")
    MonthlyRollup.objects.update(month="2027-03-01")
    run("--rebuild")
    assert verify().drifts == []
    assert DailyRollup.objects.get().day.isoformat() == "2026-11-20"


@pytest.mark.django_db
@pytest.mark.parametrize(
    "arguments",
    [
        ("--from", "2026-11-01"),
        ("--rebuild", "--from", "soon"),
        ("--rebuild", "--from", "2026-11-02", "--to", "2026-11-02"),
    ],
)
def test_bounds_that_make_no_sense_are_refused(arguments: tuple[str, ...]) -> None:
    with pytest.raises(CommandError):
        run(*arguments)


@pytest.mark.django_db
def test_the_periodic_tasks_do_their_work_and_bear_their_scheduled_names(caller: Caller) -> None:
    ingest([event("a")], caller)
    roll_up_task.apply(throw=True)
    make_partitions_ahead.apply(throw=True)
    assert UsageRollup.objects.get().events == 1
    names = (roll_up_task.name, make_partitions_ahead.name)
    assert names == ("usage.tasks.roll_up", "usage.tasks.make_partitions_ahead")


@pytest.mark.django_db(transaction=True)
def test_rolling_up_while_others_roll_up_and_ingest_loses_nothing(caller: Caller) -> None:
    ingesting = threading.Event()
    ingesting.set()

    def send(sender: int) -> None:
        with closing(connection):
            for batch in range(8):
                names = [f"{sender}-{batch}-{i}" for i in range(20)]
                ingest([event(name, run_id=f"r{batch}") for name in names], caller)

    def sum_up() -> None:
        with closing(connection):
            while ingesting.is_set():
                roll_up()

    with ThreadPoolExecutor(4) as threads:
        summing = [threads.submit(sum_up) for _ in range(2)]
        sending = [threads.submit(send, sender) for sender in range(2)]
        wait(sending)
        ingesting.clear()
    for finished in (*summing, *sending):
        finished.result()

    roll_up(wait=True)
    assert not DirtyMark.objects.exists()
    assert sum(UsageRollup.objects.values_list("events", flat=True)) == 320
    assert verify().drifts == []
