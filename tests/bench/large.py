"""Large installations to measure on, kept from run to run under var/bench or BENCH_DATA.

`python -m tests.bench.large FOLDER EVENTS` makes one. Remove a folder to have it made anew.
"""

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.bench.stack import Stack, installed

_SIGN_IN = """
from importlib import import_module
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.models import User
user = User.objects.get(username="bench")
session = import_module(settings.SESSION_ENGINE).SessionStore()
session[SESSION_KEY] = str(user.pk)
session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
session[HASH_SESSION_KEY] = user.get_session_auth_hash()
session.create()
print(f"{settings.SESSION_COOKIE_NAME}={session.session_key}")
"""
_FILLED, _SUMMED = "READY", "ROLLED"


def make_large(stack: Stack, events: int, folder: Path) -> None:
    """Events, `READY`, sums, budgets, `ROLLED`; the admin signs in as bench, bench."""
    fill_once(stack, events, folder)
    if not (folder / _SUMMED).exists():
        stack.manage("rollup", "--rebuild")
        stack.shell("from tests.bench.population import make_budgets", "make_budgets()")
        (folder / _SUMMED).touch()


def fill_once(stack: Stack, events: int, folder: Path, days: int = 395) -> None:
    """Store events of so many days, unless that is done."""
    if not (folder / _FILLED).exists():
        stack.shell("from tests.bench.scale import fill", f"fill({events}, {days})")
        (folder / _FILLED).touch()


@contextlib.contextmanager
def large(events: int) -> Iterator[Stack]:
    """An installation with so many events of thirteen months and all their sums."""
    folder = kept_folder(f"{events}")
    with installed(folder) as stack:
        make_large(stack, events, folder)
        yield stack


def kept_folder(name: str) -> Path:
    """Where an installation is kept."""
    folder = Path(os.environ.get("BENCH_DATA", "var/bench")).resolve() / name
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def sign_in(stack: Stack) -> str:
    """The cookie of the admin's session."""
    return stack.shell(_SIGN_IN).split()[-1]


if __name__ == "__main__":
    target = Path(sys.argv[1])
    with installed(target) as made:
        make_large(made, int(sys.argv[2]), target)
