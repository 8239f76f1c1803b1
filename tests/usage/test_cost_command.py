import json
import re
from datetime import timedelta
from io import StringIO
from typing import Any
from unittest.mock import patch

import pytest
from django.core.management import CommandError, load_command_class

from tests.usage.conftest import NOON, event
from tests.usage.cost_reports import (
    SESSION,
    SESSION_START,
    cost,
    lines_of,
    session_calls,
)
from usage.ingest.pipeline import Caller, ingest
from usage.organizations import ensure_organization
from usage.rollups import roll_up

SUBCOMMANDS: tuple[tuple[str, ...], ...] = (
    (),
    ("quota",),
    ("report",),
    ("top",),
    ("trends",),
    ("compare",),
    ("analyze",),
    ("forecast",),
    ("advise",),
    ("chargeback",),
    ("session",),
    ("quota", "report"),
)
NOVEMBER = ("--from", "2026-11-01", "--to", "2026-12-01")


def from_command_line(*arguments: str) -> int:
    """The exit code of `manage.py cost …`."""
    # A command closes its connections when it is done, the test still needs its own.
    with patch("django.core.management.base.connections.close_all"):
        try:
            load_command_class("usage", "cost").run_from_argv(["manage.py", "cost", *arguments])
        except SystemExit as exit_:
            return exit_.code if isinstance(exit_.code, int) else 1
    return 0


@pytest.fixture
def two_projects(caller: Caller) -> None:
    calls = [
        event("a", project="web", session_id="s1", input_tokens=100_000),
        event("b", project="api", session_id="s2", input_tokens=50_000, subject="bob"),
        event("c", project="api", run_id="r1", occurred_at=NOON - timedelta(days=31)),
    ]
    ingest(calls, caller)
    roll_up()


@pytest.mark.parametrize("path", SUBCOMMANDS, ids=" ".join)
def test_the_help_of_every_subcommand_has_an_example(
    path: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert from_command_line(*path, "--help") == 0
    shown = capsys.readouterr().out
    assert f"  manage.py cost {' '.join(path)}" in shown
    assert "example" in shown


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("report", "--foo"), "No such option: --foo"),
        (("report", "--from", "soon"), "Invalid value for '--from': 'soon' is no date such as"),
        (("report", "--budget", "-1"), "'-1' is no amount such as 200"),
        (("report", "--budget", "NaN"), "'NaN' is no amount"),
        (("chargeback", "--month", "2026-13"), "'2026-13' is no month such as 2026-11"),
        (("quota", "report", "--requests", "5", "--window", "0h"), "'0h' is no window such as 5h"),
        (("top", "--limit", "0"), "Invalid value for '--limit'"),
        (("trends", "--weekly", "--monthly"), "cannot be given together"),
        (("compare", "one"), "Missing argument 'B'"),
        ((), "Missing command"),
        (("nothing",), "No such command 'nothing'"),
    ],
)
def test_bad_usage_is_one_line_on_standard_error_and_exit_2(
    arguments: tuple[str, ...], reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert from_command_line(*arguments) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith("cost: ")
    assert reason in told.err
    assert told.err.count("\n") == 1


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("arguments", "code", "reason"),
    [
        (("report", "--organization", "nobody"), 1, "there is no organization 'nobody'"),
        (("report", "--session", "none"), 1, "there is no session 'none'"),
        (("session", "none"), 1, "there is no session 'none'"),
        (("compare", "x", "y"), 1, "'x' and 'y' are not both a period, session"),
        (("report", "--timezone", "Mars/Base"), 2, "'Mars/Base' is not an IANA time zone."),
        (("report", "--currency", "XXX"), 2, "'XXX' is none of USD"),
        (("report", "--today", "--this-week"), 2, "--today, --this-week cannot be given together"),
        (("report", "--from", "2026-11-02", "--to", "2026-11-02"), 2, "--to must come after"),
        (("quota", "report"), 2, "--requests or TALLYMAN_PLAN_REQUESTS"),
    ],
)
def test_a_question_without_an_answer_ends_in_one_line(
    arguments: tuple[str, ...], code: int, reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert from_command_line(*arguments) == code
    told = capsys.readouterr()
    assert (told.out, told.err.count("\n")) == ("", 1)
    assert reason in told.err
    with pytest.raises(CommandError, match=re.escape(reason)):
        cost(*arguments)


@pytest.mark.django_db
def test_only_the_organizations_named_are_shown(two_projects: None) -> None:
    ensure_organization("other")
    assert "$0.45" in cost("report", *NOVEMBER, "--organization", "acme")
    assert "Calls 0" in lines_of(cost("report", *NOVEMBER, "--organization", "other"))


@pytest.mark.django_db
def test_top_ranks_each_kind_asked_for(two_projects: None) -> None:
    lines = lines_of(cost("top", *NOVEMBER, "--sessions", "--projects", "--limit", "1"))
    assert "1 s1 $0.30 100,100 web" in lines
    assert "1 web $0.30 67 % 100,100 1" in lines
    assert not any("s2" in line or "api" in line for line in lines)


@pytest.mark.django_db
def test_top_shows_details_of_runs_people_and_models(two_projects: None) -> None:
    shown = cost("top", "--from", "2026-10-01", "--runs", "--users", "--models", "--show-details")
    lines = lines_of(shown)
    assert any(line.startswith("1 r1 <$0.01 1,100 1 api ann claude-sonnet-4-5") for line in lines)
    assert any(line.startswith("2 bob $0.15") for line in lines)
    assert "# model cost share tokens calls errors input output" in lines


@pytest.mark.django_db
def test_a_trend_has_every_day_its_peak_its_average_and_the_change(two_projects: None) -> None:
    told = json.loads(cost("trends", *NOVEMBER, "--format", "json"))
    # November: 150,000 at $3 and 200 at $15 a million; October, its month before: 1,000 and 100.
    assert told["total"] == "0.4530000000"
    assert told["before"] == "0.0045000000"
    assert told["average"] == "0.0151000000"
    assert told["peak"] == "0.4530000000"
    assert told["change"] == "0.4485000000"
    assert told["change_percent"] == "9966.6667"
    assert len(told["by_day"]) == 30
    shown = cost("trends", *NOVEMBER)
    assert "█" * 24 in shown
    assert "on 2026-11-20" in shown


@pytest.mark.django_db
def test_analysis_names_the_busiest_hours_in_the_zone(two_projects: None) -> None:
    lines = lines_of(cost("analyze", *NOVEMBER, "--by-hour", "--timezone", "Asia/Kolkata"))
    assert "Busiest hours 17:00 ($0.45)" in lines
    assert sum(line.split()[0].endswith(":00") for line in lines if line) == 24
    assert "Busiest days Friday ($0.45)" in lines_of(cost("analyze", *NOVEMBER, "--by-day"))


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("names", "kind"),
    [
        (("2026-10", "2026-11"), "periods"),
        (("2026-10-01..2026-11-01", "2026-11"), "periods"),
        (("api", "web"), "projects"),
        (("s1", "s2"), "sessions"),
    ],
)
def test_two_things_are_compared_by_what_they_are(
    two_projects: None, names: tuple[str, str], kind: str
) -> None:
    assert f"Compared {kind}: " in cost("compare", *names, *NOVEMBER)


