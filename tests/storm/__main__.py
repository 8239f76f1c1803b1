"""500 budgets cross a level at once on a real installation with three channels.

Run it with `python -m tests.storm`; it says how long everything took and fails where a message is
missing or came twice.
"""

import os
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import psutil

from tests.budgets.channels.live import Live, environment
from tests.budgets.channels.mailbox import mail_server
from tests.budgets.channels.sink import http_sink
from tests.config.running import WORKER, Up, free_port, installed, until

BUDGETS = 500
_SENT = "SELECT count(*) FROM budgets_notice WHERE state = 'sent'"
_TIMES = """
    SELECT extract(epoch FROM max(routed_at) - min(opened_at)),
        (SELECT extract(epoch FROM max(ended_at) - (SELECT min(opened_at) FROM budgets_alert))
         FROM budgets_notice), count(*)
    FROM budgets_alert
"""


def main() -> int:
    """Run the storm; 0 where every message came once."""
    folder = Path(tempfile.mkdtemp())
    with mail_server() as mailbox, http_sink() as hook, http_sink() as slack:
        up = Up(installed(folder / "data"), free_port(), **environment(mailbox, hook, slack))
        try:
            up.await_ready()
            return _storm(Live(up, mailbox, hook, slack))
        finally:
            up.stop(signal.SIGTERM)
            shutil.rmtree(folder, ignore_errors=True)


def _storm(live: Live) -> int:
    projects = [f"p{number:03}" for number in range(BUDGETS)]
    live.add_channels()
    live.add_budgets(projects)
    began = time.monotonic()
    live.spend(1.5, projects, "storm")
    _say(f"{BUDGETS} events stored, all over their limits", time.monotonic() - began)
    until(lambda: live.read(_SENT) == [(3 * BUDGETS,)], 500)
    _say("all notices sent", time.monotonic() - began)
    # What came twice would come within the time of a lease.
    time.sleep(65)
    ((routed, sent, alerts),) = live.read(_TIMES)
    print(f"{alerts:,} alerts; the last was routed after {routed:.1f} s, sent after {sent:.1f} s")
    worker = live.up.children(WORKER)[0]
    print("worker memory:", ", ".join(_memory(each) for each in (worker, *worker.children())))
    told = {
        "mail": live.mails(),
        "webhook": live.hook.ids(),
        "slack": Counter(str(request.body) for request in live.slack.requests),
    }
    for name, counts in told.items():
        print(f"{name}: {len(counts)} messages, {counts.total() - len(counts)} of them twice")
    right = all(counts.total() == len(counts) == BUDGETS for counts in told.values())
    print("every message came once" if right else "WRONG")
    return 0 if right else 1


def _say(what: str, seconds: float) -> None:
    print(f"{what}: {seconds:.1f} s (load {os.getloadavg()[0]:.1f})")


def _memory(process: psutil.Process) -> str:
    return f"{process.memory_info().rss / 2**20:.0f} MiB"


if __name__ == "__main__":
    sys.exit(main())
