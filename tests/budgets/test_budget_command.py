import json
import re
from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal
from io import StringIO
from typing import Any
from unittest.mock import patch

import pytest
from django.core.management import CommandError, call_command, load_command_class
from rest_framework.test import APIClient

from budgets.models import Budget, BudgetChange, Decision
from tests.budgets.budget_values import budget
from tests.config.site_data import event, send
from usage.keys import create_key
from usage.models import Organization

NOW = datetime.now(UTC)


def cost(*arguments: str, answer: str = "") -> str:
    out = StringIO()
    with patch("sys.stdin", StringIO(answer)):
        call_command("cost", *arguments, stdout=out)
    return out.getvalue()


def refused(*arguments: str, answer: str = "") -> tuple[str, int]:
    with pytest.raises(CommandError) as caught:
        cost(*arguments, answer=answer)
    return str(caught.value), caught.value.returncode


@pytest.fixture
def spent(usage: None) -> None:
    # 100,000 tokens at 3 dollars a million.
    send([event("now", NOW, project="web", subject="ann", session_id="s7", input_tokens=100_000)])


@pytest.mark.parametrize(
    "path", [("budget",), ("budget", "set"), ("budget", "list"), ("budget", "remove"), ("check",)]
)
def test_the_help_of_budget_commands_has_an_example(
    path: tuple[str, ...], capsys: pytest.CaptureFixture[str], db: None
) -> None:
    with patch("django.core.management.base.connections.close_all"), suppress(SystemExit):
        load_command_class("budgets", "cost").run_from_argv(["manage.py", "cost", *path, "--help"])
    assert f"  manage.py cost {' '.join(path)} " in capsys.readouterr().out


def test_budgets_are_set_listed_changed_and_removed_on_the_command_line(spent: None) -> None:
    told = cost("budget", "set", "--daily", "0.5", "--monthly", "200", "--organization", "acme")
    assert told.splitlines() == [
        "acme · daily: $0.50, soft, warns from 80 %",
        "acme · monthly: $200, soft, warns from 80 %",
    ]
    again = cost("budget", "--monthly", "150", "--hard", "--organization", "acme")
    assert again == (
        "acme · monthly: $150, hard, warns from 80 % (was $200, soft, warns from 80 %)\n"
    )
    cost("budget", "set", "--monthly", "1000000", "--tokens", "--project", "web")
    assert cost("budget", "--monthly", "150", "--organization", "acme").endswith(", as before\n")

    listed = json.loads(cost("budget", "list", "--organization", "acme", "--format", "json"))
    assert [(b["measure"], b["period"], b["limit"], b["enforcement"]) for b in listed["budgets"]] \
        == [
            ("cost", "day", "0.5000000000", "soft"),
            ("tokens", "month", "1000000.0000000000", "soft"),
            ("cost", "month", "150.0000000000", "hard"),
        ]  # fmt: skip
    table = cost("budget", "list", "--organization", "acme")
    assert re.search(r"acme - daily|acme · daily", table)
    assert "$0.20" in table
    assert "60 %" in table

    removed = cost("budget", "remove", "--monthly", "--organization", "acme")
    assert removed == "acme · monthly: removed, was $150, hard, warns from 80 %\n"
    assert cost("budget", "remove", "--monthly", "--tokens", "--project", "web")
    assert Budget.objects.filter(enabled=True).count() == 1
    assert {c.actor for c in BudgetChange.objects.all()} == {"manage.py cost budget"}


@pytest.mark.parametrize(
    ("arguments", "reason", "code"),
    [
        (("budget", "--monthly", "5"), "there are several organizations", 1),
        (("budget", "set", "--organization", "acme"), "give a limit, such as", 2),
        (("budget", "set", "--monthly", "-1"), "'-1' is no amount", 2),
        (("budget", "--monthly", "5", "set"), "give limits after the subcommand", 2),
        (("budget", "set", "--monthly", "5", "--project", "nope"), "no project 'nope'", 1),
        (("budget", "set", "--monthly", "5", "--tokens", "--requests"), "given together", 2),
        (("budget", "remove", "--project", "web"), "say which budget", 2),
        (("budget", "remove", "--monthly", "--project", "web"), "acme / web has no monthly", 1),
        (("check",), "there are several organizations", 1),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(
    usage: None, arguments: tuple[str, ...], reason: str, code: int
) -> None:
    told, returned = refused(*arguments)
    assert reason in told
    assert (returned, "\n" in told) == (code, False)
    assert not Budget.objects.exists()


def test_without_usage_or_naming_the_only_organization_is_meant(db: None) -> None:
    Organization.objects.create(slug="solo")
    assert cost("budget", "--monthly", "200") == "solo · monthly: $200, soft, warns from 80 %\n"
    assert "solo" in cost("budget")


def test_a_session_starts_where_there_is_room_and_shows_what_is_left(spent: None) -> None:
    budget(project="web", limit="3", period="day")
    told = cost("check", "--project", "web", "--amount", "0.50")

    assert "acme / web" in told
    assert "budget $3, used $0.30 (10 %), remaining $2.70." in told
    assert not Decision.objects.exists()
    assert "no budget applies" in cost("check", "--project", "new-one", "--organization", "acme")


def test_a_warning_asks_and_the_answer_is_no_by_default(spent: None) -> None:
    budget(project="web", limit="0.35", period="day")
    arguments = ("check", "--project", "web", "--user", "ann")

    assert refused(*arguments) == ("not started", 1)
    assert refused(*arguments, answer="\n") == ("not started", 1)
    assert "Continue? [y/N]" in cost(*arguments, answer="y\n")
    assert "Continue" not in cost(*arguments, "--yes")


def test_what_a_hard_budget_blocks_does_not_start_whatever_one_says(spent: None) -> None:
    budget(limit="0.35", period="day", enforcement="hard", contact="the platform team")

    reason, code = refused("check", "--project", "web", "--amount", "0.06", "--yes", answer="y\n")
    assert code == 1
    assert "blocked" in reason
    assert "the platform team" in reason


def test_the_report_holds_the_month_against_the_budget_that_is_set(spent: None) -> None:
    def month(*arguments: str) -> Any:
        told = json.loads(cost("report", "--organization", "acme", "--format", "json", *arguments))
        return told.get("budget")

    assert month() is None
    budget(limit="200")
    assert Decimal(month()["limit"]) == 200
    assert Decimal(month("--budget", "7")["limit"]) == 7


def test_the_line_of_a_session_tells_what_its_budget_leaves(spent: None) -> None:
    assert "budget" not in cost("session", "s7")
    budget(project="web", limit="0.40", period="day")
    budget(limit="3", period="day")
    _, key = create_key("acme", ("read",), "reader")
    client = APIClient(headers={"Authorization": f"Bearer {key}"})

    assert cost("session", "s7").rstrip().endswith("25 % of budget left")
    line = client.get("/api/v1/sessions/s7/?format=line").content.decode()
    assert line.rstrip().endswith("25 % of budget left")


def test_a_quota_report_measures_against_budgets_of_requests_and_tokens(spent: None) -> None:
    assert refused("quota", "report", "--organization", "acme")[1] == 2
    budget(measure="requests", limit="10", period="day")
    budget(measure="tokens", limit="400000", period="day")

    told = json.loads(cost("quota", "report", "--organization", "acme", "--format", "json"))
    assert (told["limit"], told["messages"], told["window"]) == (10, 1, "day")
    text = cost("quota", "report", "--organization", "acme")
    assert re.search(r"Tokens today +100,000 +25 % +of 400,000", text)
