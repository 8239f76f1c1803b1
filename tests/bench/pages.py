"""How long dashboards take to arrive whole, over a demonstration year."""

import http.client
import statistics
import time
from dataclasses import dataclass
from typing import Any

import psycopg
from django.contrib.admin.utils import quote

from tests.bench.stack import Stack

WARM, REQUESTS = 3, 30
BARE_PAGE, NO_PAGE = "/admin/password_change/", "/admin/jsi18n/"
"""A page with nothing but what frames every page; and what only reads who is signed in."""
_SIGN_IN = """
from importlib import import_module
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.models import User
from django.utils import timezone
from budgets.demo import set_demo_budgets
set_demo_budgets(timezone.now())
user = User.objects.create_superuser("bench", password="bench")
session = import_module(settings.SESSION_ENGINE).SessionStore()
session[SESSION_KEY] = str(user.pk)
session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
session[HASH_SESSION_KEY] = user.get_session_auth_hash()
session.create()
print(f"{settings.SESSION_COOKIE_NAME}={session.session_key}")
"""


@dataclass(frozen=True)
class Times:
    """Milliseconds to the last byte, and how large a page is."""

    p50_ms: float
    p95_ms: float
    kilobytes: int


def bench_pages(stack: Stack) -> dict[str, dict[str, Any]]:
    """The times of every dashboard, with NO_PAGE and BARE_PAGE as yardsticks."""
    stack.manage("demo")
    cookie = stack.manage("shell", "--no-imports", "-c", _SIGN_IN).split()[-1]
    found = measure_pages(stack.port, cookie, [NO_PAGE, BARE_PAGE, *demo_pages(stack.conninfo)])
    return {path: vars(times) for path, times in found.items()}


def measure_pages(port: int, cookie: str, paths: list[str]) -> dict[str, Times]:
    """The times of each path over one keep-alive connection, as who has this cookie."""
    connection = http.client.HTTPConnection("127.0.0.1", port)
    try:
        return {path: _measure(connection, cookie, path) for path in paths}
    finally:
        connection.close()


def demo_pages(conninfo: str) -> list[str]:
    """The dashboards of the demonstration: the fixed ones, and one of each kind that has names."""
    with psycopg.connect(conninfo) as connection:
        session, run = (_longest(connection, kind) for kind in ("session", "run"))
    return [
        "/admin/",
        "/admin/?range=year&group=subject",
        "/admin/organizations/acme/",
        "/admin/projects/acme/checkout/ai-cost/",
        "/admin/people/acme/anna.weber/",
        f"/admin/sessions/acme/{quote(session)}/",
        f"/admin/runs/acme/{quote(run)}/",
        "/admin/models/anthropic/claude-sonnet-4-5/",
        *(f"/admin/{name}/" for name in ("organizations", "projects", "people", "models")),
        *(f"/admin/{name}/" for name in ("sessions", "runs", "chargeback", "advice", "unpriced")),
        "/admin/budgets/budget/",
        "/admin/usage/usageevent/",
        "/admin/charts/spend/?range=year&group=subject",
    ]


def _longest(connection: psycopg.Connection, kind: str) -> str:
    row = connection.execute(
        f"SELECT {kind}_id FROM usage_{kind}rollup JOIN usage_organization o"
        " ON o.id = organization_id WHERE o.slug = 'acme' ORDER BY events DESC LIMIT 1"
    ).fetchone()
    return str(row[0]) if row else ""


def _measure(connection: http.client.HTTPConnection, cookie: str, path: str) -> Times:
    taken, size = [], 0
    for number in range(WARM + REQUESTS):
        began = time.perf_counter()
        connection.request("GET", path, headers={"Cookie": cookie})
        answer = connection.getresponse()
        size = len(answer.read())
        if answer.status != 200:
            raise RuntimeError(f"{path}: {answer.status}")
        if number >= WARM:
            taken.append((time.perf_counter() - began) * 1000)
    taken.sort()
    return Times(
        round(statistics.median(taken), 1),
        round(taken[len(taken) * 95 // 100], 1),
        round(size / 1024),
    )
