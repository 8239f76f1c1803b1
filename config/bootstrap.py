"""What an installation needs before it can serve: schema, prices, an admin, a key, static files."""

import hashlib
import os
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from pkgutil import iter_modules

from django.apps import apps
from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone

from budgets.demo import set_demo_budgets
from budgets.demo_alerts import set_demo_alerts
from budgets.demo_calls import ask_demo_calls
from budgets.opening import roll_over
from pricing.catalogue import load_catalogue
from usage.keys import create_key
from usage.models import APIKey, UsageEvent

ADMIN = "admin"
FIRST_ORGANIZATION = "default"


@dataclass(frozen=True, slots=True)
class FirstAdmin:
    """The account made on the first start; the password is None when the operator chose it."""

    username: str
    password: str | None


def prepare_database() -> None:
    """Bring the schema, the prices that ship with Tallyman and the windows of budgets up to date;
    no network."""
    if not _is_migrated():
        call_command("migrate", interactive=False, verbosity=0)
    load_catalogue()
    roll_over(timezone.now())


def ensure_admin(password: str | None) -> FirstAdmin | None:
    """Make the first superuser unless one exists; None when nothing was made.

    Without a password one is generated, and is known only from what this returns.
    """
    users = get_user_model()
    if users.objects.filter(is_superuser=True).exists():
        return None
    generated = None if password else secrets.token_urlsafe(12)
    users.objects.create_superuser(ADMIN, password=password or generated)
    return FirstAdmin(ADMIN, generated)


def ensure_key() -> str | None:
    """Make the first API key unless there is any; return it, as it cannot be shown again."""
    if APIKey.objects.exists():
        return None
    _, key = create_key(FIRST_ORGANIZATION, ("ingest", "read"), "first key")
    return key


def ensure_demo() -> None:
    """Fill the installation with the demonstration data, unless it holds any events."""
    if not UsageEvent.objects.exists():
        call_command("demo")
        set_demo_budgets(timezone.now())
        ask_demo_calls(timezone.now())
        set_demo_alerts(timezone.now())


def ensure_static_files() -> None:
    """Collect static files where that is how they are served and any has changed."""
    if settings.DEBUG:
        return
    root = Path(settings.STATIC_ROOT)
    stamp = root / ".sources"
    digest = _digest(_static_sources())
    if not stamp.exists() or stamp.read_text() != digest:
        call_command("collectstatic", interactive=False, clear=True, verbosity=0)
        stamp.write_text(digest)


def _is_migrated() -> bool:
    """Whether `migrate` has nothing to do, its last step included: permissions for every app.

    Every migration that there is a file of has to be applied; loading them takes far longer.
    """
    applied = set(MigrationRecorder(connection).applied_migrations())
    present = {
        (app.label, migration.name)
        for app in apps.get_app_configs()
        for migration in iter_modules([str(Path(app.path) / "migrations")])
    }
    if present - applied:
        return False
    permitted = set(Permission.objects.values_list("content_type__app_label", flat=True).distinct())
    return all(app.label in permitted for app in apps.get_app_configs() if any(app.get_models()))


def _static_sources() -> Iterable[Path]:
    for finder in get_finders():
        for name, storage in finder.list([]):
            yield Path(storage.path(name))


def _digest(paths: Iterable[Path]) -> str:
    found = hashlib.sha256()
    for path in sorted(paths):
        state = path.stat()
        found.update(os.fsencode(f"{path}|{state.st_size}|{state.st_mtime_ns}\n"))
    return found.hexdigest()
