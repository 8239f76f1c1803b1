import json
from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from io import StringIO

import pytest
from django.core.management import call_command
from rich.console import Console

from tests.usage.conftest import NOON, event
from tests.usage.cost_reports import lines_of, text_of
from usage.ingest.pipeline import Caller, ingest
from usage.reports.as_data import as_csv, as_json
from usage.reports.as_text import as_line, as_text
from usage.reports.documents import Column, Document, Fact, Facts, Kind, Sheet, labels
from usage.reports.periods import Period, between, month_of, read_month, read_period, week_of
from usage.rollups import roll_up
from usage.selectors.questions import QuestionError

ID = "session-" + "x" * 120


class Terminal(StringIO):
    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


def document(*parts: Facts | Sheet) -> Document:
    return Document("Title", "USD", parts)


def sheet(rows: Sequence[Sequence[object]], most: int = 50) -> Sheet:
    columns = (
        Column("id", "id", Kind.TEXT),
        Column("cost", "cost", Kind.MONEY),
        Column("hidden", "hidden", Kind.COUNT, people=False),
        Column("bar", "", Kind.BAR, data=False),
        Column("spare", "spare", Kind.TEXT, spare=True),
    )
    return Sheet("things", "Things", columns, rows, most=most)


def in_width(shown: Document, width: int) -> str:
    console = Console(width=width, file=StringIO())
    with console.capture() as captured:
        for part in as_text(shown, "UTC"):
            console.print(part)
    return captured.get()


def test_ids_are_never_cut_or_wrapped_when_piped() -> None:
    shown = text_of(document(sheet([(ID, Decimal(1), 2, Decimal(50), "y" * 100)])))
    assert any(ID in line and "y" * 100 in line for line in shown.splitlines())


def test_a_narrow_terminal_leaves_out_spare_columns_and_says_so() -> None:
    rows = [("session-1", Decimal(1), 2, Decimal(50), "y" * 50)]
    assert "a wider terminal shows spare" in in_width(document(sheet(rows)), 80)
    assert "yyy" not in in_width(document(sheet(rows)), 80)
    assert "y" * 50 in in_width(document(sheet(rows)), 120)


def test_an_id_too_long_for_a_terminal_wraps_whole() -> None:
    rows = [(ID, Decimal(1), 2, Decimal(50), "")]
    shown = in_width(document(sheet(rows)), 60)
    assert shown.count("x") - shown.count("ex") >= 120
    assert max(map(len, shown.splitlines())) <= 60


def test_names_above_figures_wrap_before_the_labels_do() -> None:
    columns = (
        Column("label", "", Kind.TEXT),
        *(Column(name, f"session-{name * 30}", Kind.FIGURE) for name in ("a", "b")),
    )
    shown = in_width(document(Sheet("s", "S", columns, [("of them input", "$1.00", "$2.00")])), 60)
    assert "of them input" in shown
    assert max(map(len, shown.splitlines())) <= 60


def test_bars_are_blocks_or_plain_characters() -> None:
    whole = document(sheet([("a", None, 1, Decimal(100), ""), ("b", None, 1, Decimal("0.1"), "")]))
    assert "\N{FULL BLOCK}" * 24 in text_of(whole)
    assert "\N{LEFT ONE EIGHTH BLOCK}" in text_of(whole)
    plain = text_of(whole, unicode=False)
    assert "#" * 24 in plain
    assert "\N{FULL BLOCK}" not in plain


def test_people_are_told_how_many_rows_they_do_not_see() -> None:
    rows = [(str(n), Decimal(n), n, Decimal(0), "") for n in range(5)]
    lines = lines_of(text_of(document(sheet(rows, most=2))))
    assert "and 3 more; --format csv or json has all" in lines
    assert len(json.loads(as_json(document(sheet(rows, most=2))))["things"]) == 5


def test_data_has_exact_values_and_no_decoration() -> None:
    facts = Facts(
        (
            Fact("exact", "Exact", Kind.MONEY, Decimal("0.00000000015"), share=Decimal("2.5")),
            Fact("at", "At", Kind.INSTANT, datetime(2026, 11, 20, 12, tzinfo=UTC)),
            Fact("none", "None", Kind.MONEY, None),
            Fact("shown", "Shown", Kind.TEXT, "x", data=False),
        ),
        name="figures",
    )
    told = json.loads(as_json(document(facts, sheet([("a", Decimal(3), 7, None, "s")]))))
    assert told["figures"] == {
        "exact": "0.0000000002",
        "exact_percent": "2.5000",
        "at": "2026-11-20T12:00:00Z",
        "none": None,
    }
    assert told["things"] == [{"id": "a", "cost": "3.0000000000", "hidden": 7, "spare": "s"}]


