"""`python -m tests.attack`: exits with 1 when budgets have not held, and tells figures anyway."""

import argparse
import multiprocessing
import random
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import psycopg

from tests.attack.clients import Client
from tests.attack.observer import Seen, leaks, look, look_thoroughly, observe
from tests.attack.world import World, running_world

_FORK = multiprocessing.get_context("fork")
_EXPECTED = {"200", "201", "402", "409", "422", "502", "503", "504", "no answer"}
_KILLS = ("clients", "clients", "web worker", "web worker", "worker", "web master", "PostgreSQL")
_END_SECONDS = 120.0


@dataclass
class Round:
    """What one round has come to."""

    seed: int
    requests: Counter[tuple[str, str]] = field(default_factory=Counter)
    kills: Counter[str] = field(default_factory=Counter)
    stored: int = 0
    seen: Seen = field(default_factory=Seen)
    faults: list[str] = field(default_factory=list)


class Crowd:
    """Client processes; those that are killed are replaced by others."""

    def __init__(self, world: World, count: int, seed: int, logs: Path, seconds: float) -> None:
        self.world, self.logs, self.seed = world, logs, seed
        self.deadline = time.time() + seconds
        self.started = 0
        self.processes = [self._start() for _ in range(count)]

    def _start(self) -> BaseProcess:
        self.started += 1
        log = self.logs / f"{self.started}.log"
        client = Client(
            self.world.up.port,
            self.world.key,
            self.seed * 100_000 + self.started,
            log,
            self.deadline,
        )
        process = _FORK.Process(target=client.run)
        process.start()
        return process

    def kill(self, chance: random.Random, count: int) -> None:
        """`kill -9` some and start as many."""
        for place in chance.sample(range(len(self.processes)), min(count, len(self.processes))):
            self.processes[place].kill()
            self.processes[place].join()
            self.processes[place] = self._start()

    def join(self) -> None:
        """Wait until all have done what they began."""
        for process in self.processes:
            process.join(180)
            if process.is_alive():
                process.kill()


def main() -> None:
    """Attack for some rounds, each against an installation of its own."""
    parser = argparse.ArgumentParser(prog="python -m tests.attack")
    parser.add_argument("--seconds", type=float, default=120)
    parser.add_argument("--clients", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    faults = 0
    for number in range(asked.rounds):
        done = attack(asked.seed + number, asked.seconds, asked.clients)
        tell(done)
        faults += len(done.faults)
    sys.exit(1 if faults else 0)


def attack(seed: int, seconds: float, clients: int) -> Round:
    """One round."""
    done = Round(seed)
    with running_world() as world, tempfile.TemporaryDirectory() as logs:
        stop, answers = _FORK.Event(), _FORK.Queue()
        watcher = _FORK.Process(target=_watch, args=(world.conninfo, stop, answers))
        watcher.start()
        crowd = Crowd(world, clients, seed, Path(logs), seconds)
        _kill_at_random(world, crowd, done, random.Random(seed))
        crowd.join()
        acknowledged = _read(Path(logs), done)
        _await_end(world, done)
        stop.set()
        done.seen = answers.get()
        watcher.join()
        done.faults += done.seen.faults[:20]
        _check_the_end(world, acknowledged, done)
    return done


def _watch(conninfo: str, stop: Any, answers: Any) -> None:
    answers.put(observe(conninfo, stop))


def _kill_at_random(world: World, crowd: Crowd, done: Round, chance: random.Random) -> None:
    # In turns of a shuffled list, so that a short attack kills everything, too.
    waiting: list[str] = []
    while time.time() < crowd.deadline - 3:
        time.sleep(chance.uniform(4, 9))
        waiting = waiting or chance.sample(_KILLS, len(_KILLS))
        what = waiting.pop()
        done.kills[what] += 1
        if what == "clients":
            crowd.kill(chance, 5)
        else:
            world.kill(what, chance)


def _read(logs: Path, done: Round) -> list[str]:
    """Count what was answered; the ids of events that were said to be stored."""
    acknowledged = []
    for log in logs.iterdir():
        # The last line of a client that was killed may lack its end.
        for line in log.read_text().split("\n")[:-1]:
            kind, outcome = line.split("\t")
            if kind == "stored":
                acknowledged.append(outcome)
            elif kind != "abandoned":
                done.requests[kind, outcome] += 1
    strange = {outcome for _, outcome in done.requests} - _EXPECTED
    done.faults += [f"an answer was {outcome}" for outcome in sorted(strange)]
    return acknowledged


def _await_end(world: World, done: Round) -> None:
    """Wait until beat has ended what nobody else has."""
    deadline = time.monotonic() + _END_SECONDS
    left = ["nobody has looked"]
    while left and time.monotonic() < deadline:
        time.sleep(1)
        try:
            with psycopg.connect(world.conninfo, autocommit=True) as connection:
                left = leaks(connection)
        except psycopg.OperationalError:
            continue
    done.faults += left


def _check_the_end(world: World, acknowledged: list[str], done: Round) -> None:
    done.stored = len(set(acknowledged))
    with psycopg.connect(world.conninfo, autocommit=True) as connection:
        seen = Seen()
        look(connection, seen)
        look_thoroughly(connection, seen)
        done.faults += seen.faults
        rows = connection.execute("SELECT event_id FROM usage_usageevent").fetchall()
    counts = Counter(event_id for (event_id,) in rows)
    lost = sum(event_id not in counts for event_id in set(acknowledged))
    twice = sum(count > 1 for count in counts.values())
    if lost or twice:
        done.faults.append(f"{lost} events were acknowledged and lost, {twice} are stored twice")
    checked = world.manage("verify")
    if checked.returncode:
        done.faults.append(f"verify: {checked.stdout}{checked.stderr}")


def tell(done: Round) -> None:
    """Print what happened."""
    print(f"round with seed {done.seed}: {'FAILED' if done.faults else 'held'}")
    for kind in sorted({kind for kind, _ in done.requests}):
        counts = {o: n for (k, o), n in sorted(done.requests.items()) if k == kind}
        print(f"  {kind}: " + ", ".join(f"{outcome} {count}" for outcome, count in counts.items()))
    print("  killed: " + ", ".join(f"{what} {count}" for what, count in done.kills.items()))
    seen = done.seen
    print(
        f"  seen: {seen.looks} looks, {seen.thorough} of them thorough,"
        f" {seen.interruptions} interruptions; {seen.windows} windows,"
        f" at most {seen.most_held} reservations at once; fullest {seen.fullest:.6f} of its limit"
        f" (held and spent), {seen.most_used:.6f} with what was billed beyond"
    )
    print(f"  events acknowledged and found: {done.stored}")
    for fault in done.faults:
        print(f"  FAULT {fault}")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
