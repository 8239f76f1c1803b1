"""Readers of the process environment: the only place that knows how a variable is spelled."""

import re
import secrets
from collections.abc import Iterable, Mapping
from decimal import Decimal
from importlib.machinery import ModuleSpec
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.core.exceptions import ImproperlyConfigured
from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from config.embedded import EmbeddedServer, embedded_wanted

# Server-side cursors and prepared statements both outlive a transaction, so neither survives a
# pooler that hands out a server connection per transaction.
_CONNECTION: dict[str, Any] = {
    "ENGINE": "config.postgres",
    "CONN_MAX_AGE": 600,
    "CONN_HEALTH_CHECKS": True,
    "DISABLE_SERVER_SIDE_CURSORS": True,
}


def database(url: str) -> dict[str, Any]:
    """Return the Django database settings for a libpq URL or conninfo string.

    Raises ImproperlyConfigured when the text is not one that libpq understands.
    """
    try:
        params = conninfo_to_dict(url)
    except ProgrammingError as error:
        raise ImproperlyConfigured(f"not a PostgreSQL URL: {error}") from None
    return {
        **_CONNECTION,
        "NAME": params.pop("dbname", "") or "tallyman",
        "USER": params.pop("user", "") or "",
        "PASSWORD": params.pop("password", "") or "",
        "HOST": params.pop("host", "") or "",
        "PORT": str(params.pop("port", "") or ""),
        "OPTIONS": {**params, "prepare_threshold": None},
    }


def databases(environ: Mapping[str, str], data: Path) -> dict[str, dict[str, Any]]:
    """Return DATABASES: the configured server or the embedded one, and the optional replica."""
    if embedded_wanted(environ):
        found = {"default": database(EmbeddedServer(data).conninfo)}
    else:
        found = {"default": database(environ["DATABASE_URL"])}
    if replica := environ.get("DATABASE_REPLICA_URL"):
        settings = database(replica)
        # A replica that does not answer soon is left out.
        settings["OPTIONS"].setdefault("connect_timeout", "2")
        found["replica"] = {**settings, "TEST": {"MIRROR": "default"}}
    return found


def conninfo(settings: Mapping[str, Any]) -> str:
    """Return the libpq conninfo string of one entry of DATABASES."""
    params = {
        "host": settings["HOST"],
        "port": settings["PORT"],
        "dbname": settings["NAME"],
        "user": settings["USER"],
        "password": settings["PASSWORD"],
        **settings["OPTIONS"],
    }
    del params["prepare_threshold"]
    return make_conninfo(**{name: value for name, value in params.items() if value})


def secret_key(environ: Mapping[str, str], data: Path, *, debug: bool) -> str:
    """Return SECRET_KEY, which beside the embedded database is made once and kept (mode 600).

    Raises ImproperlyConfigured when it is missing though a database server is configured and
    DEBUG is off.
    """
    if given := environ.get("SECRET_KEY"):
        return given
    if embedded_wanted(environ):
        return _kept_secret(data / "secret_key")
    if debug:
        return "insecure-key-for-debugging-only"
    raise ImproperlyConfigured("SECRET_KEY must be set when DATABASE_URL is set")


def _kept_secret(path: Path) -> str:
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
        draft.touch(mode=0o600)
        draft.write_text(secrets.token_urlsafe(48))
        # A hard link is taken by one of several processes that start at once; all read its text.
        try:
            path.hardlink_to(draft)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_text().strip()


def static_folders(base: Path, chart_package: ModuleSpec | None) -> list[Path | tuple[str, Path]]:
    """Return STATICFILES_DIRS: Tallyman's own files, and Chart.js under the prefix "chartjs".

    Raises ImproperlyConfigured when the package that ships Chart.js is not installed.
    """
    if chart_package is None or not chart_package.submodule_search_locations:
        raise ImproperlyConfigured("the package that ships Chart.js (django-unfold) is missing")
    package = Path(chart_package.submodule_search_locations[0])
    own = base / "static"
    charts: list[Path | tuple[str, Path]] = [
        ("chartjs", package / "static" / "unfold" / "js" / "chart")
    ]
    return [own, *charts] if own.is_dir() else charts