@pytest.mark.django_db
def test_a_comparison_tells_the_difference_and_the_change(two_projects: None) -> None:
    lines = lines_of(cost("compare", "s1", "s2"))
    assert "Cost $0.30 $0.15 -$0.15 -50 %" in lines
    assert "of them input 100,000 50,000 -50,000 -50 %" in lines
    assert "Calls 1 1 0 0 %" in lines
    assert (
        cost("compare", "s1", "s2", "--format", "summary") == "s1 $0.30, s2 $0.15: -$0.15, -50 %\n"
    )
    rows = cost("compare", "s1", "s2", "--format", "csv").splitlines()
    assert rows[1] == "figures,USD,cost,0.3015000000,0.1515000000,-0.1500000000,-49.7512"


@pytest.mark.django_db
def test_what_did_not_happen_has_no_cost_a_call() -> None:
    assert "Cost a call — — —" in " ".join(cost("compare", "2026-10", "2026-11").split())


@pytest.mark.django_db
def test_names_that_are_two_things_need_a_kind(caller: Caller) -> None:
    calls = [event(n, project=n, session_id=n) for n in ("one", "two")]
    ingest(calls, caller)
    roll_up()
    with pytest.raises(CommandError, match="each a session and project; say --kind"):
        cost("compare", "one", "two", *NOVEMBER)
    assert "Compared projects" in cost("compare", "one", "two", *NOVEMBER, "--kind", "project")


@pytest.mark.django_db
def test_a_new_installation_says_that_there_is_nothing(caller: Caller) -> None:
    for arguments in (("report",), ("top",), ("trends",), ("analyze",), ("forecast",)):
        assert "$0.00" in cost(*arguments)
    assert "nothing to save" in cost("advise")
    assert "nothing in this period" in cost("chargeback")


@pytest.mark.django_db
def test_one_line_about_a_session(caller: Caller) -> None:
    ingest(list(session_calls()), caller)
    roll_up()
    line = "$5.31 · 850.0 k tokens · 42 calls · claude-sonnet-4-5\n"
    assert cost("session", SESSION) == line


@pytest.mark.django_db
def test_a_session_is_named_by_json_on_standard_input(
    caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    ingest(list(session_calls()), caller)
    roll_up()
    monkeypatch.setattr("sys.stdin", StringIO(json.dumps({"session_id": SESSION, "cwd": "/"})))
    assert cost("session", "-").startswith("$5.31 · ")
    monkeypatch.setattr("sys.stdin", StringIO("no json"))
    with pytest.raises(CommandError, match="session_id on standard input"):
        cost("session")


@pytest.mark.django_db
def test_watching_a_session_goes_on_until_it_is_interrupted(
    caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    ingest(list(session_calls()), caller)
    roll_up()
    waits: list[float] = []

    def wait(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 1:
            late = event("late", occurred_at=SESSION_START, session_id=SESSION)
            ingest([late], caller)
            roll_up()
        else:
            raise KeyboardInterrupt

    monkeypatch.setattr("usage.management.cost.live.time.sleep", wait)
    monkeypatch.setattr("usage.management.cost.live.connection.close", lambda: None)
    out: list[str] = []

    def write(self: Any, text: str, **rest: Any) -> None:
        out.append(text)

    monkeypatch.setattr("django_typer.management.OutputWrapper.write", write)
    cost("session", SESSION, "--watch", "--interval", "1")
    assert waits == [1, 1]
    assert ["42 calls" in out[0], "43 calls" in out[1]] == [True, True]