def test_tables_of_a_csv_share_a_header_and_leave_out_what_they_have_not() -> None:
    other = Sheet("others", "", (Column("name", "", Kind.TEXT),), [("=1+1",)])
    text = "".join(as_csv(document(sheet([("a", Decimal(3), 7, None, "s")]), other)))
    assert text.splitlines() == [
        "section,currency,id,cost,hidden,spare,name",
        "things,USD,a,3.0000000000,7,s,",
        "others,USD,,,,,'=1+1",
    ]


def test_a_csv_without_tables_has_the_figures_as_its_row() -> None:
    facts = Facts((Fact("a", "", Kind.COUNT, 1), Fact("b", "", Kind.TEXT, None)))
    assert "".join(as_csv(document(facts))).splitlines() == ["a,b", "1,"]


def test_names_are_short_unless_two_owners_share_them() -> None:
    named = [("acme", "web"), ("globex", "web"), ("acme", "api"), (None, "x"), ("acme", None)]
    assert labels(named, "(none)") == ["acme/web", "globex/web", "api", "x", "(none)"]


@pytest.mark.django_db
@pytest.mark.parametrize(("no_color", "coloured"), [(None, True), ("1", False)])
def test_colour_is_for_terminals_and_can_be_declined(
    caller: Caller, monkeypatch: pytest.MonkeyPatch, no_color: str | None, coloured: bool
) -> None:
    ingest([event()], caller)
    roll_up()
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.delenv("NO_COLOR", raising=False)
    if no_color:
        monkeypatch.setenv("NO_COLOR", no_color)
    out = Terminal()
    call_command("cost", "report", "--from", "2026-11-20", stdout=out)
    assert ("\x1b[32m" in out.getvalue()) is coloured
    piped = StringIO()
    call_command("cost", "report", "--from", "2026-11-20", stdout=piped)
    assert "\x1b" not in piped.getvalue()
    assert not any(line.endswith(" ") for line in piped.getvalue().splitlines())


def test_periods_are_named_and_have_one_before() -> None:
    november = month_of(NOON.date())
    assert (november.start, november.end) == (date(2026, 11, 1), date(2026, 12, 1))
    assert november.before == month_of(date(2026, 10, 5))
    days = Period(date(2026, 11, 3), date(2026, 11, 5))
    assert days.before == Period(date(2026, 11, 1), date(2026, 11, 3))
    assert week_of(date(2026, 11, 22)).start == date(2026, 11, 16)
    assert Period(date(2025, 12, 24), date(2026, 1, 3), "Holidays").title == (
        "Holidays, 24 Dec 2025 \N{EN DASH} 2 Jan 2026"
    )


def test_open_ended_periods_end_today_or_begin_thirty_days_before() -> None:
    today = date(2026, 11, 20)
    assert between(today, None, today) == Period(today, date(2026, 11, 21))
    assert between(None, date(2026, 11, 11), today).start == date(2026, 10, 12)
    with pytest.raises(QuestionError, match="exclusive"):
        between(today, today, today)


@pytest.mark.parametrize("text", ["2026-13", "2026-1", "0000-01", "26-01", "2026-11x", "web", ""])
def test_what_is_no_month_is_no_period(text: str) -> None:
    assert read_period(text) is None
    with pytest.raises(ValueError, match="no month such as"):
        read_month(text)


def test_a_summary_tells_the_figures_that_people_see() -> None:
    facts = Facts(
        (
            Fact("total", "Total", Kind.MONEY, Decimal("2.005"), note="+ 3 unpriced"),
            Fact("used", "Used", Kind.COUNT, 45, share=Decimal(15), note="of 300"),
            Fact("hidden", "Hidden", Kind.COUNT, 1, people=False),
        )
    )
    line = as_line(Document("Title", "USD", (facts,), subtitle="all"), "UTC")
    assert line == "Title (all)\nTotal $2.01 (+ 3 unpriced); Used 45 (15 % of 300)"
    assert as_line(Document("Title", "USD", (facts,), line="short"), "UTC") == "short"