def static_storage(*, debug: bool) -> str:
    """Return the storage class of static files: hashed names wherever they are collected."""
    if debug:
        return "django.contrib.staticfiles.storage.StaticFilesStorage"
    return "whitenoise.storage.CompressedManifestStaticFilesStorage"


def broker_options(url: str, database: Mapping[str, Any]) -> dict[str, Any]:
    """Return Celery's transport options; times are seconds.

    The queue in PostgreSQL is read without server-side polling, because a poll would hold the
    connection and its transaction; a read that finds nothing costs well under a millisecond.
    """
    if url.startswith(("amqp", "pyamqp")):
        # Else what RabbitMQ has taken but not written yet is lost with it.
        return {"confirm_publish": True}
    if not url.startswith("pgmq://"):
        return {"visibility_timeout": 3600}
    return {
        "conn_string": conninfo(database),
        "init_extension": False,
        "polling_interval": 0.2,
        "pool_size": 2,
        "pool_timeout": 5,
        "visibility_timeout": 3600,
        "wait_time_seconds": 0,
    }


def time_zone(name: str) -> str:
    """Return the name of a time zone; ImproperlyConfigured when there is none of that name."""
    try:
        return ZoneInfo(name).key
    except (ValueError, ZoneInfoNotFoundError):
        raise ImproperlyConfigured(f"TALLYMAN_TIME_ZONE: no time zone {name!r}") from None


def currency(code: str) -> str:
    """Return an ISO 4217 code; ImproperlyConfigured when the text cannot be one."""
    if not re.fullmatch("[A-Z]{3}", code):
        raise ImproperlyConfigured(f"TALLYMAN_CURRENCY: not an ISO 4217 code: {code!r}")
    return code


def amount(text: str) -> Decimal:
    """Return an amount of money above zero; ImproperlyConfigured when the text is none."""
    if not re.fullmatch(r"\d{1,15}(\.\d{1,10})?", text) or not Decimal(text):
        raise ImproperlyConfigured(f"TALLYMAN_ANOMALY_MINIMUM: no amount above zero: {text!r}")
    return Decimal(text)


def public_url(text: str) -> str:
    """Return the address of the site without a slash at its end.

    Raises ImproperlyConfigured where it is not one of a web site.
    """
    if not re.fullmatch(r"https?://[^\s/?#@]+(/[^\s?#]*)?", text):
        raise ImproperlyConfigured(f"TALLYMAN_PUBLIC_URL: not the address of a site: {text!r}")
    return text.rstrip("/")


def networks(texts: Iterable[str]) -> tuple[IPv4Network | IPv6Network, ...]:
    """Return networks such as 10.1.0.0/16; ImproperlyConfigured where one cannot be read."""
    try:
        return tuple(ip_network(text.strip()) for text in texts)
    except ValueError as error:
        raise ImproperlyConfigured(f"TALLYMAN_ALLOWED_NETWORKS: {error}") from None


def address_starts(texts: Iterable[str]) -> tuple[str, ...]:
    """Return what addresses may begin with, each up to a slash, so that no host is cut short."""
    return tuple(f"{text.strip().rstrip('/')}/" for text in texts)


def service_url(name: str, text: str, allowed: Iterable[IPv4Network | IPv6Network]) -> str:
    """Return the address of a provider's API without a slash at its end.

    It must be https, since a key is sent there; http is accepted for this machine itself and
    for an address in the networks that are allowed. Raises ImproperlyConfigured.
    """
    try:
        parts = urlsplit(text)
    except ValueError as error:
        raise ImproperlyConfigured(f"{name}: not an address: {error}") from None
    host = parts.hostname or ""
    plain = parts.scheme == "http" and (host == "localhost" or _is_inside(host, allowed))
    if not host or parts.username or parts.query or not (plain or parts.scheme == "https"):
        raise ImproperlyConfigured(f"{name}: not an address that a key may be sent to: {text!r}")
    return text.rstrip("/")


def _is_inside(host: str, allowed: Iterable[IPv4Network | IPv6Network]) -> bool:
    try:
        address = ip_address(host)
    except ValueError:
        return False
    return address.is_loopback or any(address in network for network in allowed)
