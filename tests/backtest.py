"""How forecasts would have done: `python -m tests.backtest` prints how often the band held the
months that came, and by how much forecasts and the plain run rate missed them.

Series are those of a demonstration year in the database (`manage.py demo`), and made-up ones of
three shapes. The engine was designed with seeds below 100.
"""

import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date

import django
import numpy as np
from django.db import connection

from config.embedded import EmbeddedServer, data_folder, embedded_wanted
from usage.forecasting import MIN_DAYS, Histories, Horizon, Outlook, look_ahead
from usage.forecasting.histories import HISTORY_DAYS, Floats
from usage.ingest.partitions import next_month

DAYS = 365
MONTHS = 8
SEEN_ON = (8, 15, 22)
SERIES = 60
SEED = 2_026
START = date(2025, 1, 1)
_OFFICE = np.array([1, 1.1, 1.05, 1, 0.9, 0.2, 0.15])


@dataclass(slots=True)
class Score:
    """Of each forecast: whether the band held, and errors in percent of what came."""

    held: list[bool] = field(default_factory=list)
    missed: list[float] = field(default_factory=list)
    run_rate_missed: list[float] = field(default_factory=list)

    def row(self, name: str) -> str:
        """A row of the table."""
        coverage, missed, plain = (
            100 * float(np.mean(self.held)),
            float(np.mean(self.missed)),
            float(np.mean(self.run_rate_missed)),
        )
        return f"{name:32} {len(self.held):9,} {coverage:9.1f} {missed:9.1f} {plain:9.1f}"


def weekly_growth(rng: np.random.Generator) -> Floats:
    """Office weeks that grow up to two percent a week."""
    day, weekdays = np.arange(DAYS), _OFFICE * np.exp(rng.normal(0, 0.15, 7))
    grown = rng.uniform(5, 200) * np.exp(rng.uniform(0, 0.02) * day / 7)
    return np.asarray(grown * weekdays[day % 7] * _noise(rng, rng.uniform(0.1, 0.35)))


def level_shift(rng: np.random.Generator) -> Floats:
    """Weeks whose level jumps one to three times a year, up or down."""
    day, level = np.arange(DAYS), np.ones(DAYS)
    for _ in range(rng.integers(1, 4)):
        level[rng.integers(60, DAYS - 10) :] *= np.exp(rng.normal(0, 0.6))
    weekdays = np.maximum(_OFFICE, 0.3)[day % 7]
    return np.asarray(rng.uniform(5, 200) * level * weekdays * _noise(rng, rng.uniform(0.1, 0.3)))


def bursts(rng: np.random.Generator) -> Floats:
    """Nothing on most days, and very different sums on the others."""
    used = rng.random(DAYS) < rng.uniform(0.15, 0.5)
    return np.where(used, rng.uniform(1, 50) * _noise(rng, rng.uniform(0.5, 0.9)), 0)


SHAPES: dict[str, Callable[[np.random.Generator], Floats]] = {
    "weekly season with growth": weekly_growth,
    "level shifts": level_shift,
    "bursts between zeros": bursts,
}


def made(shape: str, seed: int = SEED, series: int = SERIES) -> Floats:
    """Series of a shape, one in each row, from START on."""
    rng = np.random.default_rng(seed)
    return np.stack([SHAPES[shape](rng) for _ in range(series)])


def back_test(costs: Floats, start: date, months: int = MONTHS) -> dict[int, Score]:
    """Forecast the latest whole months of series from several days of each, by day."""
    found = {day: Score() for day in SEEN_ON}
    for first, end in _months(start, costs.shape[1])[-months:]:
        for day, score in found.items():
            seen = first + day - 1
            outlooks = _seen_from(costs, seen, end - seen)
            for row, ahead in enumerate(outlooks):
                came = float(costs[row, first:end].sum())
                if ahead is not None and came > 0:
                    _add(score, ahead, costs[row, first:seen], came, end - first)
    return found


def together(scores: dict[int, Score]) -> Score:
    """All days in one."""
    whole = Score()
    for score in scores.values():
        whole.held += score.held
        whole.missed += score.missed
        whole.run_rate_missed += score.run_rate_missed
    return whole


def _add(score: Score, ahead: Outlook, gone: Floats, came: float, days: int) -> None:
    spent = float(gone.sum())
    low, high = spent + float(ahead.low), spent + float(ahead.high)
    score.held.append(low * (1 - 1e-9) <= came <= high * (1 + 1e-9))
    score.missed.append(100 * abs(spent + float(ahead.expected) - came) / came)
    score.run_rate_missed.append(100 * abs(spent / len(gone) * days - came) / came)


def _seen_from(costs: Floats, seen: int, days: int) -> list[Outlook | None]:
    histories = Histories.empty(len(costs))
    for row, series in enumerate(costs):
        past = series[max(seen - HISTORY_DAYS, 0) : seen]
        used = np.flatnonzero(past)
        known = len(past) - int(used[0]) if len(used) else 0
        histories.put(row, {len(past) - day: cost for day, cost in enumerate(past)}, known)
    count = len(costs)
    horizon = Horizon(np.zeros(count, np.int64), np.full(count, days))
    return [found for (found,) in look_ahead(histories, horizon)]


def _months(start: date, days: int) -> list[tuple[int, int]]:
    """The whole months within so many days that have enough history before them, as columns."""
    found, first = [], next_month(start) if start.day > 1 else start
    while (next_month(first) - start).days <= days:
        begin = (first - start).days
        if begin >= MIN_DAYS:
            found.append((begin, (next_month(first) - start).days))
        first = next_month(first)
    return found


def _noise(rng: np.random.Generator, size: float) -> Floats:
    return np.exp(rng.normal(0, size, DAYS))


def _rows() -> Iterator[str]:
    yield f"{'series':32} {'forecasts':>9} {'in band %':>9} {'error %':>9} {'run rate':>9}"
    yield from _demo_rows()
    for shape in SHAPES:
        yield from _tell(shape, back_test(made(shape), START))


def _tell(name: str, scores: dict[int, Score]) -> Iterator[str]:
    yield together(scores).row(name)
    for day, score in scores.items():
        yield score.row(f"  seen on day {day}")


def _demo_rows() -> Iterator[str]:
    """The organizations and projects of the demonstration year."""
    server = EmbeddedServer(data_folder(os.environ)) if embedded_wanted(os.environ) else None
    if server:
        server.attach()
    try:
        start, costs = demo_series()
    finally:
        if server:
            server.detach()
    yield from _tell("demo: organizations, projects", back_test(costs, start))


def demo_series() -> tuple[date, Floats]:
    """The costs by day of every organization and project in the database, the last day left out
    because it may not be over; and its first day."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT grouping(project_id), coalesce(project_id, organization_id), day,"
            " sum(cost)::float8 FROM usage_dailyrollup WHERE project_id IS NOT NULL"
            " GROUP BY GROUPING SETS ((organization_id, day), (project_id, day))"
        )
        rows = cursor.fetchall()
    first, last = (pick(day for _, _, day, _ in rows) for pick in (min, max))
    names = sorted({row[:2] for row in rows})
    costs = np.zeros((len(names), (last - first).days + 1))
    for kind, owner, day, cost in rows:
        costs[names.index((kind, owner)), (day - first).days] = cost
    return first, costs[:, :-1]


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    for line in _rows():
        sys.stdout.write(line + "\n")
