import gzip
import io
import json
import sys
from collections.abc import Callable
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from tests.usage.conftest import body
from usage.importers import native_import
from usage.importers.files import LineTooLong, lines_of, open_bytes
from usage.importers.native_files import HeaderError, read_csv
from usage.ingest.decode import Decoded
from usage.ingest.values import EventValue, Rejection, SubjectValue
from usage.models import UsageEvent
from usage.organizations import ensure_organization

pytestmark = pytest.mark.django_db

HEADER = "event_id,occurred_at,provider,model,input_tokens,output_tokens"
WHEN = "2026-11-20T12:00:00Z"


def lines(*events: dict[str, Any]) -> bytes:
    return b"".join(json.dumps(event).encode() + b"\n" for event in events)


def run(*arguments: str) -> tuple[str, str]:
    out, err = StringIO(), StringIO()
    try:
        call_command("import", "events", *arguments, stdout=out, stderr=err)
    except CommandError as error:
        err.write(f"exit {error.returncode}: {error}")
    return out.getvalue(), err.getvalue()


def rows(text: str) -> list[tuple[int, Decoded]]:
    return list(read_csv(BytesIO(text.encode())))


def event_of(text: str) -> EventValue:
    [(_, event)] = rows(text)
    assert isinstance(event, EventValue), event
    return event


def code_of(text: str) -> tuple[int, str, str]:
    [(number, outcome)] = rows(text)
    assert isinstance(outcome, Rejection), outcome
    return number, outcome.errors[0].field, outcome.errors[0].code


@pytest.fixture
def feed(monkeypatch: pytest.MonkeyPatch) -> Callable[[bytes], None]:
    def replace(content: bytes) -> None:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(BytesIO(content)))

    return replace


