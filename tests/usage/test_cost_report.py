import csv
import json
from datetime import date
from decimal import Decimal
from io import StringIO

import pytest

from pricing.exchange import DatedRate, set_rates
from pricing.publishing import Provenance
from tests.usage.conftest import NOON, event
from tests.usage.cost_reports import (
    FEBRUARY_21,
    SESSION,
    cost,
    february_calls,
    lines_of,
    scope_at,
    session_calls,
    text_of,
)
from usage.forecasting import projected_total, run_rate
from usage.ingest.pipeline import Caller, ingest
from usage.reports.documents import Document
from usage.reports.month_budget import (
    MonthBudget,
    budget_facts,
    stand,
)
from usage.reports.periods import month_of
from usage.reports.spend import SpendReport, spend_document, spend_report
from usage.rollups import roll_up
from usage.selectors.access import EVERYTHING
from usage.selectors.questions import SUM_NAMES, UsageQuery
from usage.selectors.usage import query_usage, sums_as_json

FEBRUARY = ("--from", "2024-02-01", "--to", "2024-03-01")


@pytest.fixture
def february(caller: Caller) -> None:
    ingest(list(february_calls()), caller)
    roll_up()


@pytest.fixture
def session(caller: Caller) -> None:
    ingest(list(session_calls()), caller)
    roll_up()


def february_report(limit: str) -> SpendReport:
    scope = scope_at(FEBRUARY_21)
    period = month_of(scope.today, "This month")
    return spend_report(scope, period, budget=MonthBudget(Decimal(limit)))


@pytest.mark.django_db
def test_the_session_report_has_the_golden_numbers(session: None) -> None:
    lines = lines_of(cost("report", "--session", SESSION))
    assert lines[0] == f"Session {SESSION}"
    for line in (
        "Project web",
        "Started 2026-11-20 09:00",
        "Duration 1 h 23 m",
        "Model claude-sonnet-4-5",
        "input (prompt) 620,000 73 % $1.86 35 %",
        "output (completion) 230,000 27 % $3.45 65 %",
        "total 850,000 100 % $5.31 100 %",
        "Total calls 42",
        "Tokens per call 20,238",
        "Cost per call $0.13",
        "Tokens per minute 10,241",
        "Cost per minute $0.06",
    ):
        assert line in lines
    assert "12.50" not in "".join(lines)


@pytest.mark.django_db
def test_the_session_report_as_json_is_exact(session: None) -> None:
    told = json.loads(cost("report", "--session", SESSION, "--format", "json"))
    assert told["total"] == told["cost"] == "5.3100000000"
    assert (told["input_cost"], told["output_cost"]) == ("1.8600000000", "3.4500000000")
    assert told["cost_per_call"] == "0.1264285714"
    assert told["tokens_per_call"] == "20238.0952"
    assert told["tokens_per_minute"] == "10240.9639"
    assert told["prompt_cost_percent"] == "35.0282"
    assert told["duration_ms"] == 83 * 60_000


@pytest.mark.django_db
def test_the_basic_report_has_the_golden_numbers(february: None) -> None:
    text = text_of(spend_document(february_report("200")))
    lines = lines_of(text)
    assert lines[0] == "Cost report: This month, 1 Feb \N{EN DASH} 29 Feb 2024"
    for line in (
        "Total cost $127.50",
        "Tokens 8,500,000",
        "Sessions 24",
        "Average per session $5.31",
        "1 web $82.50 65 % 5,500,000 14",
        "2 api $45.00 35 % 3,000,000 10",
        "1 claude-opus-4-20250514 $95.25 75 % 6,350,000 18",
        "2 claude-sonnet-4-5 $32.25 25 % 2,150,000 6",
        "Monthly budget $200.00",
        "Used $127.50 64 %",
        "Remaining $72.50 36 %",
        "Days remaining 8",
        "Projected total $176.07",
        "Verdict within budget",
    ):
        assert line in lines
    assert "169.17" not in text


