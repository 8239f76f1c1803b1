"""One figure beside its yardstick and target; the table on screen, JSON and Markdown."""

import os
import platform
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

HEADINGS = ("what", "figure", "yardstick", "ratio", "target", "met")


@dataclass
class Figure:
    """A measured figure. `ratio` is figure / yardstick; `met` None where there is no target."""

    what: str
    value: float
    unit: str
    beside: str = ""
    yardstick: float | None = None
    ratio: float | None = None
    target: str = ""
    met: bool | None = None
    details: dict[str, Any] = field(default_factory=dict)

    def row(self) -> tuple[str, ...]:
        """The cells below HEADINGS."""
        yard = "" if self.yardstick is None else f"{_shown(self.yardstick)} {self.unit}"
        return (
            self.what,
            f"{_shown(self.value)} {self.unit}",
            f"{yard}, {self.beside}" if yard and self.beside else yard or self.beside,
            "" if self.ratio is None else f"{self.ratio:.2f}",
            self.target,
            {True: "yes", False: "no", None: ""}[self.met],
        )


def compared(
    what: str,
    unit: str,
    pairs: Sequence[tuple[float, float]],
    beside: str,
    *,
    least: float | None = None,
    most: float | None = None,
    **details: Any,
) -> Figure:
    """A figure from rounds of (figure, yardstick): the round of the median ratio is told.

    The ratio is to be at `least` or at `most` so much.
    """
    rounds = sorted(pairs, key=lambda pair: pair[0] / pair[1])
    value, yardstick = rounds[len(rounds) // 2]
    ratio = value / yardstick
    target = f"≥ {least:g} x" if least is not None else f"≤ {most:g} x" if most is not None else ""
    met = ratio >= least if least is not None else ratio <= most if most is not None else None
    ratios = [round(a / b, 2) for a, b in rounds]
    return Figure(
        what, value, unit, beside, yardstick, ratio, target, met, {"ratios": ratios, **details}
    )


def limited(
    what: str, unit: str, values: Sequence[float], most: float | None = None, **details: Any
) -> Figure:
    """A figure of its own, the median of rounds, that is to be at `most` so much."""
    value = statistics.median(values)
    target = "" if most is None else f"≤ {most:g} {unit}"
    found = {"least": min(values), "most": max(values)} if len(values) > 1 else {}
    met = None if most is None else value <= most
    return Figure(what, value, unit, target=target, met=met, details={**found, **details})


def in_turns(
    rounds: int, subject: Callable[[int], float], yardstick: Callable[[int], float]
) -> list[tuple[float, float]]:
    """Both, `rounds` times, the one first and then the other: a shared machine's speed drifts."""
    pairs = []
    for number in range(rounds):
        if number % 2:
            other = yardstick(number)
            pairs.append((subject(number), other))
        else:
            pairs.append((subject(number), yardstick(number)))
    return pairs


def show(figures: Sequence[Figure]) -> None:
    """Print the table."""
    table = Table(*HEADINGS)
    for figure in figures:
        table.add_row(*figure.row())
    Console().print(table)


def as_markdown(figures: Sequence[Figure]) -> str:
    """The table for docs/performance.md."""
    rows = [HEADINGS, ("---",) * len(HEADINGS), *(figure.row() for figure in figures)]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def as_json(figures: Sequence[Figure]) -> list[dict[str, Any]]:
    """The figures with all that is known of them."""
    return [asdict(figure) for figure in figures]


def machine_facts() -> dict[str, Any]:
    """What the figures depend on."""
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return {
        "cores": os.cpu_count(),
        "memory_gb": round(memory / 2**30, 1),
        "load_before": round(os.getloadavg()[0], 2),
        "system": platform.release(),
        "python": platform.python_version(),
        "commit": _commit(),
        "fsync_ms": round(_fsync_seconds() * 1000, 3),
    }


def _commit() -> str:
    done = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
    )
    return done.stdout.strip()


def _fsync_seconds() -> float:
    """The median time to write 8 kB and have it on disk."""
    taken = []
    with tempfile.NamedTemporaryFile(dir=Path.cwd()) as file:
        for _ in range(50):
            began = time.perf_counter()
            file.write(b"x" * 8192)
            file.flush()
            os.fdatasync(file.fileno())
            taken.append(time.perf_counter() - began)
    return statistics.median(taken)


def _shown(value: float) -> str:
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}" if abs(value) < 100 else f"{value:.0f}"
