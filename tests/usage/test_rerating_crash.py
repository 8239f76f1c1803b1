"""A re-rating killed at its worst moment, two at once, and one beside ingest."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from decimal import Decimal

import pytest
from django.db import connection

from tests.config.running import PROJECT
from tests.usage.conftest import NOON, event
from tests.usage.repricing import (
    LONG_AGO,
    assert_sound,
    costs,
    month_costs,
    planned,
    price,
    ratings,
)
from usage.ingest.identities import tenant_of
from usage.ingest.pipeline import Caller, ingest
from usage.ingest.prepare import Tenancy
from usage.models import Organization, RatingRun
from usage.organizations import ensure_organization
from usage.rerating import apply_run, close_month, continue_runs, request_run, roll_back_run
from usage.rollups import roll_up

EVENTS = 300
SEPTEMBER = NOON.replace(month=9)
Status = RatingRun.Status
# Works on the run until the named step, says so and hangs.
WORKER = """
import sys, time, importlib, django
django.setup()
from django.db import connection
connection.settings_dict["NAME"] = sys.argv[1]
module = importlib.import_module(f"usage.rerating.{sys.argv[2]}")
original = getattr(module, sys.argv[3])
def hang(*args, **kwargs):
    original(*args, **kwargs)
    print("in the middle", flush=True)
    time.sleep(60)
setattr(module, sys.argv[3], hang)
from usage.rerating import continue_runs
continue_runs()
"""

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def writer(db: None) -> Caller:
    price("3", "15", since=LONG_AGO)
    return Caller(Tenancy(tenant_of(ensure_organization("acme")), {}))


@pytest.fixture
def stored(writer: Caller) -> None:
    months = (NOON, SEPTEMBER)
    ingest([event(f"e{n}", occurred_at=months[n % 2]) for n in range(EVENTS)], writer)
    roll_up()
    close_month(Organization.objects.get(), SEPTEMBER.date().replace(day=1))
    price("6", "30", since=SEPTEMBER.replace(day=1))
    continue_runs()


def kill_in(module: str, function: str) -> None:
    name = str(connection.settings_dict["NAME"])
    worker = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", WORKER, name, module, function],
        cwd=PROJECT,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings"},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert worker.stdout is not None
    try:
        assert worker.stdout.readline() == "in the middle\n"
        assert continue_runs() == 0
    finally:
        worker.kill()
        worker.wait()
        worker.stdout.close()


def continue_until(run: RatingRun, status: RatingRun.Status) -> None:
    deadline = time.monotonic() + 20
    while run.status != status:
        assert time.monotonic() < deadline, run.error
        continue_runs()
        run.refresh_from_db()


def test_what_was_killed_left_nothing_and_is_done_again(stored: None) -> None:
    before = ratings(), month_costs()
    run = request_run(start=SEPTEMBER, end=NOON.replace(day=21))
    kill_in("planning", "copy_rows")
    run.refresh_from_db()
    assert (run.status, run.changes.count()) == (Status.PLANNING, 0)
    continue_until(run, Status.PLANNED)
    assert (run.examined, run.changed, run.changes.count()) == (EVENTS, EVENTS, EVENTS)

    apply_run(run)
    kill_in("applying", "sum_up")
    run.refresh_from_db()
    assert (run.status, ratings(), month_costs()) == (Status.APPLYING, *before)
    continue_until(run, Status.APPLIED)
    assert (run.changed, run.adjusted) == (EVENTS // 2, EVENTS // 2)
    assert sum(month_costs().values()) == EVENTS * Decimal("0.009")
    assert_sound()

    after = ratings(), month_costs()
    roll_back_run(run)
    kill_in("undoing", "sum_up")
    run.refresh_from_db()
    assert (run.status, ratings(), month_costs()) == (Status.ROLLING_BACK, *after)
    continue_until(run, Status.ROLLED_BACK)
    assert (ratings(), month_costs()) == before
    assert_sound()


def in_threads(*works: Callable[[], object]) -> None:
    def run(work: Callable[[], object]) -> None:
        try:
            work()
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_several_at_once_do_each_run_once(stored: None, writer: Caller) -> None:
    ingest([event("x", model="nobody-knows-9")], writer)
    price("6", "30", model="nobody-knows-9")
    run = apply_run(planned(model="claude-sonnet-4-5"))
    done: list[int] = []

    in_threads(*[lambda: done.append(continue_runs())] * 4)

    run.refresh_from_db()
    assert (run.status, run.changed, run.adjusted) == (Status.APPLIED, EVENTS // 2, EVENTS // 2)
    assert costs()["x"] == Decimal("0.009")
    assert sum(done) == 3
    roll_up()
    assert_sound()


def test_events_that_arrive_and_are_corrected_meanwhile_are_counted_right(
    stored: None, writer: Caller
) -> None:
    run = apply_run(planned())
    corrected = range(0, EVENTS, 4)

    def write() -> None:
        for number in corrected:
            fixed = event(f"fixed{number}", corrects=f"e{number}", occurred_at=NOON)
            ingest([fixed, event(f"new{number}", occurred_at=NOON)], writer)
            roll_up()

    in_threads(write, continue_runs)

    run.refresh_from_db()
    assert run.status == Status.APPLIED
    assert run.changed + run.skipped == EVENTS // 2
    roll_up(wait=True)
    assert_sound()
    total = EVENTS + len(corrected)
    assert sum(month_costs().values()) == total * Decimal("0.009")
