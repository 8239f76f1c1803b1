"""An installation with worker and beat whose messages go to servers in this process."""

import json
import re
import subprocess
import sys
import urllib.request
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import psycopg

from config.embedded import EmbeddedServer
from tests.budgets.channels.mailbox import Mailbox
from tests.budgets.channels.sink import Sink
from tests.config.running import PROJECT, Up

_CHANNELS = """
from usage.organizations import ensure_organization
from tests.budgets.channels.making import channel
owner = ensure_organization("default").slug
channel("mail", "email", "ops@example.org", slug=owner)
channel("slack", "slack", "{slack}/services/T/B/x", slug=owner)
channel("hook", "webhook", "{hook}/hook", slug=owner)
"""
_BUDGETS = """
from decimal import Decimal
from budgets.models import Budget
from budgets.setting import Actor, save_budget
from usage.models import Organization, Project
owner = Organization.objects.get(slug="default")
for name in {projects!r}:
    project, _ = Project.objects.get_or_create(organization=owner, slug=name)
    save_budget(Budget(organization=owner, project=project, limit=Decimal(1)), None, Actor())
"""


def environment(mailbox: Mailbox, hook: Sink, slack: Sink) -> dict[str, str]:
    """What an installation needs to be told to send to these."""
    return {
        "EMAIL_URL": f"smtp://127.0.0.1:{mailbox.port}",
        "TALLYMAN_EMAIL_FROM": "tallyman@example.org",
        "TALLYMAN_ALLOWED_NETWORKS": "127.0.0.0/8",
        "TALLYMAN_SLACK_URLS": slack.url,
    }


class Live:
    """What tests do with a running installation, and read of it."""

    def __init__(self, up: Up, mailbox: Mailbox, hook: Sink, slack: Sink) -> None:
        self.up, self.mailbox, self.hook, self.slack = up, mailbox, hook, slack
        found = re.search(r"Authorization: Bearer (tm_\S+?)'", up.read())
        assert found
        self.key = found[1]

    def add_channels(self) -> None:
        self._run(_CHANNELS.format(slack=self.slack.url, hook=self.hook.url))

    def add_budgets(self, projects: Sequence[str]) -> None:
        self._run(_BUDGETS.format(projects=list(projects)))

    def spend(self, dollars: float, projects: Sequence[str], batch: str) -> None:
        """Let every project spend so much in one request."""
        events = [
            {
                "event_id": f"{batch}-{name}", "project": name, "model": "claude-haiku-4-5",
                "occurred_at": datetime.now(UTC).isoformat(), "provider": "anthropic",
                "input_tokens": round(dollars * 1_000_000),
            }
            for name in projects
        ]  # fmt: skip
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.up.port}/api/v1/events/",
            json.dumps(events).encode(),
            {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=120) as answer:
            assert json.load(answer)["accepted"] == len(events)

    def read(self, query: str) -> list[Any]:
        with psycopg.connect(EmbeddedServer(self.up.data).conninfo) as connection:
            return connection.execute(query).fetchall()

    def write(self, query: str) -> None:
        with psycopg.connect(EmbeddedServer(self.up.data).conninfo) as connection:
            connection.execute(query)

    def mails(self) -> Counter[str]:
        """How often each mail came, by its id."""
        return Counter(str(mail["Message-ID"]) for mail in self.mailbox.mails)

    def _run(self, code: str) -> None:
        words = (sys.executable, "manage.py", "shell", "--no-imports", "-c", code)
        subprocess.run(words, cwd=PROJECT, env=self.up.environ, check=True, timeout=300)
