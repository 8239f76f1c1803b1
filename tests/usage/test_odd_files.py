import gzip
import json
from io import BytesIO, StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from tests.usage.conftest import body
from usage.importers.files import lines_of
from usage.models import APIKey, UsageEvent

PACKED = gzip.compress(json.dumps(body("a")).encode() * 50, mtime=0)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"\xef\xbb\xbf{}\r\n{}", [(1, b"{}\r\n"), (2, b"{}")]),
        (b"\xef\xbb\xbf", []),
        (b"\xef\xbb\xbf\n{}", [(2, b"{}")]),
    ],
)
def test_a_byte_order_mark_is_no_part_of_the_first_line(
    content: bytes, expected: list[tuple[int, bytes]]
) -> None:
    assert list(lines_of(BytesIO(content))) == expected


@pytest.mark.django_db
def test_events_behind_a_byte_order_mark_are_stored(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_bytes(b"\xef\xbb\xbf" + json.dumps(body("a")).encode() + b"\r\n")

    call_command("import", "events", str(path), stdout=StringIO())

    assert UsageEvent.objects.get().event_id == "a"


@pytest.mark.django_db
@pytest.mark.parametrize("source", ["events", "claude-code"])
@pytest.mark.parametrize(
    "content",
    [PACKED[:-6], PACKED[:30], PACKED[:20] + b"\xff" * 10 + PACKED[30:], PACKED + b"x"],
    ids=["cut at the end", "cut early", "damaged", "with a tail"],
)
def test_a_damaged_gzip_file_is_told_by_name(tmp_path: Path, source: str, content: bytes) -> None:
    path = tmp_path / "events.jsonl.gz"
    path.write_bytes(content)

    with pytest.raises(CommandError, match=r"events\.jsonl\.gz: ") as told:
        call_command("import", source, str(path), stdout=StringIO(), stderr=StringIO())

    assert told.value.returncode == 1


@pytest.mark.django_db
def test_a_key_name_that_is_too_long_is_bad_usage() -> None:
    with pytest.raises(CommandError) as told:
        call_command("apikey", "create", "--site", "--scope", "read", "--name", "x" * 51)

    assert told.value.returncode == 2
    assert not APIKey.objects.exists()
