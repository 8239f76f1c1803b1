import json
from decimal import Decimal
from typing import Any

import pytest

from tests.usage.claude_code_logs import ORIGIN, row
from usage.importers.claude_code import (
    MAIN_AGENT,
    SIDE_AGENT,
    LogReader,
    Malformed,
    Origin,
    project_of,
)
from usage.sightings.values import Sighting


def test_what_a_row_says_beside_its_tokens_is_kept() -> None:
    line = json.dumps(
        row(
            costUSD=0.5,
            durationMs=12.6,
            isSidechain=True,
            gitBranch="fix\n1",
            usage={
                "input_tokens": 1,
                "output_tokens": 2,
                "speed": "fast",
                "server_tool_use": {"web_search_requests": 3},
            },
        )
    ).encode()
    origin = Origin(subject="ann", team="web", project="shop")
    [sighting] = LogReader(origin).read_line(line)
    assert isinstance(sighting, Sighting)
    event = sighting.event
    assert (event.reported_cost, event.currency) == (Decimal("0.5"), "USD")
    assert (event.duration_ms, event.service_tier) == (13, "fast")
    assert (event.agent_type, event.team, event.project) == (SIDE_AGENT, "web", "shop")
    assert event.meters == {"web_searches": Decimal(3)}
    assert event.tags == {"client": "claude-code", "git_branch": "fix1"}


def test_an_overlong_id_still_leaves_room_for_a_correction() -> None:
    [sighting] = LogReader(ORIGIN).read_line(json.dumps(row(id="m" * 200)).encode())
    assert isinstance(sighting, Sighting)
    event = sighting.event
    assert len(event.event_id) == 32
    assert event.agent_type == MAIN_AGENT


def test_rows_that_say_the_same_later_hand_out_the_same_sighting() -> None:
    reader = LogReader(ORIGIN)
    first = reader.read_line(json.dumps(row()).encode())
    later = row(timestamp="2026-11-20T10:00:01.000Z", uuid="another")
    assert reader.read_line(json.dumps(later).encode()) is first


@pytest.mark.parametrize(
    "change",
    [
        {"id": "another"}, {"output": 6}, {"cwd": "/srv/web"}, {"sessionId": "t"},
        {"isSidechain": True}, {"costUSD": 1}, {"timestamp": "2026-11-20T09:59:59.000Z"},
    ],
)  # fmt: skip
def test_rows_that_say_something_else_are_read_anew(change: dict[str, Any]) -> None:
    reader = LogReader(ORIGIN)
    first = reader.read_line(json.dumps(row()).encode())
    [other] = reader.read_line(json.dumps(row(**change)).encode())
    assert other not in first


@pytest.mark.parametrize("line", [b"\xff", b"null", b'{"type": 5}', b'{"type":"assistant"}'])
def test_a_line_that_is_no_row_is_malformed(line: bytes) -> None:
    with pytest.raises(Malformed):
        LogReader(ORIGIN).read_line(line)


@pytest.mark.parametrize(
    ("folder", "project"),
    [
        ("/srv/shop", "shop"),
        ("/srv/shop/", "shop"),
        (r"C:\work\shop", "shop"),
        ("/srv/shop/.claude/worktrees/fix", "shop"),
        ("/", None),
        (None, None),
    ],
)
def test_the_project_is_named_by_its_folder(folder: str | None, project: str | None) -> None:
    assert project_of(folder) == project
