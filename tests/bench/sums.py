"""Roll up of new events beside one GROUP BY of them, and all sums made anew."""

import subprocess
import sys
import time

from tests.bench.figures import Figure, compared, limited
from tests.bench.large import fill_once, kept_folder
from tests.bench.memory import own, watching
from tests.bench.stack import PROJECT, Stack, installed

ROUNDS = 2
NEW_EVENTS, NEW_DAYS = 1_000_000, 14
SECONDS_A_MILLION = 15
_ROLL_UP = """
import time
from usage.rollups import roll_up
began = time.perf_counter()
roll_up(wait=True)
print(time.perf_counter() - began)
"""
_MARK = """
INSERT INTO usage_dirtymark (organization_id, bucket)
SELECT DISTINCT organization_id, date_bin('15 minutes', occurred_at, 'epoch') FROM usage_usageevent
"""
_FINEST = """
import time
from django.db import connection
from usage.rollups.columns import DIMENSION_LIST, IN_SUMS, SUM_LIST, SUM_OF_EVENTS
with connection.cursor() as cursor:
    cursor.execute("DROP TABLE IF EXISTS bench_rollup")
    cursor.execute("CREATE TABLE bench_rollup (LIKE usage_usagerollup INCLUDING ALL)")
    began = time.perf_counter()
    cursor.execute(
        "INSERT INTO bench_rollup (organization_id, bucket, first_at, last_at, session_id, run_id,"
        f" {DIMENSION_LIST}, {SUM_LIST}) SELECT organization_id,"
        " date_bin('15 minutes', occurred_at, 'epoch'), min(occurred_at), max(occurred_at),"
        f" session_id, run_id, {DIMENSION_LIST}, {SUM_OF_EVENTS}"
        f" FROM usage_usageevent WHERE {IN_SUMS}"
        f" GROUP BY organization_id, 2, session_id, run_id, {DIMENSION_LIST}"
    )
    print(time.perf_counter() - began)
    cursor.execute("DROP TABLE bench_rollup")
"""


def bench_rollup(events: int = NEW_EVENTS) -> list[Figure]:
    """A million events of two weeks, none of them summed yet."""
    folder = kept_folder(f"new-{events}")
    with installed(folder) as stack:
        fill_once(stack, events, folder, NEW_DAYS)
        pairs = []
        for _ in range(ROUNDS):
            forget_sums(stack)
            yardstick = float(stack.shell(_FINEST))
            stack.query(_MARK)
            pairs.append((float(stack.shell(_ROLL_UP)), yardstick))
    return [compared(f"roll up of {events:,} new events", "s", pairs, "one GROUP BY", most=3)]


def forget_sums(stack: Stack) -> None:
    """Take all sums and marks away."""
    found = stack.query(
        "SELECT string_agg(relname, ', ') FROM pg_class"
        r" WHERE (relname SIMILAR TO 'usage\_%(rollup|facet)' OR relname = 'usage_dirtymark')"
        " AND relkind IN ('r', 'p') AND NOT relispartition"
    )
    stack.query(f"TRUNCATE {found[0][0]}")
    stack.query("CHECKPOINT")


def bench_rebuild(stack: Stack, events: int) -> list[Figure]:
    """All sums made anew: seconds, and how far the memory of its process and backend grew."""
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "manage.py", "rollup", "--rebuild"],
        cwd=PROJECT, env=stack.environ, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    with (
        watching(lambda: [process.pid]) as client,
        watching(lambda: backends(stack), own) as server,
    ):
        if process.wait():
            raise RuntimeError("the rebuild failed")
    seconds = time.perf_counter() - began
    most = SECONDS_A_MILLION * events / 1_000_000
    return [
        limited(f"rebuild of {events:,} events", "s", [seconds], most),
        limited("  its process at most", "MB", client),
        limited("  its backend at most", "MB", server),
    ]


def backends(stack: Stack) -> list[int]:
    """The processes of PostgreSQL that serve a client."""
    found = stack.query("SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend'")
    return [pid for (pid,) in found]
