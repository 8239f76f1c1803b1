import json
from decimal import Decimal

import pytest

from tests.usage.claude_code_logs import ORIGIN, row
from usage.importers.claude_code import (
    MAIN_AGENT,
    SIDE_AGENT,
    Malformed,
    Origin,
    project_of,
    read_line,
)
from usage.sightings.values import Sighting


def test_what_a_row_says_beside_its_tokens_is_kept() -> None:
    [sighting] = read_line(
        json.dumps(
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
        ).encode(),
        Origin(subject="ann", team="web", project="shop"),
    )
    assert isinstance(sighting, Sighting)
    event = sighting.event
    assert (event.reported_cost, event.currency) == (Decimal("0.5"), "USD")
    assert (event.duration_ms, event.service_tier) == (13, "fast")
    assert (event.agent_type, event.team, event.project) == (SIDE_AGENT, "web", "shop")
    assert event.meters == {"web_searches": Decimal(3)}
    assert event.tags == {"client": "claude-code", "git_branch": "fix1"}


def test_an_overlong_id_still_leaves_room_for_a_correction() -> None:
    [sighting] = read_line(json.dumps(row(id="m" * 200)).encode(), ORIGIN)
    assert isinstance(sighting, Sighting)
    event = sighting.event
    assert len(event.event_id) == 32
    assert event.agent_type == MAIN_AGENT


@pytest.mark.parametrize("line", [b"\xff", b"null", b'{"type": 5}', b'{"type":"assistant"}'])
def test_a_line_that_is_no_row_is_malformed(line: bytes) -> None:
    with pytest.raises(Malformed):
        read_line(line, ORIGIN)


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
