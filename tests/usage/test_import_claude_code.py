import json
import random
import tracemalloc
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from tests.usage.claude_code_logs import ORIGIN, SAMPLES, by_day, counted, picture, row
from tests.usage.conftest import event as native_event
from usage.importers import claude_code_import
from usage.importers.claude_code_import import ImportSummary, import_claude_code
from usage.ingest.identities import tenant_of
from usage.ingest.pipeline import Caller, ingest
from usage.ingest.prepare import Tenancy
from usage.models import UsageEvent
from usage.organizations import ensure_organization
from usage.rollups import roll_up

Rows = Sequence[dict[str, Any]]

pytestmark = pytest.mark.django_db


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    def make(name: str, rows: Iterable[dict[str, Any] | str]) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        lines = (r if isinstance(r, str) else json.dumps(r, separators=(",", ":")) for r in rows)
        path.write_text("".join(f"{line}\n" for line in lines))
        return path

    return make


@pytest.fixture
def take(caller: Caller) -> Callable[..., ImportSummary]:
    def run(*files: Path) -> ImportSummary:
        return import_claude_code(list(files), caller, ORIGIN, lambda _: None)

    return run


def test_the_captured_row_costs_what_claude_code_said(
    write: Callable[..., Path], take: Callable[..., ImportSummary]
) -> None:
    summary = take(write("a.jsonl", SAMPLES["real_rows"]))
    [stored] = UsageEvent.objects.select_related("kind", "project", "subject")
    assert stored.cost == summary.cost == Decimal("0.014825")
    assert (stored.input_tokens, stored.output_tokens) == (2406, 393)
    assert (stored.cache_read_tokens, stored.cache_write_tokens) == (1800, 556)
    assert stored.cache_write_1h_tokens == 100
    assert stored.event_id == "msg_fake001:req_fake001"
    assert stored.session_id == "87acdd0f-bc9e-42dd-9301-834cf64751aa"
    assert stored.occurred_at == datetime(2026, 11, 22, 0, 55, 38, 568000, UTC)
    assert (stored.project and stored.project.slug, stored.subject and stored.subject.key) == (
        "app",
        "ann",
    )
    assert (stored.kind.provider, stored.kind.model) == ("anthropic", "claude-opus-4-8")
    assert stored.tags == {"client": "claude-code", "git_branch": "HEAD", "version": "2.1.197"}


def test_days_agree_with_ccusage_also_the_second_time(
    write: Callable[..., Path], take: Callable[..., ImportSummary]
) -> None:
    log = write("a.jsonl", SAMPLES["dedupe_rows_A"])
    first, second = take(log), take(log)
    expected = SAMPLES["dedupe_A_ccusage"]
    assert {d: {**sums, "cost": float(sums["cost"])} for d, sums in by_day().items()} == expected
    assert by_day()["2026-11-20"]["cost"] == Decimal("0.02965")
    assert by_day()["2026-11-21"]["cost"] == Decimal("0.02372")
    assert (first.new, first.corrected, first.cost) == (4, 0, Decimal("0.05337"))
    assert (second.new, second.corrected, second.cost) == (0, 0, Decimal(0))
    assert UsageEvent.objects.count() == 4


def test_the_fullest_of_several_rows_counts_also_without_a_request_id(
    write: Callable[..., Path], take: Callable[..., ImportSummary]
) -> None:
    take(write("b.jsonl", SAMPLES["dedupe_rows_B"]))
    sums = counted()
    recommended = SAMPLES["dedupe_B_recommended"]
    assert {"input": sums["input"], "output": sums["output"]} == {
        name: recommended[name] for name in ("input", "output")
    }
    assert set(UsageEvent.objects.values_list("event_id", flat=True)) == {"m1:r1", "m2:r2", "m3"}


def test_a_log_that_grew_is_corrected_and_not_counted_twice(
    write: Callable[..., Path], take: Callable[..., ImportSummary]
) -> None:
    take(write("a.jsonl", [row(output=1)]))
    grown = write("a.jsonl", [row(output=1), row(output=90), row(id="m2", output=4)])
    second, third = take(grown), take(grown)
    roll_up(wait=True)
    assert (second.new, second.corrected) == (1, 1)
    assert (second.input_tokens, second.output_tokens) == (10, 93)
    assert (third.new, third.corrected, third.cost) == (0, 0, Decimal(0))
    assert counted()["output"] == 94
    stale = UsageEvent.objects.get(state=UsageEvent.State.SUPERSEDED)
    assert (stale.event_id, stale.output_tokens) == ("m:r-m", 1)
    fresh = UsageEvent.objects.get(event_id=stale.superseded_by)
    assert (fresh.corrects, fresh.output_tokens) == ("m:r-m", 90)


def test_a_shorter_log_changes_nothing_that_was_fuller(
    write: Callable[..., Path], take: Callable[..., ImportSummary]
) -> None:
    take(write("a.jsonl", [row(output=90)]))
    summary = take(write("b.jsonl", [row(output=1)]))
    assert (summary.new, summary.corrected, summary.duplicates) == (0, 0, 1)
    assert counted()["output"] == 90


def test_a_reversal_made_by_somebody_else_stands(
    write: Callable[..., Path], take: Callable[..., ImportSummary], caller: Caller
) -> None:
    take(write("a.jsonl", [row(output=1)]))
    reversal = native_event("undo", corrects="m:r-m", input_tokens=0, output_tokens=0)
    assert ingest([reversal], caller).accepted == 1
    summary = take(write("b.jsonl", [row(output=2)]))
    assert (summary.corrected, counted()["events"]) == (0, 0)


