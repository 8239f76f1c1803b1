"""`up`: the whole installation in the foreground, from an empty folder to answered requests."""

import contextlib
import fcntl
import gc
import os
import signal
import socket
import time
import urllib.error
import urllib.request
import warnings
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import connections

from config import bootstrap
from config.embedded import EmbeddedError, EmbeddedServer, embedded_wanted
from config.supervisor import Child, Supervisor

PORT_FREE_SECONDS = 3.0
READY_SECONDS = 180.0
START_POLL_SECONDS = 0.05
_WILDCARDS = ("", "0.0.0.0")  # noqa: S104 - compared with, never a default


class StopRequested(BaseException):
    """SIGINT or SIGTERM arrived."""


class Command(BaseCommand):
    """Database, migrations, prices, first admin, then web server, worker and beat."""

    help = "Run everything in the foreground; Ctrl-C stops it all.\n\nExample: manage.py up --demo"
    requires_system_checks = []

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> Any:
        """Keep the line breaks of the help text."""
        kwargs.setdefault("formatter_class", RawDescriptionHelpFormatter)
        return super().create_parser(prog_name, subcommand, **kwargs)

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
        parser.add_argument("--port", type=int, default=8000, help="port to listen on")
        parser.add_argument("--demo", action="store_true", help="fill it with a year of demo data")
        parser.add_argument("--workers", type=int, default=2, help="web processes")

    def handle(self, *_: Any, **options: Any) -> None:
        """Run until SIGINT or SIGTERM; CommandError when it cannot start."""
        server = EmbeddedServer(settings.TALLYMAN_DATA) if embedded_wanted(os.environ) else None
        try:
            for number in (signal.SIGINT, signal.SIGTERM):
                signal.signal(number, _request_stop)
            with _only_one(settings.TALLYMAN_DATA):
                self._run(server, options)
        except StopRequested:
            self._say("stopped")
        except (EmbeddedError, LookupError, OSError) as error:
            raise CommandError(str(error)) from error

    def _run(self, server: EmbeddedServer | None, options: dict[str, Any]) -> None:
        host, port = options["host"], options["port"]
        _check_port(host, port)
        supervisor = Supervisor(_children(host, port, options["workers"]), server, self._warn)
        try:
            if server is not None:
                server.attach()
            news = self._prepare(demo=options["demo"])
            _set_for_children(host, port)
            supervisor.start()
            self._await_ready(supervisor, host, port)
            self._announce(host, port, *news)
            supervisor.watch(lambda: False)
        finally:
            for number in (signal.SIGINT, signal.SIGTERM):
                signal.signal(number, signal.SIG_IGN)
            supervisor.stop()
            if server is not None:
                server.detach()

    def _prepare(self, *, demo: bool) -> tuple[bootstrap.FirstAdmin | None, str | None]:
        bootstrap.prepare_database()
        bootstrap.ensure_static_files()
        admin = bootstrap.ensure_admin(os.environ.get("TALLYMAN_ADMIN_PASSWORD"))
        key = bootstrap.ensure_key()
        if demo:
            bootstrap.ensure_demo()
        connections.close_all()
        return admin, key

    def _await_ready(self, supervisor: Supervisor, host: str, port: int) -> None:
        deadline = time.monotonic() + READY_SECONDS
        url = f"http://{_reachable(host)}:{port}/healthz"
        supervisor.watch(lambda: _answers(url) or time.monotonic() > deadline, START_POLL_SECONDS)
        if time.monotonic() > deadline:
            raise CommandError("the web server did not answer in time; its messages are above")

    def _announce(
        self, host: str, port: int, admin: bootstrap.FirstAdmin | None, key: str | None
    ) -> None:
        base = f"http://{_reachable(host)}:{port}"
        if admin is not None:
            password = admin.password or "the one in TALLYMAN_ADMIN_PASSWORD"
            self._say(f"login: {base}/admin/ as {admin.username}, password {password}")
        if key is None:
            self._say("new API key: manage.py apikey create --organization SLUG --scope ingest")
        else:
            self._say(f"try: {_curl(base, key)}")
        if host in _WILDCARDS and "ALLOWED_HOSTS" not in os.environ:
            self._say("note: set ALLOWED_HOSTS to the names by which other machines may call this")
        self._say(f"ready: {base}/")

    def _say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()

    def _warn(self, line: str) -> None:
        self.stderr.write(line)


def _request_stop(_number: int, _frame: object) -> NoReturn:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    raise StopRequested


@contextlib.contextmanager
def _only_one(data: Path) -> Iterator[None]:
    data.mkdir(parents=True, exist_ok=True)
    with (data / "up.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CommandError(f"Tallyman already runs on {data}") from None
        yield


def _check_port(host: str, port: int) -> None:
    deadline = time.monotonic() + PORT_FREE_SECONDS
    # The web server of an `up` that was killed needs a moment to end.
    while True:
        try:
            with socket.create_server((host, port)):
                return
        except OSError as error:
            if time.monotonic() > deadline:
                raise CommandError(f"cannot listen on {host}:{port}: {error.strerror}") from None
            time.sleep(0.2)


def _children(host: str, port: int, workers: int) -> list[Child]:
    web = ["-c", "python:config.web_server", "-b", f"{host}:{port}", "-w", str(workers)]
    celery = ["--quiet", "-A", "config.celery"]
    # An export, a re-rating and a month being kept may each take a process for minutes; the roll
    # up must find one all the same.
    worker = ["worker", "--loglevel", "WARNING", "--concurrency", "4"]
    tuning = ["--without-gossip", "--without-mingle", "--without-heartbeat"]
    beat = ["beat", "--loglevel", "WARNING", "--pidfile", ""]
    return [
        Child("web", "gunicorn.app.wsgiapp:run", web),
        Child("worker", "celery.bin.celery:main", [*celery, *worker, *tuning]),
        Child("beat", "celery.bin.celery:main", [*celery, *beat]),
    ]


def _set_for_children(host: str, port: int) -> None:
    """Say what the children, which are forks of this process, are to find."""
    if "ALLOWED_HOSTS" not in os.environ:
        settings.ALLOWED_HOSTS = [*settings.ALLOWED_HOSTS, host]
    if "TALLYMAN_PUBLIC_URL" not in os.environ:
        settings.TALLYMAN_PUBLIC_URL = f"http://{_reachable(host)}:{port}"
    # As root, Celery warns on every start; tasks are JSON, so nothing here unpickles a message.
    warnings.filterwarnings("ignore", "You're running the worker with superuser privileges")
    # It would run Django's checks, and not look at what they find.
    os.environ.setdefault("CELERY_SKIP_CHECKS", "1")
    # Every page and every path, once for all web processes; nothing connects while loading.
    import_module(settings.ROOT_URLCONF)
    gc.freeze()


def _reachable(host: str) -> str:
    return "127.0.0.1" if host in _WILDCARDS else host


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:  # noqa: S310 - http, from our options
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _curl(base: str, key: str) -> str:
    event = (
        '{"event_id": "first", "occurred_at": "\'$(date -u +%FT%TZ)\'", "project": "demo", '
        '"provider": "anthropic", "model": "claude-sonnet-4-5", '
        '"input_tokens": 1200, "output_tokens": 300}'
    )
    return (
        f"curl -sS {base}/api/v1/events/ -H 'Authorization: Bearer {key}'"
        f" -H 'Content-Type: application/json' -d '{event}'"
    )
