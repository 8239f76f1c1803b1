import csv
import io
import json
from contextlib import nullcontext
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from tests.usage.conftest import event
from usage.ingest.pipeline import Caller, ingest
from usage.rollups import roll_up

NOVEMBER = ("--from", "2026-11-01", "--to", "2026-12-01")
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def stored(caller: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "usage.management.commands.export.snapshot_for_file", lambda **_: nullcontext()
    )
    ingest([event("e1"), event("e2"), event("x", model="nobody-knows-9")], caller)
    roll_up()


def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    file = tmp_path / "events.json"
    call_command("export", "events", "--format", "json", "--output", str(file))
    assert {row["event_id"] for row in json.loads(file.read_text())} == {"e1", "e2", "x"}
    assert list(tmp_path.iterdir()) == [file]
    with pytest.raises(CommandError, match="no parameter 'granularity'"):
        call_command("export", "events", "--granularity", "day", "--output", str(file))
    with pytest.raises(CommandError, match="No such file"):
        call_command("export", "events", "--output", str(tmp_path / "none" / "x"))


def test_usage_goes_to_standard_output(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    call_command("export", "usage", *NOVEMBER, "--group-by", "model", "--granularity", "day")
    rows = list(csv.DictReader(io.StringIO(capfdbinary.readouterr().out.decode())))
    assert [(row["model"], row["cost"]) for row in rows] == [
        ("claude-sonnet-4-5", "0.0090000000"),
        ("nobody-knows-9", "0.0000000000"),
    ]


def test_focus_tells_how_many_events_it_leaves_out(
    capfdbinary: pytest.CaptureFixture[bytes],
) -> None:
    call_command("export", "focus", *NOVEMBER, "--organization", "acme")
    captured = capfdbinary.readouterr()
    rows = csv.DictReader(io.StringIO(captured.out.decode()))
    assert sum(float(row["EffectiveCost"]) for row in rows) == pytest.approx(0.009)
    assert captured.err == b"1 unpriced event left out\n"


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (("invoices",), 2, "'invoices' is not one of"),
        (("events", "--format", "xml"), 2, "'xml' is not one of"),
        (("events", "--colour"), 2, "No such option"),
        (("events", "--from", "soon"), 2, "neither a date nor"),
        (("usage", "--from", "2026-11-02", "--to", "2026-11-01"), 2, "must come after"),
        (("usage", "--group-by", "colour"), 2, "is none of"),
        (("usage", "--group-by", "colour", "--output", "/nowhere/x"), 2, "is none of"),
        (("focus", "--timezone", "UTC"), 2, "no parameter 'timezone'"),
        (("events", "--organization", "nobody"), 1, "no organization 'nobody'"),
    ],
)
def test_bad_usage_is_told_in_one_line(arguments: tuple[str, ...], code: int, told: str) -> None:
    with pytest.raises(CommandError, match=told) as refused:
        call_command("export", *arguments)
    assert refused.value.returncode == code
    assert "\n" not in str(refused.value)
