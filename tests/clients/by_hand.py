"""Claude Code or Codex as it comes from npm, against a provider that is made up; run by hand.

    npm install @anthropic-ai/claude-code @openai/codex
    python -m tests.clients.by_hand claude-code --binary node_modules/.../claude
    python -m tests.clients.by_hand codex --binary node_modules/.../bin/codex

Starts an installation of its own, lets the program work twice in one session, and prints what is
stored after each step; exit 1 when that is not what the provider answered. No network but loopback.
"""

import argparse
import shutil
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table

from tests.clients.fake_provider import fake_provider
from tests.clients.programs import ClaudeCode, Codex, Program, Setup
from tests.clients.relay import relay_to
from tests.clients.world import Client, World, make_keys, stop
from tests.config.running import Up, free_port, installed

MADE = "made-before"
"""The organization that hears of the same calls in the opposite order."""
PROGRAMS: dict[str, type[Program]] = {"claude-code": ClaudeCode, "codex": Codex}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program", choices=sorted(PROGRAMS))
    parser.add_argument("--binary", type=Path, required=True, help="the program itself")
    chosen = parser.parse_args()
    folder = Path(tempfile.mkdtemp())
    data = installed(folder / "data")
    up = Up(data, free_port())
    try:
        with ExitStack() as stack:
            provider = stack.enter_context(fake_provider())
            world = World(up, provider)
            setups = PROGRAMS[chosen.program].setups
            names = tuple(setup.name for setup in setups)
            keys = make_keys(data, (*names, *(f"{name}-{MADE}" for name in names)))
            for name, key in keys.items():
                relay = stack.enter_context(relay_to(f"http://127.0.0.1:{up.port}", lossy=False))
                world.clients[name] = Client(name, key, relay)
            up.await_ready()
            told = Telling(world)
            for setup in setups:
                home = folder / setup.name
                home.mkdir()
                program = PROGRAMS[chosen.program](chosen.binary.absolute(), home, setup)
                told.run(program, setup)
            told.show()
            return int(told.faults > 0)
    finally:
        stop(up)
        shutil.rmtree(folder)


class Telling:
    """What is stored after each step, beside what the provider answered."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._table = Table(box=box.SIMPLE_HEAD)
        self.faults = 0
        for heading in ("setup", "step", "events", "input", "output", "cost", "own cost", ""):
            self._table.add_column(heading, no_wrap=True)

    def run(self, program: Program, setup: Setup) -> None:
        """Two calls, sent again after a kill -9, imported, and told in the opposite order."""
        client = self._world.clients[setup.name]
        asked = len(self._world.provider.answered)
        own = program.work(client.relay.url, client.key, self._world.provider.url)
        calls = len(self._world.provider.answered) - asked
        self._note(program, setup.name, f"{calls} calls", calls, own)
        if refused := [one for one in client.relay.passed if one.status != 200]:
            self._note(program, setup.name, f"{len(refused)} refused: {refused[0]}", -1, own)
        self._world.kill_and_await()
        client.relay.send_all_again()
        self._note(program, setup.name, "killed, sent again", calls, own)
        if program.has_logs:
            program.import_logs(self._world.up.data, setup.name)
            self._note(program, setup.name, "own files imported", calls, own)
            client.relay.send_all_again()
            self._note(program, setup.name, "sent again", calls, own)
        self._opposite(program, setup, calls, own)

    def _opposite(self, program: Program, setup: Setup, calls: int, own: str) -> None:
        name = f"{setup.name}-{MADE}"
        other = self._world.clients[name]
        if program.has_logs:
            program.import_logs(self._world.up.data, name)
            self._note(program, name, "files imported first", calls, own)
        sent = self._world.clients[setup.name].relay
        sent.send_all_again(authorization=f"Bearer {other.key}", backwards=True)
        self._note(program, name, "sent, last first", calls, own)

    def _note(self, program: Program, name: str, step: str, calls: int, own: str) -> None:
        events = [event for event in self._world.events(name) if not event["superseded_by"]]
        counted = [event for event in events if event["total_tokens"]]
        sums = program.sums(counted)
        right = len(counted) == calls and sums == program.sums_of(calls)
        self.faults += not right
        self._table.add_row(
            name, step, str(len(counted)), *map(str, sums), own, "ok" if right else "WRONG"
        )

    def show(self) -> None:
        Console(width=160).print(self._table)


if __name__ == "__main__":
    sys.exit(main())
