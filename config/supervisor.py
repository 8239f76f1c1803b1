"""Runs the processes of an installation, starts again what dies, and stops them all."""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence

from config.embedded import EmbeddedError, EmbeddedServer

STOP_SECONDS = 15.0
CHECK_SECONDS = 0.25
_BACK_OFF_SECONDS = (0.0, 1.0, 2.0, 5.0, 10.0, 30.0)
_STEADY_SECONDS = 60.0
_SET_PARENT_DEATH_SIGNAL = 1
_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None


class Child:
    """One long-running process in a group of its own, with everything it starts."""

    def __init__(self, name: str, command: Sequence[str], environ: Mapping[str, str]) -> None:
        self.name = name
        self._command = command
        self._environ = environ
        self._parent = os.getpid()
        self._process: subprocess.Popen[bytes] | None = None
        self._failures = 0
        self._start_at = 0.0

    def start(self) -> None:
        """Start the process; it does not outlive this one, even when this one is killed."""
        self._start_at = time.monotonic()
        self._process = subprocess.Popen(
            self._command,
            env=self._environ,
            stdin=subprocess.DEVNULL,
            process_group=0,
            preexec_fn=self._end_with_parent,  # noqa: PLW1509 - this process has one thread
        )

    def check(self) -> str | None:
        """Start the process again when it died, later and later; return what to tell about it."""
        if self._process is None:
            if time.monotonic() >= self._start_at:
                self.start()
            return None
        status = self._process.poll()
        if status is None:
            return None
        self.kill()
        self._process = None
        if time.monotonic() - self._start_at > _STEADY_SECONDS:
            self._failures = 0
        delay = _BACK_OFF_SECONDS[min(self._failures, len(_BACK_OFF_SECONDS) - 1)]
        self._failures += 1
        self._start_at = time.monotonic() + delay
        return f"{self.name} ended ({_describe(status)}); starting it again"

    def terminate(self) -> None:
        """Ask the process to finish its work and end."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()

    def wait(self, deadline: float) -> None:
        """Wait for the end until the deadline (monotonic seconds), then clear the group."""
        if self._process is not None:
            try:
                self._process.wait(max(deadline - time.monotonic(), 0.0))
            except subprocess.TimeoutExpired:
                sys.stderr.write(f"{self.name} did not end in time and was killed\n")
            self.kill()
            self._process.wait()

    def kill(self) -> None:
        """Kill whatever is left of the process and of those it started."""
        if self._process is not None:
            try:
                os.killpg(self._process.pid, signal.SIGKILL)
            except ProcessLookupError:
                return

    def _end_with_parent(self) -> None:
        if _LIBC is not None:
            # Pool and web processes watch their own parent, so the whole group follows.
            _LIBC.prctl(_SET_PARENT_DEATH_SIGNAL, int(signal.SIGKILL))
            if os.getppid() != self._parent:
                os._exit(1)


class Supervisor:
    """Keeps children and the embedded server alive until told to stop."""

    def __init__(
        self,
        children: Sequence[Child],
        server: EmbeddedServer | None,
        tell: Callable[[str], object],
    ) -> None:
        self._children = children
        self._server = server
        self._tell = tell

    def start(self) -> None:
        """Start every child."""
        for child in self._children:
            child.start()

    def watch(self, until: Callable[[], bool]) -> None:
        """Look after everything until the condition holds."""
        while not until():
            self._revive_server()
            for child in self._children:
                if news := child.check():
                    self._tell(news)
            time.sleep(CHECK_SECONDS)

    def stop(self) -> None:
        """End every child: gently at first, and whatever remains after STOP_SECONDS by force."""
        for child in self._children:
            child.terminate()
        deadline = time.monotonic() + STOP_SECONDS
        for child in self._children:
            child.wait(deadline)

    def _revive_server(self) -> None:
        if self._server is None:
            return
        try:
            if self._server.revive():
                self._tell("PostgreSQL had ended; it runs again")
        except (EmbeddedError, OSError) as error:
            self._tell(str(error))
            time.sleep(1.0)


def _describe(status: int) -> str:
    return f"exit status {status}" if status >= 0 else signal.Signals(-status).name
