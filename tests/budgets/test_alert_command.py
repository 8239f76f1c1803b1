import json
from contextlib import suppress
from datetime import UTC, datetime
from io import StringIO
from typing import Any
from unittest.mock import patch

import pytest
from django.core.management import CommandError, call_command, load_command_class

from budgets.channels.sealing import unseal
from budgets.models import Budget, Channel, Threshold
from tests.config.site_data import event, send

NOW = datetime.now(UTC)
HOOK = "https://hooks.example.org/in/abcdefghijkl"
ACME = ("--organization", "acme")


def cost(*arguments: str) -> list[str]:
    out = StringIO()
    call_command("cost", *arguments, stdout=out)
    return out.getvalue().splitlines()


def listed() -> Any:
    return json.loads("".join(cost("alert", "list", *ACME, "--format", "json")))


def levels(**budget: Any) -> list[str]:
    return sorted(
        str(row) for row in Threshold.objects.filter(budget__in=Budget.objects.filter(**budget))
    )


@pytest.mark.parametrize(
    "path", [("alert",), ("alert", "set"), ("alert", "list"), ("alert", "remove")]
)
def test_the_help_of_alert_commands_has_an_example(
    path: tuple[str, ...], capsys: pytest.CaptureFixture[str], db: None
) -> None:
    with patch("django.core.management.base.connections.close_all"), suppress(SystemExit):
        load_command_class("budgets", "cost").run_from_argv(["manage.py", "cost", *path, "--help"])
    assert f"  manage.py cost {' '.join(path)} " in capsys.readouterr().out


def test_thresholds_go_to_all_plain_budgets_of_the_target(usage: None) -> None:
    cost("budget", "set", "--daily", "20", "--monthly", "200", *ACME)
    assert cost("alert", "--threshold", "75%", *ACME) == [
        "acme · daily: $20, soft, warns from 75 % (was $20, soft, warns from 80 %)",
        "acme · monthly: $200, soft, warns from 75 % (was $200, soft, warns from 80 %)",
    ]
    cost("alert", "set", "--amount", "150", "--monthly", *ACME)
    assert (levels(period="day"), levels(period="month")) == (["75 %"], ["150", "75 %"])
    (line,) = cost("alert", "set", "--threshold", "50", "--threshold", "90%", "--daily", *ACME)
    assert line.startswith("acme · daily: $20, soft, warns from 50 %, 90 %")
    assert cost("alert", "set", "--amount", "150", "--monthly", *ACME)[0].endswith(", as before")

    cost("alert", "remove", "--threshold", "75%", *ACME)
    assert (levels(period="day"), levels(period="month")) == (["50 %", "90 %"], ["150"])


def test_an_amount_without_a_budget_makes_one_that_only_warns(usage: None) -> None:
    assert cost("alert", "set", "--amount", "150", "--project", "web", *ACME) == [
        "acme / web · monthly: no limit, soft, warns from $150"
    ]
    assert Budget.objects.get().limit is None


def test_who_is_told_is_added_once_and_taken_away(usage: None) -> None:
    made = cost("alert", "set", "--email", "ann@example.org", "--webhook", HOOK, *ACME)
    assert made[:2] == [
        "acme · channel email: a…@example.org",
        "acme · channel webhook: https://hooks.example.org/…ijkl",
    ]
    secret = made[2].rpartition(" ")[2]
    assert secret.startswith("whsec_")
    again = cost("alert", "set", "--email", "ann@example.org", "--webhook", HOOK, *ACME)
    assert [line.endswith(", as before") for line in again] == [True, True]

    assert cost("alert", "set", "--email", "bob@example.org", *ACME)
    cost("alert", "set", "--webhook", f"{HOOK}2", *ACME)
    told = {row.name: (unseal(row.target), row.is_default) for row in Channel.objects.all()}
    assert told == {
        "email": ("ann@example.org,bob@example.org", True),
        "webhook": (HOOK, True),
        "webhook-2": (f"{HOOK}2", True),
    }
    cost("alert", "remove", "--email", "ann@example.org", "--webhook", HOOK, *ACME)
    left = {unseal(row.target) for row in Channel.objects.all()}
    assert left == {"bob@example.org", f"{HOOK}2"}


def test_what_warns_who_is_told_and_what_is_wrong_is_listed(usage: None) -> None:
    cost("budget", "set", "--daily", "0.25", *ACME)
    cost("alert", "set", "--email", "ann@example.org", *ACME)
    send([event("now", NOW, project="web", input_tokens=100_000)])

    told = listed()
    (level,) = told["thresholds"]
    assert (level["organization"], level["period"], level["percent"]) == ("acme", "day", "80.00")
    (channel,) = told["channels"]
    assert (channel["target"], channel["state"]) == ("a…@example.org", "never used")
    assert {(alert["kind"], alert["severity"]) for alert in told["alerts"]} == {
        ("threshold", "critical"), ("threshold", "warning"),
    }  # fmt: skip
    table = "\n".join(cost("alert", *ACME))
    assert "acme · daily" in table
    assert "a…@example.org" in table
    assert "ann@" not in table
    assert cost("alert", "list", "--format", "summary")[0] == "2 live alerts"


@pytest.mark.parametrize(
    ("arguments", "reason", "code"),
    [
        (("set", *ACME), "give a threshold or a channel", 2),
        (("remove", *ACME), "say what to remove", 2),
        (("set", "--threshold", "much", *ACME), "'much' is no percentage", 2),
        (("set", "--threshold", "80%"), "there are several organizations", 1),
        (("set", "--threshold", "80%", *ACME), "no budget is set yet", 1),
        (("set", "--threshold", "80%", "--daily", *ACME), "--threshold: There is no budget", 1),
        (("set", "--amount", "1", "--email", "nobody", *ACME), "--email: Enter a valid", 1),
        (("set", "--webhook", "https://10.0.0.1/", *ACME), "ddress", 1),
        (("remove", "--threshold", "80%", *ACME), "no budget is set yet", 1),
        (("remove", "--slack", "https://hooks.slack.com/services/x", *ACME), "--slack", 1),
        (("--threshold", "80%", "list"), "give options after the subcommand", 2),
    ],
)
def test_what_cannot_be_is_refused_in_one_line_and_changes_nothing(
    usage: None, arguments: tuple[str, ...], reason: str, code: int
) -> None:
    with pytest.raises(CommandError) as refused:
        cost("alert", *arguments)
    assert reason in str(refused.value)
    assert (refused.value.returncode, "\n" in str(refused.value)) == (code, False)
    assert not Budget.objects.exists()
    assert not Channel.objects.exists()
