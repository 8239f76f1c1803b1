"""Runs the processes of an installation, starts again what dies, and stops them all."""

import contextlib
import ctypes
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from pkgutil import resolve_name
from typing import NoReturn

from config.embedded import EmbeddedError, EmbeddedServer

STOP_SECONDS = 15.0
CHECK_SECONDS = 0.25
_POLL_SECONDS = 0.05
_BACK_OFF_SECONDS = (0.0, 1.0, 2.0, 5.0, 10.0, 30.0)
_STEADY_SECONDS = 60.0
_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_SET_PARENT_DEATH_SIGNAL = 1
_SET_NAME = 15
_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None


class Child:
    """One long-running program in a group of its own, with everything it starts.

    It is a fork of this process: what is loaded here is neither loaded nor kept once more. `main`
    names its entry point ("package.module:function"), `arguments` are its command line.
    """

    def __init__(self, name: str, main: str, arguments: Sequence[str]) -> None:
        self.name = name
        self._main = main
        self._arguments = arguments
        self._parent = os.getpid()
        self._pid: int | None = None
        self._failures = 0
        self._start_at = 0.0

    def start(self) -> None:
        """Start the program; it does not outlive this process, even when this one is killed."""
        self._start_at = time.monotonic()
        main = resolve_name(self._main)
        sys.stdout.flush()
        sys.stderr.flush()
        with _signals_held():
            self._pid = os.fork()
            if self._pid == 0:
                self._live(main)
        # Both sides do it, so that whichever comes second finds it done.
        with contextlib.suppress(OSError):
            os.setpgid(self._pid, self._pid)

    def check(self) -> str | None:
        """Start the program again when it ended, later and later; return what to tell about it."""
        if self._pid is None:
            if time.monotonic() >= self._start_at:
                self.start()
            return None
        status = self._reap()
        if status is None:
            return None
        if time.monotonic() - self._start_at > _STEADY_SECONDS:
            self._failures = 0
        delay = _BACK_OFF_SECONDS[min(self._failures, len(_BACK_OFF_SECONDS) - 1)]
        self._failures += 1
        self._start_at = time.monotonic() + delay
        return f"{self.name} ended ({_describe(status)}); starting it again"

    def terminate(self) -> None:
        """Ask the program to finish its work and end."""
        if self._pid is not None:
            os.kill(self._pid, signal.SIGTERM)

    def wait(self, deadline: float) -> None:
        """Wait for the end until the deadline (monotonic seconds), then clear the group."""
        while self._pid is not None and self._reap() is None:
            if time.monotonic() > deadline:
                sys.stderr.write(f"{self.name} did not end in time and was killed\n")
                os.killpg(self._pid, signal.SIGKILL)
                deadline += STOP_SECONDS
            time.sleep(_POLL_SECONDS)

    def _reap(self) -> int | None:
        """Return the exit status of a program that has ended, and kill what it left running."""
        if self._pid is None:
            return None
        pid, status = os.waitpid(self._pid, os.WNOHANG)
        if pid == 0:
            return None
        with contextlib.suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)
        self._pid = None
        return os.waitstatus_to_exitcode(status)

    def _live(self, main: Callable[[], object]) -> NoReturn:
        status: object = 1
        try:
            self._become_independent()
            sys.argv = [self.name, *self._arguments]
            main()
            status = 0
        except SystemExit as end:
            status = end.code
        except BaseException:  # noqa: BLE001 - nothing may go on in a copy of the supervisor
            traceback.print_exc()
        finally:
            # Whatever becomes of the flushing: nobody may read what is written any more.
            try:
                sys.stdout.flush()
                sys.stderr.flush()
            finally:
                os._exit(status if isinstance(status, int) else int(status is not None))

    def _become_independent(self) -> None:
        os.setpgid(0, 0)
        if _LIBC is not None:
            # Pool and web processes watch their own parent, so the whole group follows.
            _LIBC.prctl(_SET_PARENT_DEATH_SIGNAL, int(signal.SIGKILL))
            _LIBC.prctl(_SET_NAME, f"tallyman {self.name}".encode())
            if os.getppid() != self._parent:
                os._exit(1)
        # The locks of the supervisor last as long as a copy of their files is open.
        os.closerange(3, os.sysconf("SC_OPEN_MAX"))
        with Path(os.devnull).open() as nothing:
            os.dup2(nothing.fileno(), 0)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOP_SIGNALS)


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

    def watch(self, until: Callable[[], bool], pause: float = CHECK_SECONDS) -> None:
        """Look after everything until the condition holds, every `pause` seconds."""
        while not until():
            self._revive_server()
            for child in self._children:
                if news := child.check():
                    self._tell(news)
            time.sleep(pause)

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


@contextlib.contextmanager
def _signals_held() -> Iterator[None]:
    """What arrives meanwhile is for the handlers of this process, not for a copy of them."""
    signal.pthread_sigmask(signal.SIG_BLOCK, _STOP_SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOP_SIGNALS)


def _describe(status: int) -> str:
    return f"exit status {status}" if status >= 0 else signal.Signals(-status).name
