"""How long `up` takes to say that it is ready, on a folder that exists."""

import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.bench.figures import Figure, limited
from tests.bench.stack import PROJECT, clean_environ

ROUNDS, MOST_SECONDS = 3, 6


def bench_start() -> list[Figure]:
    """The second and later starts; the first makes the database."""
    with tempfile.TemporaryDirectory(prefix="tallyman-bench-up-") as folder:
        environ = clean_environ(Path(folder))
        first = _start(environ)
        later = [_start(environ) for _ in range(ROUNDS)]
    return [limited("second start to `ready:`", "s", later, MOST_SECONDS, first=round(first, 1))]


def _start(environ: dict[str, str]) -> float:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "manage.py", "up", "--port", str(port)],
        cwd=PROJECT, env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    try:
        for line in process.stdout or ():
            if "ready:" in line:
                return time.perf_counter() - began
        raise RuntimeError("up ended before it was ready")
    finally:
        process.terminate()
        process.communicate(timeout=60)
