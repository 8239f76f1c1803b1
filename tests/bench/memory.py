"""How much memory processes have, now and at most."""

import contextlib
import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

_PAUSE = 0.3


def resident(pid: int) -> float:
    """Megabytes of a process that are in memory, shared ones included; 0 when it has ended."""
    return _kilobytes(f"/proc/{pid}/status", "VmRSS:") / 1024


def proportional(pid: int) -> float:
    """Megabytes of a process, each shared one divided by those that share it."""
    return _kilobytes(f"/proc/{pid}/smaps_rollup", "Pss:") / 1024


def own(pid: int) -> float:
    """Megabytes of a process without files and shared memory, such as PostgreSQL's buffers."""
    return _kilobytes(f"/proc/{pid}/status", "RssAnon:") / 1024


def descendants(pid: int) -> list[int]:
    """The processes that a process has started, and theirs."""
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in map(int, task.read_text().split()):
            found += [child, *descendants(child)]
    return found


@contextlib.contextmanager
def watching(
    pids: Callable[[], Iterable[int]], measure: Callable[[int], float] = resident
) -> Iterator[list[float]]:
    """The most that any of some processes had meanwhile, in megabytes, as a list of one."""
    peak, done = [0.0], threading.Event()

    def watch() -> None:
        while not done.is_set():
            peak[0] = max([peak[0], *(measure(pid) for pid in pids())])
            done.wait(_PAUSE)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield peak
    finally:
        done.set()
        thread.join()


def _kilobytes(path: str, name: str) -> int:
    try:
        lines = Path(path).read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith(name)), 0)