def test_json_lines_are_stored_and_a_repeat_changes_nothing(
    tmp_path: Path, catalogue: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(native_import, "CHUNK", 2)
    file = tmp_path / "events.jsonl"
    file.write_bytes(lines(*(body(f"e{n}") for n in range(5))))
    first, errors = run(str(file), "--organization", "acme")
    assert errors == ""
    assert "5 rows: 5 accepted, 0 repeats, 0 conflicts, 0 rejected" in first
    assert "added 0.0225000000 USD, 0 unpriced" in first
    second, errors = run(str(file), "--organization", "acme")
    assert errors == ""
    assert "5 rows: 0 accepted, 5 repeats" in second
    assert UsageEvent.objects.filter(organization__slug="acme").count() == 5


def test_compressed_files_are_opened(tmp_path: Path, catalogue: None) -> None:
    file = tmp_path / "events.jsonl.gz"
    file.write_bytes(gzip.compress(lines(body())))
    assert "1 accepted" in run(str(file))[0]


def test_a_compressed_file_cut_short_is_a_failure(tmp_path: Path, catalogue: None) -> None:
    file = tmp_path / "events.jsonl.gz"
    file.write_bytes(gzip.compress(lines(*(body(f"e{n}") for n in range(50))))[:-20])
    assert "exit 1: " in run(str(file))[1]


def test_standard_input_is_read(feed: Callable[[bytes], None], catalogue: None) -> None:
    feed(f"{HEADER}\ne1,{WHEN},anthropic,claude-opus-4-8,10,1\n".encode())
    assert "1 accepted" in run("-", "--format", "csv")[0]


def test_refused_rows_are_told_with_line_field_and_code(tmp_path: Path, catalogue: None) -> None:
    file, errors = tmp_path / "events.jsonl", tmp_path / "errors.jsonl"
    file.write_bytes(
        lines(body("a"), body("b", input_tokens=-1), body("a", output_tokens=7))
        + b"\n{broken\n"
        + lines(body("c", bogus=1))
    )
    out, err = run(str(file), "--errors", str(errors))
    assert "5 rows: 1 accepted, 0 repeats, 1 conflicts, 3 rejected" in out
    told = [line.removeprefix(f"{file}:").split(": ")[:2] for line in err.splitlines()]
    assert told == [
        ["2", "input_tokens negative"],
        ["3", "event_id conflict"],
        ["5", "- malformed"],
        ["6", "bogus unknown_field"],
        ["exit 1", "4 of 5 rows were not stored"],
    ]
    written = [json.loads(line) for line in errors.read_text().splitlines()]
    assert [(e["line"], e["event_id"], e["status"], e["errors"][0]["code"]) for e in written] == [
        (2, "b", "rejected", "negative"),
        (3, "a", "conflict", "conflict"),
        (5, None, "rejected", "malformed"),
        (6, "c", "rejected", "unknown_field"),
    ]


def test_only_the_first_refused_rows_are_shown(tmp_path: Path, catalogue: None) -> None:
    file = tmp_path / "events.jsonl"
    file.write_bytes(b"{}x\n" * 25)
    err = run(str(file))[1].splitlines()
    assert len(err) == 22
    assert err[20] == "… and 5 more"


def test_a_site_import_lets_each_event_name_its_organization(
    tmp_path: Path, catalogue: None
) -> None:
    ensure_organization("acme")
    ensure_organization("globex")
    file = tmp_path / "events.csv"
    file.write_text(
        f"organization,{HEADER}\n"
        f"acme,e1,{WHEN},anthropic,claude-opus-4-8,10,1\n"
        f"globex,e1,{WHEN},anthropic,claude-opus-4-8,10,1\n"
        f"nobody,e1,{WHEN},anthropic,claude-opus-4-8,10,1\n"
    )
    out, err = run(str(file), "--site")
    assert "3 rows: 2 accepted" in out
    assert f"{file}:4: organization unknown_organization" in err


def test_a_foreign_organization_is_refused(tmp_path: Path, catalogue: None) -> None:
    file = tmp_path / "events.jsonl"
    file.write_bytes(lines(body(organization="globex")))
    assert "organization foreign_organization" in run(str(file), "--organization", "acme")[1]


@pytest.mark.parametrize("options", [["--site", "--organization", "a"], ["--format", "xml"]])
def test_options_that_contradict_are_refused(options: list[str]) -> None:
    assert "exit 1: Error: argument" in run("-", *options)[1]


def test_an_impossible_organization_is_bad_usage(tmp_path: Path) -> None:
    file = tmp_path / "events.jsonl"
    file.write_bytes(b"")
    assert "exit 2: Use up to 128 letters" in run(str(file), "--organization", "a b")[1]


def test_a_missing_file_is_a_failure(tmp_path: Path, catalogue: None) -> None:
    assert "exit 1: " in run(str(tmp_path / "none.jsonl"))[1]


def test_csv_cells_become_typed_fields() -> None:
    event = event_of(
        "\ufeffevent_id,occurred_at,model,subject,subject.email,free_tier,duration_ms,"
        "meters.web_searches,tags.env,tags.team,reported_cost,currency,usage\n"
        f"e1,{WHEN},m,ann,ann@example.com,yes,12,2.5,prod,,0.10,USD,\n"
    )
    assert event.subject == SubjectValue(key="ann", email="ann@example.com")
    assert (event.free_tier, event.duration_ms) == (True, 12)
    assert {name: str(value) for name, value in (event.meters or {}).items()} == {
        "web_searches": "2.5"
    }
    assert event.tags == {"env": "prod"}
    assert str(event.reported_cost) == "0.10"
    assert event.usage is None


def test_a_usage_cell_holds_the_object_of_the_provider() -> None:
    event = event_of(f'event_id,occurred_at,model,usage\ne1,{WHEN},m,"{{""prompt_tokens"": 7}}"\n')
    assert event.usage == {"prompt_tokens": 7}


def test_lines_are_counted_through_quoted_line_breaks() -> None:
    text = f'event_id,occurred_at,model\n"a\nb",{WHEN},m\n\ne2,{WHEN},m\ne3,never,m\n'
    assert [(number, type(event)) for number, event in rows(text)] == [
        (2, EventValue),
        (5, EventValue),
        (6, Rejection),
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"e1,{WHEN},p,m,x,1", (2, "input_tokens", "wrong_type")),
        (f"e1,{WHEN},p,m,1.5,1", (2, "input_tokens", "wrong_type")),
        (f"e1,{WHEN},p,m,-2,1", (2, "input_tokens", "negative")),
        ("e1,2026-11-20T12:00:00,p,m,1,1", (2, "occurred_at", "naive")),
        (f",{WHEN},p,m,1,1", (2, "event_id", "required")),
        (f"e1,{WHEN},p,m,1,1,9", (2, "", "too_many_cells")),
        (f'e1,{WHEN},p,m,1,"a"b', (2, "", "malformed")),
    ],
)
def test_a_row_that_is_no_event_says_why(text: str, expected: tuple[int, str, str]) -> None:
    assert code_of(f"{HEADER}\n{text}\n") == expected


def test_bytes_that_are_no_text_are_refused_and_the_next_row_is_read() -> None:
    content = f"{HEADER}\ne1,{WHEN},p,m\udcff,1,1\ne2,{WHEN},p,m,1,1\n"
    found = list(read_csv(BytesIO(content.encode(errors="surrogateescape"))))
    assert isinstance(found[0][1], Rejection)
    assert found[0][1].errors[0].code == "invalid_utf8"
    assert isinstance(found[1][1], EventValue)


@pytest.mark.parametrize("header", ["event_id,colour", "tags", "subject.age", "model,model"])
def test_a_header_that_names_no_event_fields_is_refused(header: str) -> None:
    with pytest.raises(HeaderError):
        rows(f"{header}\n")


def test_an_overlong_line_is_skipped_and_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("usage.importers.files.MAX_LINE_BYTES", 10)
    found = list(lines_of(BytesIO(b"short\n" + b"x" * 35 + b"\n\nlast")))
    assert found[0] == (1, b"short\n")
    assert found[1][0] == 2
    assert isinstance(found[1][1], LineTooLong)
    assert found[2] == (4, b"last")


def test_reading_tells_how_far_it_has_come(tmp_path: Path) -> None:
    file, steps = tmp_path / "a.gz", list[int]()
    file.write_bytes(gzip.compress(b"a\n" * 100_000))
    with open_bytes(file, steps.append) as content:
        assert sum(1 for _ in lines_of(content)) == 100_000
    assert sum(steps) == file.stat().st_size
