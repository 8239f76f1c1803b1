"""Disk of an event, and memory of every process under load."""

import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.bench.figures import Figure, limited
from tests.bench.load import make_bodies, post_events
from tests.bench.memory import descendants, proportional, resident, watching
from tests.bench.stack import PROJECT, Stack

MOST_BYTES, MOST_TIMES_ROW = 400, 2
MOST_WEB_MB, MOST_WORKER_MB = 200, 250
LINES, EVENTS_A_BODY = 40_000, 1000
EXPORTED_DAYS = 60
WORKER_SECONDS = 25
_SIZES = """
SELECT (SELECT count(*) FROM usage_usageevent),
       sum(pg_relation_size(relid)), sum(pg_total_relation_size(relid)),
       pg_total_relation_size('usage_eventkey')
FROM pg_partition_tree('usage_usageevent') WHERE isleaf
"""
_WORKER = ("worker", "--loglevel", "WARNING", "--concurrency", "4")
_TUNING = ("--without-gossip", "--without-mingle", "--without-heartbeat")
_BEAT = ("beat", "--loglevel", "WARNING", "--pidfile", "")


def bench_disk(stack: Stack) -> list[Figure]:
    """Bytes of an event that ingest has stored: its row, indexes and key."""
    post_events(stack, make_bodies(60, EVENTS_A_BODY, seed=900), 4)
    stack.query("VACUUM (ANALYZE) usage_usageevent")
    events, rows, tables, keys = (int(value) for value in stack.query(_SIZES)[0])
    alone, whole = rows / events, (tables + keys) / events
    ratio = whole / alone
    return [
        Figure(
            "disk of an event, indexes and key included", whole, "bytes", "row alone", alone, ratio,
            f"≤ {MOST_TIMES_ROW} x, ≤ {MOST_BYTES} bytes",
            ratio <= MOST_TIMES_ROW and whole <= MOST_BYTES,
            {"indexes": round((tables - rows) / events), "key": round(keys / events)},
        )
    ]  # fmt: skip


def bench_memory(stack: Stack) -> list[Figure]:
    """The web processes after load, and worker and beat while they roll it up."""
    post_events(stack, make_bodies(40, EVENTS_A_BODY, seed=910), 8)
    figures = [_most("web process", descendants(stack.web_pid), MOST_WEB_MB)]
    celery = [sys.executable, "-m", "celery", "--quiet", "-A", "config.celery"]
    started = [
        subprocess.Popen([*celery, *words], cwd=PROJECT, env=stack.environ)
        for words in ((*_WORKER, *_TUNING), _BEAT)
    ]
    try:
        time.sleep(WORKER_SECONDS)
        for name, process in zip(("worker", "beat"), started, strict=True):
            pids = [process.pid, *descendants(process.pid)]
            figures.append(_most(f"{name} process", pids, MOST_WORKER_MB))
    finally:
        for process in started:
            process.terminate()
        for process in started:
            process.wait(60)
    return figures


def _most(name: str, pids: list[int], most: float) -> Figure:
    sizes = [resident(pid) for pid in pids]
    return limited(
        f"memory of a {name}", "MB", [max(sizes)], most,
        resident=[round(size) for size in sizes],
        proportional=[round(proportional(pid)) for pid in pids],
    )  # fmt: skip


def bench_transfers(many: Stack, few: Stack) -> list[Figure]:
    """How much more memory an export and an import of more events take."""
    with tempfile.TemporaryDirectory(prefix="tallyman-bench-files-") as folder:
        return _transfers(many, few, Path(folder))


def _transfers(many: Stack, few: Stack, folder: Path) -> list[Figure]:
    since = f"{datetime.now(UTC) - timedelta(days=EXPORTED_DAYS):%Y-%m-%d}"
    words = ("export", "events", "--from", since, "--output", str(folder / "events.csv"))
    exports = [_peak(stack, *words) for stack in (many, few)]
    imports = []
    for count in (LINES, LINES // 10):
        file = folder / f"{count}.jsonl"
        with file.open("wb") as lines:
            for body in make_bodies(count, 1, seed=count):
                lines.write(body + b"\n")
        imports.append(_peak(few, "import", "events", str(file), "--organization", "bench"))
    return [
        _constant(f"export of {EXPORTED_DAYS} days", exports),
        _constant("import of events", imports),
    ]


def _constant(name: str, peaks: list[float]) -> Figure:
    much, little = peaks
    ratio = much / little
    return Figure(
        f"memory, {name}", much, "MB", "of a tenth or less", little, ratio, "≤ 1.2 x", ratio <= 1.2
    )


def _peak(stack: Stack, *words: str) -> float:
    command = [sys.executable, "manage.py", *words]
    process = subprocess.Popen(
        command, cwd=PROJECT, env=stack.environ, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    with watching(lambda: [process.pid]) as peak:
        if process.wait():
            raise RuntimeError(f"{' '.join(words)}: {process.returncode}")
    return peak[0]
