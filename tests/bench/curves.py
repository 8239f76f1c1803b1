"""How figures grow with events, with budgets and with clients: rates and latencies by size."""

import random
import statistics
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

from tests.bench.asking import make_many, question
from tests.bench.large import large
from tests.bench.load import Load, drive, make_bodies, post, post_events, spread
from tests.bench.reads import read_paths, reader
from tests.bench.stack import Stack, running_stack, serving

EVENTS = {"small": (100_000, 1_000_000), "full": (100_000, 1_000_000, 10_000_000)}
BUDGETS, CLIENTS = (10, 1000, 10_000), (1, 8, 64)
ROUNDS, SINGLES, BATCHES, READS = 3, 800, 24, 12
_ROLL_UP_A_WEEK = """
import time
from django.db import connection
from usage.rollups import roll_up
week = "occurred_at >= now() - interval '7 days'"
with connection.cursor() as cursor:
    cursor.execute(
        "INSERT INTO usage_dirtymark (organization_id, bucket) SELECT DISTINCT organization_id,"
        f" date_bin('15 minutes', occurred_at, 'epoch') FROM usage_usageevent WHERE {week}"
    )
    cursor.execute(f"SELECT count(*) FROM usage_usageevent WHERE {week}")
    events = cursor.fetchone()[0]
began = time.perf_counter()
roll_up(wait=True)
print((time.perf_counter() - began) / events * 1e6)
"""
Curve = dict[str, list[float]]


def measure_curves(size: str) -> dict[str, Any]:
    """The three curves: what was varied as `x`, and every figure's values in that order."""
    with running_stack() as stack:
        post_events(stack, make_bodies(4, 1000, seed=1), 4)
        clients = _curve(CLIENTS, lambda count: _by_clients(stack, count))
        budgets = _curve(BUDGETS, lambda count: _by_budgets(stack, count))
    return {"events": _curve(EVENTS[size], _by_events), "budgets": budgets, "clients": clients}


def _curve(sizes: Iterable[int], measure: Callable[[int], dict[str, float]]) -> Curve:
    curve: Curve = {"x": []}
    for size in sizes:
        curve["x"].append(size)
        for name, value in measure(size).items():
            curve.setdefault(name, []).append(round(value, 3))
    return curve


def _by_events(events: int) -> dict[str, float]:
    with large(events) as quiet:
        per_event = float(quiet.shell(_ROLL_UP_A_WEEK))
        with serving(quiet) as stack:
            read = reader(stack)
            paths = read_paths(datetime.now(UTC))
            for path in (*paths, "/admin/"):
                read(path, 2)
            medians = [statistics.median(read(path, READS).times) for path in paths]
            page = statistics.median(read("/admin/", READS).times)
            post_events(stack, make_bodies(4, 1000, seed=events), 4)
            batches = _batches(stack, 4, events + 1)
    return {
        "reads, p50 of the median one, ms": statistics.median(medians) * 1000,
        "reads, p50 of the slowest, ms": max(medians) * 1000,
        "overview page, p50, ms": page * 1000,
        "roll up of a week, µs an event": per_event,
        "ingest in batches, events/s": batches.rate * 1000,
    }


def _by_budgets(stack: Stack, count: int) -> dict[str, float]:
    make_many(stack, count)
    return {**_singles(stack, 8, count), **_checks(stack, 8)}


def _by_clients(stack: Stack, clients: int) -> dict[str, float]:
    batches = _batches(stack, clients, clients)
    return {
        "ingest in batches, events/s": batches.rate * 1000,
        "batches, p50, ms": spread(batches.times)["p50_ms"],
        "batches, p99, ms": spread(batches.times)["p99_ms"],
        **_singles(stack, clients, clients),
        **_checks(stack, clients),
    }


def _batches(stack: Stack, clients: int, seed: int) -> Load:
    return _middle(
        [
            post_events(stack, make_bodies(BATCHES, 1000, 10 * seed + n), clients)
            for n in range(ROUNDS)
        ]
    )


def _singles(stack: Stack, clients: int, seed: int) -> dict[str, float]:
    post_events(stack, make_bodies(50, 1, seed * 100), clients)
    rounds = [
        post_events(stack, make_bodies(SINGLES, 1, seed * 100 + n), clients)
        for n in range(1, ROUNDS + 1)
    ]
    return _told("ingest singly, events", _middle(rounds))


def _checks(stack: Stack, clients: int) -> dict[str, float]:
    chance = random.Random(clients)

    def checks(count: int) -> Load:
        bodies = [question(chance) for _ in range(count)]
        requests = [post(stack, "/api/v1/budgets/check/", body) for body in bodies]
        return drive(stack.port, requests, clients)

    checks(50)
    return _told("budget checks", _middle([checks(SINGLES) for _ in range(ROUNDS)]))


def _told(what: str, load: Load) -> dict[str, float]:
    times = spread(load.times)
    return {
        f"{what}/s": load.rate,
        f"{what}, p50, ms": times["p50_ms"],
        f"{what}, p99, ms": times["p99_ms"],
    }


def _middle(loads: list[Load]) -> Load:
    return sorted(loads, key=lambda load: load.rate)[len(loads) // 2]
