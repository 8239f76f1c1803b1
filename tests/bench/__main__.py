"""`make bench`: measure every line, print a table, write var/bench.json.

`python -m tests.bench singles checks` measures only these lines. `SIZE=full` takes 10 million
events where it is about many; without it, 1 million. `curves` is no line of its own run: it
measures how figures grow, and writes var/curves.json, which `plots` draws. `markdown` prints the
table of the last run.
"""

import contextlib
import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from tests.bench.asking import bench_checks, bench_holding
from tests.bench.curves import measure_curves
from tests.bench.figures import Figure, as_json, as_markdown, machine_facts, show
from tests.bench.forecasts import bench_forecasts
from tests.bench.ingest import bench_batches, bench_five, bench_singles
from tests.bench.large import large
from tests.bench.reads import bench_pages, bench_reads
from tests.bench.space import bench_disk, bench_memory, bench_transfers
from tests.bench.stack import Stack, running_stack, serving
from tests.bench.starting import bench_start
from tests.bench.sums import bench_rebuild, bench_rollup
from tests.bench.telemetry import bench_telemetry
from tests.bench.transcripts import bench_transcripts

OUTPUT, CURVES = Path("var/bench.json"), Path("var/curves.json")
FEW, MANY = 100_000, {"small": 1_000_000, "full": 10_000_000}
# Each wants the installation that the ones before it have left.
ON_A_FRESH_ONE: dict[str, Callable[[Stack], list[Figure]]] = {
    "singles": bench_singles,
    "five": bench_five,
    "checks": bench_checks,
    "holding": bench_holding,
    "telemetry": bench_telemetry,
    "transcripts": bench_transcripts,
    "memory": bench_memory,
    "batches": bench_batches,
    "disk": bench_disk,
}
ON_LARGE_ONES = ("reads", "pages", "transfers", "rebuild")
ON_THEIR_OWN: dict[str, Callable[[], list[Figure]]] = {
    "rollup": bench_rollup,
    "start": bench_start,
    "forecasts": bench_forecasts,
}
LINES = (*ON_A_FRESH_ONE, *ON_LARGE_ONES, *ON_THEIR_OWN)


def main() -> None:
    """Do what the words ask for; without any, measure every line."""
    words = sys.argv[1:] or list(LINES)
    if words == ["curves"]:
        _write(CURVES, measure_curves(_size()))
    elif words == ["markdown"]:
        found = json.loads(OUTPUT.read_text())["figures"]
        print(as_markdown([Figure(**figure) for figure in found]))
    elif unknown := set(words) - set(LINES):
        sys.exit(f"there is no {', '.join(sorted(unknown))}; lines are {', '.join(LINES)}")
    else:
        _measure(words)


def _measure(lines: list[str]) -> None:
    facts, figures = machine_facts(), []
    for found in _figures(lines):
        show(found)
        figures += found
        _write(OUTPUT, {"machine": facts, "size": _size(), "figures": as_json(figures)})
    show(figures)


def _figures(lines: list[str]) -> Iterator[list[Figure]]:
    fresh = [name for name in ON_A_FRESH_ONE if name in lines]
    if fresh:
        with running_stack() as stack:
            for name in fresh:
                yield _timed(name, partial(ON_A_FRESH_ONE[name], stack))
    if set(lines) & set(ON_LARGE_ONES):
        yield from _on_large_ones(lines)
    for name in (name for name in ON_THEIR_OWN if name in lines):
        yield _timed(name, ON_THEIR_OWN[name])


def _on_large_ones(lines: list[str]) -> Iterator[list[Figure]]:
    events = MANY[_size()]
    with contextlib.ExitStack() as opened:
        few, many = (opened.enter_context(large(count)) for count in (FEW, events))
        if {"reads", "pages"} & set(lines):
            few = opened.enter_context(serving(few, "acme"))
            many = opened.enter_context(serving(many, "acme"))
        if "reads" in lines:
            yield _timed("reads", partial(bench_reads, many, few))
        if "pages" in lines:
            yield _timed("pages", partial(bench_pages, many))
        if "transfers" in lines:
            yield _timed("transfers", partial(bench_transfers, many, few))
        if "rebuild" in lines:
            yield _timed("rebuild", partial(bench_rebuild, many, events))


def _timed(name: str, measure: Callable[[], list[Figure]]) -> list[Figure]:
    began = time.perf_counter()
    found = measure()
    print(f"{name}: {time.perf_counter() - began:.0f} s", flush=True)
    return found


def _size() -> str:
    size = os.environ.get("SIZE", "small")
    if size not in MANY:
        sys.exit(f"SIZE is one of {', '.join(MANY)}")
    return size


def _write(path: Path, found: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
