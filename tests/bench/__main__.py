"""`make bench`: run everything, print a table, write var/bench.json."""

import json
import statistics
import time
from pathlib import Path
from typing import Any

import psycopg
from rich.console import Console
from rich.table import Table

from tests.bench.budgets import bench_budgets, show_budgets
from tests.bench.load import make_bodies, post_all, spread
from tests.bench.pages import BARE_PAGE, NO_PAGE, bench_pages
from tests.bench.stack import Stack, running_stack
from tests.bench.telemetry import bench_telemetry, show_telemetry
from tests.bench.yardsticks import measure_copy

ROUNDS = 5
BATCHES, BATCH_SIZE, BATCH_CLIENTS = 60, 1000, 4
SINGLES, SINGLE_CLIENTS = 2000, 8
OUTPUT = Path("var/bench.json")


def bench_batches(stack: Stack) -> dict[str, Any]:
    """Events a second in batches of 1,000, each round beside a COPY of the rows it stored.

    In turns, because the speed of a shared machine drifts; the round of median ratio is told.
    """
    post_all(stack, make_bodies(10, BATCH_SIZE, seed=1), BATCH_CLIENTS)
    rounds = sorted((_batch_round(stack, seed) for seed in range(ROUNDS)), key=_ratio)
    middle = rounds[ROUNDS // 2]
    return {**middle, "ratios": [round(_ratio(r), 2) for r in rounds]}


def _batch_round(stack: Stack, seed: int) -> dict[str, Any]:
    with psycopg.connect(stack.conninfo, autocommit=True) as connection:
        connection.execute("TRUNCATE usage_usageevent, usage_eventkey")
    bodies = make_bodies(BATCHES, BATCH_SIZE, seed=100 + seed)
    seconds, times = post_all(stack, bodies, BATCH_CLIENTS)
    copy = measure_copy(stack.conninfo)
    return {
        "events_per_second": round(BATCHES * BATCH_SIZE / seconds),
        "p50_ms": round(statistics.median(times) * 1000, 1),
        "copy_events_only_per_second": round(copy.events_only),
        "copy_events_and_keys_per_second": round(copy.events_and_keys),
    }


def _ratio(measured: dict[str, Any]) -> float:
    rate: int = measured["events_per_second"]
    return rate / float(measured["copy_events_and_keys_per_second"])


def bench_singles(stack: Stack) -> dict[str, Any]:
    """Requests a second with one event each, 8 keep-alive clients."""
    unwrapped = [body[1:-1] for body in make_bodies(SINGLES + 300, 1, seed=3)]
    post_all(stack, unwrapped[:300], SINGLE_CLIENTS)
    seconds, times = post_all(stack, unwrapped[300:], SINGLE_CLIENTS)
    return {"events_per_second": round(SINGLES / seconds), **spread(times)}


def bench_rollup(stack: Stack) -> dict[str, Any]:
    """Seconds that the roll up command takes for what the load has left behind."""
    began = time.perf_counter()
    stack.manage("rollup")
    seconds = time.perf_counter() - began
    with psycopg.connect(stack.conninfo) as connection:
        row = connection.execute("SELECT count(*) FROM usage_usageevent").fetchone()
    return {"events": row[0] if row else 0, "seconds": round(seconds, 1)}


def bytes_per_event(stack: Stack) -> dict[str, Any]:
    """Disk of an event: its row alone, and with all indexes and the key table."""
    query = """
        SELECT count(*), sum(pg_relation_size(tableoid::regclass)) FROM (SELECT 1) x, (
            SELECT oid AS tableoid FROM pg_class WHERE relname LIKE 'usage_usageevent_2%'
            AND relkind = 'r') parts
    """
    with psycopg.connect(stack.conninfo) as connection:
        events = connection.execute("SELECT count(*) FROM usage_usageevent").fetchone()
        rows = connection.execute(query).fetchone()
        whole = connection.execute(
            "SELECT sum(pg_total_relation_size(oid)) + pg_total_relation_size('usage_eventkey')"
            " FROM pg_class WHERE relname LIKE 'usage_usageevent_2%' AND relkind = 'r'"
        ).fetchone()
    count = events[0] if events else 1
    alone = float(rows[1]) / count if rows else 0.0
    total = float(whole[0]) / count if whole else 0.0
    return {"row": round(alone), "with_indexes_and_key": round(total)}


def main() -> None:
    """Run the benchmarks one after the other on one machine."""
    with running_stack() as stack:
        pages = bench_pages(stack)
    with running_stack() as stack:
        results: dict[str, Any] = {
            "pages": pages,
            "batches": bench_batches(stack),
            "singles": bench_singles(stack),
            "rollup": bench_rollup(stack),
            "bytes_per_event": bytes_per_event(stack),
            "telemetry": bench_telemetry(stack),
            "budgets": bench_budgets(stack),
        }
    show(results)
    OUTPUT.parent.mkdir(parents=True, exist_ok=True)
    OUTPUT.write_text(json.dumps(results, indent=1))


def show(results: dict[str, Any]) -> None:
    """Print the figures beside their yardsticks."""
    table = Table("what", "figure", "yardstick", "ratio")
    batches, single = results["batches"], results["singles"]
    for yard in ("copy_events_and_keys_per_second", "copy_events_only_per_second"):
        limit = batches[yard]
        label = f"{yard.removesuffix('_per_second').replace('_', ' ')}: {limit:,}/s"
        rate = batches["events_per_second"]
        table.add_row("ingest, batches, events/s", f"{rate:,}", label, f"{rate / limit:.2f}")
    table.add_row("  its ratios in all rounds", " ".join(map(str, batches["ratios"])), "", "")
    table.add_row("  latency p50, ms", str(batches["p50_ms"]), "", "")
    rate, limit = single["events_per_second"], batches["copy_events_and_keys_per_second"]
    table.add_row(
        "ingest, singly, events/s", f"{rate:,}", f"copy: {limit:,}/s", f"{rate / limit:.4f}"
    )
    spread = f"{single['p99_ms'] / single['p50_ms']:.1f}"
    table.add_row("  p99, ms", str(single["p99_ms"]), f"p50: {single['p50_ms']}", spread)
    rollup = results["rollup"]
    table.add_row("roll up, s", str(rollup["seconds"]), f"{rollup['events']:,} events", "")
    size = results["bytes_per_event"]
    whole = size["with_indexes_and_key"]
    table.add_row("bytes an event", str(whole), f"row: {size['row']}", f"{whole / size['row']:.2f}")
    show_telemetry(table, results["telemetry"])
    show_budgets(table, results["budgets"])
    Console().print(table)
    show_pages(results["pages"])


def show_pages(pages: dict[str, dict[str, Any]]) -> None:
    """Print the time to the last byte of each page beside that of a bare admin page."""
    bare = pages[BARE_PAGE]["p50_ms"]
    table = Table("page", "p50, ms", "p95, ms", "kB", "of a bare page")
    for path, times in pages.items():
        name = {NO_PAGE: "session and user alone", BARE_PAGE: "a bare admin page"}.get(path, path)
        figures = (times["p50_ms"], times["p95_ms"], times["kilobytes"])
        table.add_row(name, *map(str, figures), f"{times['p50_ms'] / bare:.1f}")
    Console().print(table)


if __name__ == "__main__":
    main()