@pytest.mark.parametrize("seed", range(6))
def test_any_order_split_and_repeat_gives_the_same_picture(
    seed: int,
    write: Callable[..., Path],
    take: Callable[..., ImportSummary],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rows = [
        row(id=f"m{i % 5}", output=output, sessionId=f"s{second % 3}", cwd=f"/p/{second % 2}",
            isSidechain=bool(i % 2), timestamp=f"2026-11-{19 + i % 3}T23:59:{second:02}Z")
        for i, (output, second) in enumerate(
            [(1, 5), (9, 4), (9, 7), (4, 4), (70, 59), (8, 1), (8, 2), (7, 1), (6, 3), (70, 2)]
        )
    ]  # fmt: skip
    take(write("all.jsonl", rows))
    expected = picture()
    assert len(expected) == 5

    UsageEvent.objects.all().delete()
    other = ensure_organization(f"other{seed}")
    caller = Caller(Tenancy(tenant_of(other), {}))
    monkeypatch.setattr(claude_code_import, "CHUNK", 1 + seed % 3)
    shuffled = random.Random(seed).sample(rows * 2, 2 * len(rows))
    files = [write(f"{n}.jsonl", shuffled[n::4]) for n in range(4)]
    for batch in (files[:1], files[1:], files[::-1]):
        import_claude_code(batch, caller, ORIGIN, lambda _: None)
    assert picture() == expected


def test_rows_without_cost_and_broken_lines_are_left_out_and_told(
    write: Callable[..., Path], take: Callable[..., ImportSummary]
) -> None:
    log = write(
        "a.jsonl",
        [
            '{"type":"user","message":"hello"}',
            '{"type":"summary","summary":"x"}',
            "{broken",
            "",
            row(id="m1", usage=None),
            row(id="m2", model="<synthetic>"),
            row(id="m3", timestamp="2026-11-20T10:00:00"),
            row(id="m4", usage={"input_tokens": -4, "output_tokens": 1}),
            row(id=None, requestId=None),
            "[1]",
            row(id="good"),
        ],
    )
    summary = take(log)
    assert (summary.lines, summary.new, summary.malformed, summary.refused) == (10, 1, 4, 1)
    assert [fault.place for fault in summary.faults] == [
        f"{log}:{number}" for number in (3, 7, 8, 9, 10)
    ]
    assert UsageEvent.objects.get().event_id == "good:r-good"


def test_passes_outside_the_message_are_events_of_their_own(
    write: Callable[..., Path], take: Callable[..., ImportSummary]
) -> None:
    usage = {
        "input_tokens": 23000,
        "output_tokens": 1000,
        "iterations": [
            {"type": "compaction", "input_tokens": 180000, "output_tokens": 3500},
            {"type": "message", "input_tokens": 23000, "output_tokens": 1000},
            {
                "type": "advisor_message",
                "model": "claude-sonnet-4-6",
                "input_tokens": 800,
                "output_tokens": 16,
            },
        ],
    }
    take(write("a.jsonl", [row(usage=usage)]))
    stored = UsageEvent.objects.order_by("event_id").values_list(
        "event_id", "kind__model", "input_tokens", "output_tokens"
    )
    assert list(stored) == [
        ("m:r-m", "claude-opus-4-8", 23000, 1000),
        ("m:r-m:advisor-1", "claude-sonnet-4-6", 800, 16),
        ("m:r-m:compaction-1", "claude-opus-4-8", 180000, 3500),
    ]


def test_memory_does_not_grow_with_the_log(
    write: Callable[..., Path],
    take: Callable[..., ImportSummary],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(claude_code_import, "CHUNK", 50)
    noise = json.dumps({"type": "user", "message": {"content": "x" * 100_000}}) + "\n"
    log = tmp_path / "large.jsonl"
    with log.open("w") as file:
        for number in range(300):
            file.write(noise + json.dumps(row(id=f"m{number}")) + "\n")
    take(write("warm.jsonl", [row(id="warm")]))
    tracemalloc.start()
    summary = take(log)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert summary.new == 300
    assert log.stat().st_size > 30_000_000
    assert peak < 8_000_000


def test_the_command_takes_folders_patterns_and_options(
    write: Callable[..., Path], tmp_path: Path, catalogue: None
) -> None:
    write("logs/-srv-shop/a.jsonl", [row(id="a")])
    write("logs/-srv-web/deep/b.jsonl", [row(id="b"), "{"])
    write("logs/notes.txt", ["no log"])
    out, err = StringIO(), StringIO()
    command = ["claude-code", str(tmp_path / "logs" / "-srv-*"), "--organization", "acme"]
    call_command("import", *command, "--subject", "bob", "--team", "t", stdout=out, stderr=err)
    assert "2 files, 3 lines, 2 answers with usage" in out.getvalue()
    assert "2 events new, 0 corrected, 0 repeats, 0 unpriced" in out.getvalue()
    assert "left out: 1 malformed lines, 0 refused events" in out.getvalue()
    assert "b.jsonl:2: " in err.getvalue()
    stored = UsageEvent.objects.values_list(
        "organization__slug", "subject__key", "team__slug", "project__slug"
    )
    assert list(stored) == [("acme", "bob", "t", "shop")] * 2


def test_the_command_looks_where_claude_code_writes(
    write: Callable[..., Path],
    tmp_path: Path,
    catalogue: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    write(".claude/projects/-srv-shop/a.jsonl", [row()])
    call_command("import", "claude-code", stdout=StringIO())
    assert UsageEvent.objects.get().organization.slug == "default"


def test_a_path_that_means_nothing_is_a_failure(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="there is no file or folder"):
        call_command("import", "claude-code", str(tmp_path / "none"))
