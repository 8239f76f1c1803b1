"""Claude Code and Codex: how they are set up, let work, and what their calls come to."""

import json
import os
import subprocess
import sys
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from tests.config.running import PROJECT, environ_of

PROMPTS = ("Say hello to the team", "Say it once more")
Sums = tuple[int, int, Decimal]


@dataclass(frozen=True)
class Setup:
    """One way to switch the telemetry on; `changes` are settings of the program."""

    name: str
    changes: dict[str, str] = field(default_factory=dict)


class Program(ABC):
    """A command line program in a home folder of its own, without any other environment."""

    setups: Sequence[Setup]
    has_logs = False
    """Whether it writes files that `manage.py import` reads."""
    call: Sums
    """Input, output and cost of one of its calls."""

    def __init__(self, binary: Path, home: Path, setup: Setup) -> None:
        self.binary, self.home, self.setup = binary, home, setup
        self.folder = home / "shop"
        self.folder.mkdir()

    @abstractmethod
    def work(self, url: str, key: str, provider: str) -> str:
        """Let it answer both prompts in one session; tells what it says that cost itself."""

    def import_logs(self, data: Path, organization: str) -> None:
        """Import the files it wrote."""
        raise NotImplementedError

    def sums(self, events: Sequence[dict[str, Any]]) -> Sums:
        """What events come to."""
        return (
            sum(event["input_tokens"] for event in events),
            sum(event["output_tokens"] for event in events),
            sum((Decimal(event["receipt"]["cost"] or 0) for event in events), Decimal(0)),
        )

    def sums_of(self, calls: int) -> Sums:
        """What so many calls come to."""
        asked, answered, cost = self.call
        return calls * asked, calls * answered, calls * cost

    def _run(self, words: Sequence[str], environ: dict[str, str]) -> str:
        done = subprocess.run(
            [str(self.binary), *words],
            cwd=self.folder,
            env={"PATH": os.defpath, "HOME": str(self.home), "TERM": "xterm", **environ},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=True,
            timeout=120,
        )
        return done.stdout


class ClaudeCode(Program):
    """Its own figure of the cost is what it prints as `total_cost_usd`."""

    has_logs = True
    call = (2406, 393, Decimal("0.0148250000"))
    setups = (
        Setup("json"),
        Setup("protobuf", {"OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf"}),
        Setup(
            "traces",
            {"OTEL_TRACES_EXPORTER": "otlp", "CLAUDE_CODE_ENHANCED_TELEMETRY_BETA": "1"},
        ),
        Setup("metrics-only", {"OTEL_LOGS_EXPORTER": "none"}),
    )

    def work(self, url: str, key: str, provider: str) -> str:
        environ = {
            "ANTHROPIC_BASE_URL": provider,
            "ANTHROPIC_API_KEY": "sk-ant-none",
            "DISABLE_AUTOUPDATER": "1",
            "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
            "CLAUDE_CODE_ENABLE_TELEMETRY": "1",
            "OTEL_LOGS_EXPORTER": "otlp",
            "OTEL_METRICS_EXPORTER": "otlp",
            "OTEL_EXPORTER_OTLP_PROTOCOL": "http/json",
            "OTEL_EXPORTER_OTLP_ENDPOINT": f"{url}/otlp",
            "OTEL_EXPORTER_OTLP_HEADERS": f"Authorization=Bearer {key}",
            "OTEL_RESOURCE_ATTRIBUTES": "team.id=search,cost_center=eng-1",
            **self.setup.changes,
        }
        own = ""
        for prompt, more in zip(PROMPTS, ((), ("--continue",)), strict=True):
            words = ("-p", prompt, *more, "--model", "claude-opus-4-8", "--output-format", "json")
            # Of a session that goes on, it tells the whole.
            own = f"{json.loads(self._run(words, environ))['total_cost_usd']:.10f}"
        return own

    def import_logs(self, data: Path, organization: str) -> None:
        words = ("import", "claude-code", str(self.home / ".claude"), "--subject", "ada")
        subprocess.run(
            [sys.executable, "manage.py", *words, "--organization", organization],
            cwd=PROJECT,
            env=environ_of(data),
            stdout=subprocess.DEVNULL,
            check=True,
        )


class Codex(Program):
    """It tells no cost. gpt-6-sol of 12,000 tokens in, of which 8,000 read and 2,000 written."""

    call = (12000, 2500, Decimal("0.0356000000"))
    setups = (
        Setup("json"),
        Setup("binary", {"protocol": "binary"}),
        Setup("all", {"others": "yes"}),
    )

    def work(self, url: str, key: str, provider: str) -> str:
        (self.home / ".codex").mkdir()
        (self.home / ".codex" / "config.toml").write_text(self._settings(url, key, provider))
        environ = {"OPENAI_API_KEY": "sk-none"}
        self._run(("exec", "--skip-git-repo-check", PROMPTS[0]), environ)
        self._run(("exec", "--skip-git-repo-check", "resume", "--last", PROMPTS[1]), environ)
        return "-"

    def _settings(self, url: str, key: str, provider: str) -> str:
        protocol = self.setup.changes.get("protocol", "json")
        kinds = {"exporter": "logs"}
        if "others" in self.setup.changes:
            kinds |= {"trace_exporter": "traces", "metrics_exporter": "metrics"}
        exporters = "\n".join(
            f'{name} = {{ otlp-http = {{ endpoint = "{url}/otlp/v1/{kind}",'
            f' protocol = "{protocol}", headers = {{ "Authorization" = "Bearer {key}" }} }} }}'
            for name, kind in kinds.items()
        )
        return (
            'model = "gpt-6-sol"\nmodel_provider = "fake"\n'
            f'[model_providers.fake]\nname = "fake"\nbase_url = "{provider}/v1"\n'
            'env_key = "OPENAI_API_KEY"\nwire_api = "responses"\n'
            f"[otel]\n{exporters}\n"
        )