@pytest.mark.django_db
def test_top_sessions_have_rank_cost_tokens_and_project(february: None) -> None:
    lines = lines_of(cost("report", *FEBRUARY))
    top = lines[lines.index("Top sessions") + 2 :][:5]
    assert [line.split()[0] for line in top] == ["1", "2", "3", "4", "5"]
    # 5,500,000 tokens at $15 a million in 14 sessions: the first two have one token more.
    assert top[0] in ("1 session-0 $5.89 392,858 web", "1 session-1 $5.89 392,858 web")
    assert all(line.endswith("web") for line in top)


def test_a_run_rate_projects_what_is_spent_plus_the_days_left() -> None:
    spent = Decimal("127.50")
    rate = run_rate(spent, 21)
    assert rate is not None
    assert round(projected_total(spent, rate, 8), 2) == Decimal("176.07")
    assert projected_total(Decimal(160), Decimal("6.67"), 12) == Decimal("240.04")
    assert run_rate(spent, 0) is None


def test_185_of_200_is_93_percent_and_what_is_left_is_8() -> None:
    month = month_of(date(2026, 11, 1))
    standing = stand(MonthBudget(Decimal(200)), month, Decimal(185), date(2026, 11, 24))
    lines = lines_of(text_of(Document("", "USD", [budget_facts(standing, "USD")])))
    assert "Used $185.00 93 %" in lines
    assert "Remaining $15.00 8 %" in lines
    assert "Days remaining 6" in lines
    # 185 and six days at 185 / 24
    assert "Projected total $231.25 $31.25 over, 16 %" in lines
    assert "Verdict heading over budget" in lines


@pytest.mark.parametrize(
    ("today", "gone", "left", "verdict"),
    [
        (date(2026, 10, 31), 0, 30, "within budget"),
        (date(2026, 11, 1), 1, 29, "heading over budget"),
        (date(2026, 11, 30), 30, 0, "within budget"),
        (date(2027, 1, 5), 30, 0, "within budget"),
    ],
)
def test_days_of_a_budget_stay_within_its_month(
    today: date, gone: int, left: int, verdict: str
) -> None:
    month = month_of(date(2026, 11, 1))
    standing = stand(MonthBudget(Decimal(200)), month, Decimal(185), today)
    assert (standing.days_gone, standing.days_left) == (gone, left)
    assert standing.verdict == verdict


def test_more_than_the_limit_is_over_budget_and_leaves_less_than_nothing() -> None:
    standing = stand(
        MonthBudget(Decimal(0)), month_of(date(2026, 11, 1)), Decimal("0.5"), date(2026, 11, 2)
    )
    assert standing.verdict == "over budget"
    assert standing.remaining == Decimal("-0.5")
    assert "Used $0.50" in lines_of(text_of(Document("", "USD", [budget_facts(standing, "USD")])))


@pytest.mark.django_db
def test_json_has_the_digits_of_the_query_endpoint(february: None) -> None:
    told = json.loads(cost("report", *FEBRUARY, "--by-project", "--format", "json"))
    query = UsageQuery(
        viewer=EVERYTHING,
        start=date(2024, 2, 1),
        end=date(2024, 3, 1),
        group_by=("organization", "project"),
        order_by="-cost",
    )
    answer = query_usage(query)
    assert told["total"] == "127.5000000000"
    assert told["totals"] == sums_as_json(answer.totals)
    assert [{name: row[name] for name in SUM_NAMES} for row in told["by_project"]] == [
        sums_as_json(row.sums) for row in answer.rows
    ]
    assert [row["percent_of_total"] for row in told["by_project"]] == ["64.7059", "35.2941"]
    assert (told["sessions"], told["cost_per_session"]) == (24, "5.3125000000")
    assert "by_model" not in told


