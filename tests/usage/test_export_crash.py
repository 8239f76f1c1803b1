"""Files written over two connections: by killed workers, by several at once, while others write."""

import csv
import io
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from datetime import timedelta

import pytest
from django.db import connection

from tests.config.running import PROJECT
from tests.usage.conftest import NOON, event
from tests.usage.exporting import ask, file_of, written
from usage.exports import working
from usage.exports.encoding import Row
from usage.exports.working import MOST_ATTEMPTS, continue_exports
from usage.ingest.identities import tenant_of
from usage.ingest.pipeline import Caller, ingest
from usage.ingest.prepare import Tenancy
from usage.models import Export, ExportPart
from usage.organizations import ensure_organization
from usage.rollups import roll_up
from usage.selectors.exports import percent_done

EVENTS = 3_000
Status = Export.Status
# Writes three parts, says so and hangs.
WORKER = """
import sys, time, django
django.setup()
from django.db import connection
connection.settings_dict["NAME"] = sys.argv[1]
from usage.exports import working
working.PART_BYTES = 64 * 1024
original = working._Attempt._store
def store(attempt, number, data):
    original(attempt, number, data)
    if number == 2:
        print("in the middle", flush=True)
        time.sleep(60)
working._Attempt._store = store
working.continue_exports()
"""

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def stored(db: None) -> Caller:
    # Nobody needs prices here, which would have to be loaded again for each test.
    caller = Caller(Tenancy(tenant_of(ensure_organization("acme")), {}))
    times = [NOON + timedelta(seconds=number) for number in range(EVENTS)]
    ingest([event(f"e{n}", occurred_at=when) for n, when in enumerate(times)], caller)
    roll_up()
    return caller


def begun_and_killed(export: Export) -> None:
    worker = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", WORKER, str(connection.settings_dict["NAME"])],
        cwd=PROJECT,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings"},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert worker.stdout is not None
    try:
        assert worker.stdout.readline() == "in the middle\n"
        export.refresh_from_db()
        assert (export.status, export.parts.count()) == (Status.RUNNING, 3)
        assert 0 < export.rows_done < EVENTS
        assert continue_exports() == 0
    finally:
        worker.kill()
        worker.wait()
        worker.stdout.close()


def finished(export: Export) -> Export:
    for _ in range(100):
        if continue_exports():
            break
    export.refresh_from_db()
    return export


def test_what_a_killed_worker_left_is_written_anew(stored: Caller) -> None:
    export = ask()
    begun_and_killed(export)

    assert finished(export).status == Status.DONE
    assert export.attempts == 2
    data = file_of(export)
    assert data.count(b"\r\n") == EVENTS + 1
    assert (export.rows_done, export.size) == (EVENTS, len(data))


def test_a_file_that_kills_every_worker_is_given_up(
    stored: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    export = ask()
    monkeypatch.setattr(working, "PART_BYTES", 1000)

    def break_off(attempt: working._Attempt, number: int, data: bytearray) -> None:
        store(attempt, number, data)
        raise MemoryError

    store = working._Attempt._store
    monkeypatch.setattr(working._Attempt, "_store", break_off)
    for attempt in range(MOST_ATTEMPTS):
        with pytest.raises(MemoryError):
            continue_exports()
        export.refresh_from_db()
        assert (export.status, export.attempts) == (Status.RUNNING, attempt + 1)
    assert continue_exports() == 1
    assert continue_exports() == 0

    export.refresh_from_db()
    assert export.status == Status.FAILED
    assert export.error == "Writing the file was broken off 3 times."
    assert not export.parts.exists()


def test_one_believed_dead_adds_nothing_to_the_file_of_another(
    stored: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    export = ask()
    store = working._Attempt._store
    monkeypatch.setattr(working, "PART_BYTES", 64 * 1024)

    def lose(attempt: working._Attempt, number: int, data: bytearray) -> None:
        if number == 2 and attempt._attempt == 1:
            # As if another process had found the lock free and begun anew.
            with closing(connection.copy()) as other, other.cursor() as cursor:
                cursor.execute(working._BEGIN, (export.pk,))
                cursor.execute(working._DROP_PARTS, (export.pk,))
        store(attempt, number, data)

    monkeypatch.setattr(working._Attempt, "_store", lose)
    assert continue_exports() == 0
    assert not ExportPart.objects.exists()
    assert finished(export).status == Status.DONE
    assert export.attempts == 3
    assert file_of(export).count(b"\r\n") == EVENTS + 1


def test_several_workers_write_each_file_once(stored: Caller) -> None:
    exports = [ask() for _ in range(3)]
    done: list[int] = []

    def work() -> None:
        try:
            done.append(continue_exports())
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    while continue_exports():
        done.append(1)

    assert sum(done) == len(exports)
    for export in exports:
        export.refresh_from_db()
        assert (export.status, export.attempts) == (Status.DONE, 1)
        assert file_of(export).count(b"\r\n") == EVENTS + 1


def test_the_file_is_one_snapshot_while_others_write(
    stored: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("usage.exports.events.PAGE", 500)
    late = [event("late", occurred_at=NOON - timedelta(days=1))]

    original = working._Attempt._counted

    # When some rows are read, an event is stored that would be the last of the file.
    def counted(_: working._Attempt, rows: Iterable[Row]) -> Iterator[Row]:
        for number, row in enumerate(rows):
            if number == 300:
                elsewhere(lambda: ingest(late, stored))
            yield row

    monkeypatch.setattr(working._Attempt, "_counted", counted)
    names = event_ids(written(ask()))
    assert (len(names), "late" in names) == (EVENTS, False)
    monkeypatch.setattr(working._Attempt, "_counted", original)
    assert "late" in event_ids(written(ask()))


def event_ids(data: bytes) -> list[str]:
    return [row["event_id"] for row in csv.DictReader(io.StringIO(data.decode()))]


def elsewhere(work: Callable[[], object]) -> None:
    def run() -> None:
        try:
            work()
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()


def test_progress_is_seen_while_the_file_is_written(
    stored: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(working, "PART_BYTES", 1)
    monkeypatch.setattr("usage.exports.encoding._ROWS_AT_ONCE", 1000)
    export = ask()
    assert percent_done(export) == 0
    seen: list[int | None] = []
    store = working._Attempt._store

    def look(attempt: working._Attempt, number: int, data: bytearray) -> None:
        store(attempt, number, data)
        elsewhere(lambda: seen.append(percent_done(Export.objects.get(pk=export.pk))))

    monkeypatch.setattr(working._Attempt, "_store", look)
    written(export)
    assert seen == [33, 67, 99, 99]
    assert percent_done(export) == 100
