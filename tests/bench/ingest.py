"""Events over HTTP: in batches, singly, and with budgets that match each of them."""

from collections.abc import Callable

from tests.bench.figures import Figure, compared, in_turns
from tests.bench.load import drive, make_bodies, percentile, post, post_events
from tests.bench.stack import Stack
from tests.bench.yardsticks import empty_events, measure_copy

ROUNDS = 3
BATCHES, BATCH_SIZE, BATCH_CLIENTS = 40, 1000, 4
SINGLES, CLIENTS = 1000, 8
FIVE_ROUNDS, FIVE_BATCHES, FIVE_SINGLES = 2, 12, 500
LEAST_EVENTS = 30_000
_TABLE = "CREATE TABLE IF NOT EXISTS bench_event (LIKE usage_usageevent INCLUDING ALL)"
_FIVE = """
from decimal import Decimal
from budgets.models import Budget
from budgets.setting import Actor, save_budget
from usage.models import Organization
owner = Organization.objects.get(slug="bench")
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


def bench_batches(stack: Stack) -> list[Figure]:
    """Batches of 1,000, each round beside a COPY of the rows it stored."""
    post_events(stack, make_bodies(10, BATCH_SIZE, seed=1), BATCH_CLIENTS)
    pairs, in_one_go, driver = [], [], []
    for number in range(ROUNDS):
        empty_events(stack.conninfo)
        bodies = make_bodies(BATCHES, BATCH_SIZE, seed=100 + number)
        load = post_events(stack, bodies, BATCH_CLIENTS)
        copied = measure_copy(stack.conninfo)
        pairs.append((load.rate * BATCH_SIZE, copied.claimed))
        in_one_go.append(round(copied.at_once))
        driver.append(round(load.driver_seconds / load.seconds, 2))
    found = compared(
        "ingest, batches of 1,000", "events/s", pairs, "COPY and claim", least=0.6,
        copy_at_once=in_one_go, driver_cores=driver,
    )  # fmt: skip
    found.target += f", ≥ {LEAST_EVENTS:,}/s"
    found.met = bool(found.met) and found.value >= LEAST_EVENTS
    return [found]


def bench_singles(stack: Stack) -> list[Figure]:
    """One event a request beside a view that inserts one row."""
    stack.query(_TABLE)
    times: list[float] = []

    def events(number: int) -> float:
        load = post_events(stack, make_bodies(SINGLES, 1, seed=300 + number), CLIENTS)
        times.extend(load.times)
        return load.rate

    def inserts(number: int) -> float:
        request = post(stack, "/bench/insert/", make_bodies(1, 1, seed=number)[0])
        return drive(stack.port, [request] * SINGLES, CLIENTS).rate

    for warm in (events, inserts):
        warm(-1)
    times.clear()
    rates = in_turns(ROUNDS, events, inserts)
    p50, p99 = percentile(times, 0.5), percentile(times, 0.99)
    slowest = Figure("  p99 of these", p99, "ms", "p50", p50, p99 / p50, "≤ 5 x", p99 <= 5 * p50)
    return [
        compared(f"ingest, singly, {CLIENTS} clients", "events/s", rates, "one INSERT", least=0.7),
        slowest,
    ]


def bench_five(stack: Stack) -> list[Figure]:
    """Both with five budgets that match every event, beside the same without."""
    post_events(stack, make_bodies(5, BATCH_SIZE, seed=70), BATCH_CLIENTS)
    batches = _rates(stack, FIVE_BATCHES, BATCH_SIZE, BATCH_CLIENTS)
    singles = _rates(stack, FIVE_SINGLES, 1, CLIENTS)
    return [_with_five(stack, "in batches", batches), _with_five(stack, "singly", singles)]


def _rates(stack: Stack, count: int, size: int, clients: int) -> Callable[[int, bool], float]:
    def rate(number: int, enabled: bool) -> float:
        set_five(stack, enabled)
        seed = 1000 * number + 10 * enabled + size + 71
        post_events(stack, make_bodies(20, 1, seed), CLIENTS)
        return post_events(stack, make_bodies(count, size, seed + 2), clients).rate * size

    return rate


def _with_five(stack: Stack, way: str, rate: Callable[[int, bool], float]) -> Figure:
    pairs = in_turns(FIVE_ROUNDS, lambda n: rate(n, True), lambda n: rate(n, False))
    set_five(stack, False)
    return compared(f"ingest, {way}, five budgets", "events/s", pairs, "without", least=0.8)


def set_five(stack: Stack, enabled: bool) -> None:
    """Switch five budgets that match every event on or off."""
    stack.shell(f"ENABLED = {enabled}", _FIVE)
