"""What budgets cost: ingest with five that match each event, and how fast they answer."""

import json
import random
import time
from dataclasses import replace
from typing import Any

from rich.table import Table

from tests.bench.load import MODELS, Poster, in_parallel, make_bodies, post_all, spread
from tests.bench.stack import Stack

ROUNDS = 5
BATCHES, BATCH_SIZE, BATCH_CLIENTS = 16, 1000, 4
SINGLES, CLIENTS = 800, 8
BUDGETS, CALLS = 1000, 1200
_SETUP = """
from decimal import Decimal
from budgets.models import Budget
from budgets.setting import Actor, save_budget
from usage.models import Organization
owner = Organization.objects.get(slug="bench")
"""
_FIVE = """
for number, row in enumerate((
    dict(period="day", enforcement="hard"), dict(period="month"),
    dict(per="project", period="month", enforcement="hard"),
    dict(per="subject", period="day"), dict(period="week", measure="tokens"),
)):
    name = f"bench {number}"
    found = Budget.objects.filter(organization=owner, name=name).first()
    found = found or Budget(organization=owner, name=name, limit=Decimal(10) ** 15, **row)
    found.enabled = ENABLED
    save_budget(found, None, Actor(None, "bench"))
"""
_MANY = """
from datetime import datetime, timezone
from budgets.book import new_edition
from budgets.opening import roll_over
from usage.models import Subject
subjects = list(Subject.objects.filter(organization=owner).order_by("pk"))
since = datetime(2020, 1, 1, tzinfo=timezone.utc)
Budget.objects.bulk_create(
    Budget(
        organization=owner, subject=subjects[n % len(subjects)], action=f"a{n // len(subjects)}",
        limit=10**9, enforcement=("hard", "soft")[n % 2], counts_since=since,
    )
    for n in range(COUNT)
)
new_edition()
roll_over(datetime.now(timezone.utc))
"""


def bench_budgets(stack: Stack) -> dict[str, Any]:
    """Rates with and without budgets in turns, then latencies among a thousand of them."""
    scopes = ("--scope", "ingest", "--scope", "check")
    key = stack.manage("apikey", "create", "--organization", "bench", *scopes)
    stack = replace(stack, key=key.split()[-1])
    post_all(stack, make_bodies(5, BATCH_SIZE, seed=70), BATCH_CLIENTS)
    rounds = [_round(stack, number) for number in range(ROUNDS)]
    _run(stack, f"COUNT = {BUDGETS - 5}", _SETUP, _MANY)
    return {
        "batches": _middle([both["batches"] for both in rounds]),
        "singles": _middle([both["singles"] for both in rounds]),
        "budgets": BUDGETS,
        **_latencies(stack),
    }


def _round(stack: Stack, number: int) -> dict[str, tuple[float, float]]:
    """Events a second without and with budgets, in an order that changes."""
    rates: dict[bool, tuple[float, float]] = {}
    for enabled in (number % 2 == 0, number % 2 == 1):
        _run(stack, f"ENABLED = {enabled}", _SETUP, _FIVE)
        seed = 1000 * number + 10 * enabled + 71
        post_all(stack, make_bodies(20, 1, seed + 1), CLIENTS)
        seconds, _ = post_all(stack, make_bodies(BATCHES, BATCH_SIZE, seed + 2), BATCH_CLIENTS)
        singly, _ = post_all(stack, make_bodies(SINGLES, 1, seed + 3), CLIENTS)
        rates[enabled] = BATCHES * BATCH_SIZE / seconds, SINGLES / singly
    without, with_five = rates[False], rates[True]
    return {"batches": (without[0], with_five[0]), "singles": (without[1], with_five[1])}


def _middle(rates: list[tuple[float, float]]) -> dict[str, Any]:
    """The round of median ratio."""
    rates.sort(key=lambda pair: pair[1] / pair[0])
    without, with_five = rates[len(rates) // 2]
    return {
        "without_per_second": round(without),
        "with_five_per_second": round(with_five),
        "ratio": round(with_five / without, 2),
        "ratios": [round(b / a, 2) for a, b in rates],
    }


def _latencies(stack: Stack) -> dict[str, dict[str, float]]:
    """Milliseconds of check, of reserve and of settle, 8 clients at a time."""
    chance = random.Random(77)
    times: dict[str, list[float]] = {"check": [], "reserve": [], "settle": []}

    def timed(poster: Poster, kind: str, path: str, body: bytes, *expected: int) -> Any:
        began = time.perf_counter()
        said = poster.post(path, body, *expected)
        times[kind].append(time.perf_counter() - began)
        return said

    def check(poster: Poster, body: bytes) -> None:
        timed(poster, "check", "budgets/check/", body, 200)

    def reserve(poster: Poster, body: bytes) -> None:
        held = timed(poster, "reserve", "reservations/", body, 201)
        used = b'{"input_tokens": 900, "output_tokens": 90}'
        timed(poster, "settle", f"reservations/{held['id']}/settle/", used, 200)

    for act in (check, reserve):
        in_parallel(stack, [_question(chance) for _ in range(100)], CLIENTS, act)
    for kind in times:
        times[kind].clear()
    for act in (check, reserve):
        in_parallel(stack, [_question(chance) for _ in range(CALLS)], CLIENTS, act)
    return {kind: spread(taken) for kind, taken in times.items()}


def _question(chance: random.Random) -> bytes:
    provider, model = chance.choice(MODELS)
    said = {
        "project": f"project-{chance.randrange(20)}",
        "subject": f"user-{chance.randrange(200)}",
        "action": f"a{chance.randrange(5)}",
        "provider": provider,
        "model": model,
        "input_tokens": chance.randrange(100, 9000),
        "max_output_tokens": 1000,
    }
    return json.dumps(said).encode()


def _run(stack: Stack, *parts: str) -> None:
    stack.manage("shell", "--no-imports", "-c", "\n".join(parts))


def show_budgets(table: Table, results: dict[str, Any]) -> None:
    """Add the figures to a table of what, figure, yardstick and ratio."""
    for way in ("batches", "singles"):
        found = results[way]
        table.add_row(
            f"ingest, {way}, five budgets, events/s",
            f"{found['with_five_per_second']:,}",
            f"without: {found['without_per_second']:,}/s",
            f"{found['ratio']}",
        )
        table.add_row("  its ratios in all rounds", " ".join(map(str, found["ratios"])), "", "")
    for kind in ("check", "reserve", "settle"):
        taken = results[kind]
        spreads = f"{taken['p99_ms'] / taken['p50_ms']:.1f}"
        table.add_row(
            f"{kind}, {results['budgets']:,} budgets, p99, ms",
            str(taken["p99_ms"]),
            f"p50: {taken['p50_ms']}",
            spreads,
        )