@pytest.mark.django_db
def test_csv_has_one_header_and_every_row_of_the_tables_asked_for(february: None) -> None:
    text = cost("report", *FEBRUARY, "--by-project", "--by-session", "--format", "csv")
    rows = list(csv.DictReader(StringIO(text)))
    assert text.count("section,") == 1
    totals = [row for row in rows if row["section"] == "totals"]
    projects = [row for row in rows if row["section"] == "by_project"]
    sessions = [row for row in rows if row["section"] == "by_session"]
    assert [row["cost"] for row in totals] == ["127.5000000000"]
    assert {row["project"]: row["cost"] for row in projects} == {
        "web": "82.5000000000",
        "api": "45.0000000000",
    }
    assert len(sessions) == 24
    assert sum(Decimal(row["cost"]) for row in sessions) == Decimal("127.50")


@pytest.mark.django_db
def test_a_csv_cell_starts_no_formula(caller: Caller) -> None:
    ingest([event(session_id="=cmd()")], caller)
    roll_up()
    text = cost("report", "--from", "2026-11-20", "--by-session", "--format", "csv")
    assert ",'=cmd()," in text


@pytest.mark.django_db
def test_a_summary_is_totals_only(february: None) -> None:
    lines = cost("report", *FEBRUARY, "--format", "summary").splitlines()
    assert lines[1] == "$127.50 estimated, 8.50 M tokens, 24 calls, 24 sessions, $5.31 a session"
    assert len(lines) == 2


@pytest.mark.django_db
def test_unpriced_calls_are_told_and_never_zero(caller: Caller) -> None:
    ingest([event("a"), event("b", model="nobody-knows", project="lab")], caller)
    roll_up()
    lines = lines_of(cost("report", "--from", "2026-11-20"))
    # 1,000 tokens at $3 and 100 at $15 a million
    assert "Total cost <$0.01 + 1 unpriced" in lines
    assert any(line.startswith("2 lab unpriced \N{EM DASH}") for line in lines)
    assert any("estimates" in line for line in lines)


@pytest.mark.django_db
def test_an_average_per_session_leaves_out_calls_without_a_session(caller: Caller) -> None:
    calls = [event("a", session_id="s", input_tokens=100_000), event("b", input_tokens=500_000)]
    ingest(calls, caller)
    roll_up()
    told = json.loads(cost("report", "--from", "2026-11-20", "--format", "json"))
    assert told["sessions"] == 1
    assert told["cost_per_session"] == "0.3015000000"


@pytest.mark.django_db
def test_a_detailed_report_adds_people_teams_hours_and_the_cost_split(caller: Caller) -> None:
    calls = [
        event("a", team="core", input_tokens=1000, cache_read_tokens=400),
        event("b", subject="bob", occurred_at=NOON.replace(hour=15)),
    ]
    ingest(calls, caller)
    roll_up()
    lines = lines_of(cost("report", "--from", "2026-11-20", "--to", "2026-11-21", "--detailed"))
    for title in ("Cost split", "By user", "By team", "By hour of the day"):
        assert title in lines
    assert "Read from cache 20 % of input tokens" in lines
    assert any(line.startswith("15:00") for line in lines)
    assert any("(no team)" in line for line in lines)


@pytest.mark.django_db
def test_costs_are_shown_in_another_currency(february: None) -> None:
    rate = DatedRate("USD", "EUR", date(2024, 1, 31), Decimal("0.9"))
    set_rates([rate], Provenance("test"))
    told = json.loads(cost("report", *FEBRUARY, "--currency", "EUR", "--format", "json"))
    assert (told["currency"], told["total"]) == ("EUR", "114.7500000000")
    assert "Total cost \N{EURO SIGN}114.75" in lines_of(
        cost("report", *FEBRUARY, "--currency", "EUR", "--detailed")
    )


@pytest.mark.django_db
def test_same_names_of_two_owners_are_told_apart(caller: Caller) -> None:
    ingest([event("a"), event("b", provider="openrouter", model="claude-sonnet-4-5")], caller)
    roll_up()
    text = cost("report", "--from", "2026-11-20", "--by-model")
    assert "anthropic/claude-sonnet-4-5" in text
    assert "openrouter/claude-sonnet-4-5" in text
