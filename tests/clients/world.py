"""One running server, seven real clients that send to it at once, and a provider for them."""

import json
import os
import re
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import psutil

from tests.clients.expected import CALLS, OF_ATTEMPT, OF_SPAN, Call
from tests.clients.fake_provider import FakeProvider, fake_provider
from tests.clients.relay import Passed, Relay, relay_to
from tests.config.running import PROJECT, WEB, Up, environ_of, until

SCRIPTS = {
    "opentelemetry-protobuf": ("opentelemetry_sdk", "protobuf"),
    "opentelemetry-json": ("opentelemetry_sdk", "json"),
    "openai-traceloop": ("openai_traceloop",),
    "anthropic-twice": ("anthropic_twice",),
    "langfuse": ("langfuse_sdk",),
    "litellm": ("litellm_callback",),
    "cloudevents": ("cloudevents_client",),
}
MAKE_KEYS = """
from usage.keys import create_key
for name in {names!r}:
    # Langfuse's SDK tells no provider; it can be set for the key.
    provider = "openai" if name == "langfuse" else ""
    print(create_key(name, ["ingest", "read"], name, provider=provider)[1])
"""
_SPAN = re.compile(r"[0-9a-f]{32}-[0-9a-f]{16}")
_LITELLM_ATTEMPT = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}@[0-9.]+")


@dataclass
class Client:
    """One client; it sends to its relay, and its organization has its name."""

    name: str
    key: str
    relay: Relay
    process: subprocess.Popen[str] | None = None
    said: str = ""

    def has_ended(self) -> bool:
        return self.process is not None and self.process.poll() is not None

    def await_end(self) -> None:
        if self.process is not None:
            self.said = self.process.communicate(timeout=90)[0]


@dataclass
class World:
    up: Up
    provider: FakeProvider
    clients: dict[str, Client] = field(default_factory=dict)
    answers_again: dict[str, list[Passed]] = field(default_factory=dict)

    def events(self, name: str) -> list[dict[str, Any]]:
        return list(self.ask(name, "/api/v1/events/")["results"])

    def ask(self, name: str, path: str) -> Any:
        headers = {"Authorization": f"Bearer {self.clients[name].key}"}
        request = urllib.request.Request(f"http://127.0.0.1:{self.up.port}{path}", None, headers)
        with urllib.request.urlopen(request, timeout=20) as answer:
            return json.load(answer)

    def kill_and_await(self) -> None:
        """Kill -9 of the web server and of the database; `up` starts both again."""
        pid = int((self.up.data / "postgres" / "postmaster.pid").read_text().split()[0])
        masters = self.up.children(WEB)
        victims = [psutil.Process(pid), *masters, *(c for m in masters for c in m.children())]
        for victim in victims:
            victim.kill()
        until(lambda: not any(victim.is_running() for victim in victims))
        until(self.up.is_ready)


@contextmanager
def running_clients(up: Up) -> Iterator[World]:
    """Every client has sent all it has, heard that the first try failed, and tried again.

    Between the tries the server is killed; at last all requests are sent once more.
    """
    with ExitStack() as stack:
        provider = stack.enter_context(fake_provider())
        world = World(up, provider)
        target = f"http://127.0.0.1:{up.port}"
        for name, key in make_keys(up.data).items():
            relay = stack.enter_context(relay_to(target))
            world.clients[name] = Client(name, key, relay, _start(name, key, relay, provider))
        clients = world.clients.values()
        up.await_ready()
        for client in clients:
            client.relay.ready.set()
        until(lambda: all(client.relay.passed or client.has_ended() for client in clients))
        world.kill_and_await()
        for client in clients:
            client.relay.opened.set()
        for client in clients:
            client.await_end()
        for client in clients:
            world.answers_again[client.name] = client.relay.send_all_again()
        yield world


def make_keys(data: Path, names: tuple[str, ...] = tuple(SCRIPTS)) -> dict[str, str]:
    """An organization and a key of its own for each of `names`."""
    words = (sys.executable, "manage.py", "shell", "--no-imports", "-c")
    code = MAKE_KEYS.format(names=names)
    done = subprocess.run(
        [*words, code],
        cwd=PROJECT, env=environ_of(data), stdout=subprocess.PIPE, text=True, check=True,
    )  # fmt: skip
    return dict(zip(names, done.stdout.split(), strict=True))


def told(event: dict[str, Any]) -> Call:
    """A stored event as it is written down in `expected`."""
    as_told = {one.name: event[one.name] for one in fields(Call) if one.name in event}
    event_id = event["event_id"]
    if _SPAN.fullmatch(event_id):
        event_id = OF_SPAN
    elif _LITELLM_ATTEMPT.fullmatch(event_id):
        event_id = OF_ATTEMPT
    return Call(**{**as_told, "event_id": event_id, "cost": event["receipt"]["cost"]})


def by_id(calls: list[Call]) -> list[Call]:
    return sorted(calls, key=lambda call: (call.event_id, call.model, call.status))


def expected_of(name: str) -> list[Call]:
    return by_id(CALLS[name])


def _start(name: str, key: str, relay: Relay, provider: FakeProvider) -> subprocess.Popen[str]:
    script, *words = SCRIPTS[name]
    return subprocess.Popen(
        [sys.executable, "-m", f"tests.clients.scripts.{script}", *words],
        cwd=PROJECT,
        env=_environ(key, relay.url, provider.url),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def _environ(key: str, url: str, provider: str) -> dict[str, str]:
    """What a user sets; the time limits bear that the server is killed meanwhile."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": os.environ.get("HOME", "/"),
        "OTEL_SERVICE_NAME": "billing-bot",
        "OTEL_RESOURCE_ATTRIBUTES": "team=search",
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"{url}/otlp",
        "OTEL_EXPORTER_OTLP_HEADERS": f"Authorization=Bearer {key}",
        "OTEL_EXPORTER_OTLP_COMPRESSION": "gzip",
        "OTEL_EXPORTER_OTLP_TIMEOUT": "300",
        "OTEL_BSP_SCHEDULE_DELAY": "300000",
        "TRACELOOP_TRACE_CONTENT": "false",
        "OPENAI_BASE_URL": f"{provider}/v1",
        "OPENAI_API_KEY": "sk-none",
        "ANTHROPIC_BASE_URL": provider,
        "ANTHROPIC_API_KEY": "sk-ant-none",
        "LANGFUSE_HOST": url,
        "LANGFUSE_PUBLIC_KEY": "pk-lf-any",
        "LANGFUSE_SECRET_KEY": key,
        "LANGFUSE_TIMEOUT": "300",
        "GENERIC_LOGGER_ENDPOINT": f"{url}/api/v1/litellm/",
        "GENERIC_LOGGER_HEADERS": f"Authorization=Bearer {key}",
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        "TALLYMAN_URL": url,
        "TALLYMAN_KEY": key,
    }


def stop(up: Up) -> None:
    if up.process.poll() is None:
        up.stop(signal.SIGTERM)
