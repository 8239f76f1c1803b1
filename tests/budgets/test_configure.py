import re
from decimal import Decimal
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from budgets.models import Budget, Channel
from pricing.models import PriceChange
from usage.models import Organization, Project

FILE = """
organization = "acme"
[budget]
daily = 20
monthly = 400.50
[budget.projects.web]
monthly = 100
enforcement = "hard"
[alert]
threshold = 75
[prices."ollama/llama3"]
input = 0.10
output = 0.20
"""


@pytest.fixture
def acme(catalogue: None) -> Organization:
    owner = Organization.objects.create(slug="acme")
    Project.objects.create(organization=owner, slug="web")
    return owner


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "tallyman.toml"


def configure(path: Path, text: str) -> list[str]:
    path.write_text(text, encoding="utf-8")
    out = StringIO()
    call_command("configure", str(path), stdout=out)
    return out.getvalue().splitlines()


def test_a_file_sets_budgets_thresholds_and_prices_once(acme: Organization, path: Path) -> None:
    assert configure(path, FILE) == [
        "acme · daily: $20, soft, warns from 75 %",
        "acme · monthly: $400.50, soft, warns from 75 %",
        "acme / web · monthly: $100, hard, warns from 75 %",
        "prices: 2 set",
    ]
    assert configure(path, FILE) == ["nothing to change"]
    assert configure(path, FILE.replace("daily = 20", "daily = 25")) == [
        "acme · daily: $25, soft, warns from 75 % (was $20, soft, warns from 75 %)"
    ]
    off = FILE.replace("[budget]", "enabled = false\n[budget]", 1)
    assert len(configure(path, off)) == 3
    assert not Budget.objects.filter(enabled=True).exists()
    assert Budget.objects.get(period="day").limit == Decimal(25)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("organization = 'nobody'\n[budget]\ndaily = 1", "no organization 'nobody'"),
        ("[budget]\ndaily = -1", "greater than or equal to 0"),
        ("[budget]\ndayly = 1", "budget.dayly"),
        ("[budget]\ndaily = 1\n[budget.projects.x]\nmonthly = 1", "no project 'x'"),
        ("[alert]\nwebhook = 'https://127.0.0.1/in'", "(?i)address"),
        ("[budget]\ndaily = 1\n[alert]\nemail = ['a@example.org', 'b']", "valid email address"),
        ("database = 'postgres://'", "DATABASE_URL"),
        ("[prices.llama3]\ninput = 1", "name the provider too"),
        ("[prices.'o/l']\ninput = 1\ncurrency = 'E'", "currency"),
        ("daily", "Expected .=."),
    ],
)
def test_what_cannot_be_applied_changes_nothing_and_says_why(
    acme: Organization, path: Path, text: str, reason: str
) -> None:
    before = PriceChange.objects.count()
    with pytest.raises(CommandError) as refusal:
        configure(path, text)
    assert re.search(reason, str(refusal.value))
    assert "\n" not in str(refusal.value)
    assert (Budget.objects.count(), PriceChange.objects.count()) == (0, before)
    assert not Channel.objects.exists()


def test_a_file_sets_who_is_told_and_replaces_whom_it_named_before(
    acme: Organization, path: Path
) -> None:
    text = "[alert]\nemail = ['a@example.org', 'b@example.org']\nwebhook = 'https://example.org/in'"
    assert configure(path, text) == [
        "acme · channel email: a…@example.org, b…@example.org",
        "acme · channel webhook: https://example.org/…",
    ]
    assert configure(path, text) == ["nothing to change"]
    assert configure(path, "[alert]\nemail = 'b@example.org'") == [
        "acme · channel email: b…@example.org"
    ]
    off = configure(path, "enabled = false\n[alert]\nslack = 'https://hooks.slack.com/services/a'\n"
                          "webhook = 'https://example.org/in'")  # fmt: skip
    assert off == ["acme · channel webhook: https://example.org/…, switched off"]
    told = Channel.objects.order_by("name").values_list("name", "is_default", "enabled")
    assert list(told) == [("email", True, True), ("webhook", True, False)]
