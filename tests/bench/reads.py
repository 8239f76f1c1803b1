"""Reads over HTTP and pages of the admin, of a large installation beside a small one."""

import statistics
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from django.contrib.admin.utils import quote

from tests.bench.figures import Figure
from tests.bench.large import sign_in
from tests.bench.load import Load, drive, get, percentile
from tests.bench.stack import Stack

WARM, ROUNDS, REQUESTS = 2, 4, 5
MOST_READ_MS, MOST_PAGE_MS, MOST_RATIO = 100, 300, 1.5
BARE_PAGE, NO_PAGE = "/admin/password_change/", "/admin/jsi18n/"
"""A page with nothing but what frames every page; and what only reads who is signed in."""
Reader = Callable[[str, int], Load]


def read_paths(now: datetime) -> list[str]:
    """The reads that ask for much: sums by group, and the ready-made summaries."""
    month = f"{now - timedelta(days=30):%Y-%m-%d}"
    year = f"{now - timedelta(days=365):%Y-%m-%d}"
    return [
        f"/api/v1/usage/?from={month}&granularity=day&group_by=model",
        f"/api/v1/usage/?from={month}&granularity=day&group_by=project",
        f"/api/v1/usage/?from={year}&granularity=month&group_by=organization,model",
        "/api/v1/summary/",
        "/api/v1/organizations/acme/summary/",
        "/api/v1/projects/?organization=acme",
        "/api/v1/projects/project-000/summary/?organization=acme",
        "/api/v1/subjects/person-0001/?organization=acme",
        "/admin/charts/spend/?range=year&group=model",
    ]


def page_paths(stack: Stack) -> list[str]:
    """The pages of the admin: the fixed ones, and one of each kind that has names."""
    session, run = (_longest(stack, kind) for kind in ("session", "run"))
    return [
        "/admin/",
        "/admin/?range=year&group=subject",
        "/admin/organizations/acme/",
        "/admin/projects/acme/project-000/ai-cost/",
        "/admin/people/acme/person-0001/",
        f"/admin/sessions/acme/{quote(session)}/",
        f"/admin/runs/acme/{quote(run)}/",
        "/admin/models/anthropic/claude-sonnet-4-5/",
        *(f"/admin/{name}/" for name in ("organizations", "projects", "people", "models")),
        *(f"/admin/{name}/" for name in ("sessions", "runs", "chargeback", "advice", "unpriced")),
        "/admin/budgets/budget/",
        "/admin/usage/usageevent/",
        "/admin/usage/usageevent/?project=project-000&organization=acme",
        "/admin/usage/usageevent/?model=claude-sonnet-4-5",
        "/admin/charts/spend/?range=year&group=subject",
    ]


def bench_reads(many: Stack, few: Stack) -> list[Figure]:
    """Each read of both installations in turns: the ratio of medians, and the slowest of many."""
    large, small = reader(many), reader(few)
    figures = []
    for path in read_paths(datetime.now(UTC)):
        times: dict[Reader, list[float]] = {large: [], small: []}
        for one in (large, small):
            one(path, WARM)
        for number in range(ROUNDS):
            for one in (large, small) if number % 2 else (small, large):
                times[one] += one(path, REQUESTS).times
        p50, p50_few = (statistics.median(times[one]) * 1000 for one in (large, small))
        p95 = percentile(times[large], 0.95)
        ratio = p50 / p50_few
        met = ratio <= MOST_RATIO and p95 <= MOST_READ_MS
        target = f"≤ {MOST_RATIO} x, p95 ≤ {MOST_READ_MS} ms"
        figures.append(
            Figure(
                f"read {_short(path)}", p50, "ms", "of the small one", p50_few, ratio, target, met,
                {"p95_ms": p95},
            )
        )  # fmt: skip
    return figures


def bench_pages(stack: Stack) -> list[Figure]:
    """Every page to its last byte."""
    read = reader(stack)
    figures = []
    for path in [NO_PAGE, BARE_PAGE, *page_paths(stack)]:
        read(path, WARM)
        load = read(path, 2 * REQUESTS)
        p95 = percentile(load.times, 0.95)
        bare = path in (NO_PAGE, BARE_PAGE)
        figures.append(
            Figure(
                f"page {_short(path)}", p95, "ms",
                target="" if bare else f"p95 ≤ {MOST_PAGE_MS} ms",
                met=None if bare else p95 <= MOST_PAGE_MS,
                details={
                    "p50_ms": percentile(load.times, 0.5), "kilobytes": load.last_bytes // 1024,
                },
            )
        )  # fmt: skip
    return figures


def reader(stack: Stack) -> Reader:
    """Reads a path so many times over one connection, as the admin."""
    cookie = sign_in(stack)

    def read(path: str, count: int) -> Load:
        return drive(stack.port, [get(stack, path, cookie)] * count, 1)

    return read


def _longest(stack: Stack, kind: str) -> str:
    found = stack.query(
        f"SELECT {kind}_id FROM usage_{kind}rollup JOIN usage_organization o"
        " ON o.id = organization_id WHERE o.slug = 'acme' ORDER BY events DESC LIMIT 1"
    )
    return str(found[0][0]) if found else ""


def _short(path: str) -> str:
    return path.removeprefix("/api/v1").replace("&organization=acme", "")
