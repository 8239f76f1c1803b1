import json
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from config.dashboards.colours import colours_of
from tests.config.site_data import at, event, send

pytestmark = pytest.mark.django_db
URL = "/admin/charts/spend/?range=custom&from=2026-11-09&through=2026-11-13"


def chart(client: Client, query: str = "") -> dict[str, Any]:
    answer = client.get(URL + query)
    assert answer.status_code == 200
    found: dict[str, Any] = json.loads(answer.content, parse_float=Decimal)
    return found


def costs(found: dict[str, Any]) -> dict[str, list[Decimal]]:
    return {row["label"]: row["data"] for row in found["data"]["datasets"]}


def test_a_chart_has_exact_numbers_and_every_day(admin_client: Client, usage: None) -> None:
    found = chart(admin_client)

    assert found["data"]["labels"] == ["9 Nov", "10 Nov", "11 Nov", "12 Nov", "13 Nov"]
    assert costs(found) == {
        "claude-sonnet-4-5": [0, Decimal("2.1"), 0, Decimal("0.33"), 0],
        "claude-opus-4-5": [0, 0, 2, 1, 0],
        "llama-farm-7b": [0, 0, 0, 0, 0],
    }
    assert found["totals"] == [0, Decimal("2.1"), 2, Decimal("1.33"), 0]
    assert found["tokens"] == [0, 300_000, 400_000, 240_500, 0]
    assert found["requests"] == [0, 2, 1, 3, 0]


def test_an_answer_is_private_and_holds_no_view(admin_client: Client, usage: None) -> None:
    answer = admin_client.get(URL)

    assert answer["Content-Type"] == "application/json"
    assert "private" in answer["Cache-Control"]
    assert set(answer.json()) == {
        "type", "data", "options", "currency", "titles", "totals", "tokens", "requests",
        "events_url", "days", "series",
    }  # fmt: skip


def test_more_than_five_groups_become_five_and_a_rest_that_adds_up(
    admin_client: Client, catalogue: None
) -> None:
    send(event(n, at(10 + n % 3), project=f"p{n}", input_tokens=n * 100_001) for n in range(1, 9))

    found = chart(admin_client, "&group=project")

    rows = costs(found)
    assert list(rows) == ["p8", "p7", "p6", "p5", "p4", "other"]
    for day, total in enumerate(found["totals"]):
        assert sum(row[day] for row in rows.values()) == total
    assert found["series"][0] == {"project": "p8"}
    assert found["series"][5] == {}
    colours = [row["colour"] for row in found["data"]["datasets"]]
    assert sorted(colours) == [1, 2, 3, 4, 5, 6]
    assert colours[5] == 6


def test_weeks_and_months_hold_the_same_total(admin_client: Client, usage: None) -> None:
    for step, labels in (("week", ["9 Nov"]), ("month", ["Nov 2026"])):
        found = chart(admin_client, f"&step={step}")
        assert found["data"]["labels"] == labels
        assert found["totals"] == [Decimal("5.43")]
        assert found["days"] == [{"from": "2026-11-09", "through": "2026-11-13"}]


def test_one_day_is_shown_by_hours_of_the_zone_asked_for(admin_client: Client, usage: None) -> None:
    query = "?range=custom&from=2026-11-10&through=2026-11-10&tz=Asia/Kathmandu"
    found = json.loads(admin_client.get("/admin/charts/spend/" + query).content)

    assert len(found["data"]["labels"]) == 24
    # 12:00 UTC is 17:45 in Kathmandu.
    assert found["totals"][17] == 2.1
    assert found["titles"][17] == "Tue 10 Nov 17:00"


def test_a_model_keeps_its_colour_when_others_are_filtered_away(
    admin_client: Client, usage: None
) -> None:
    whole = {row["label"]: row["colour"] for row in chart(admin_client)["data"]["datasets"]}
    part = chart(admin_client, "&organization=globex")["data"]["datasets"]

    assert {row["label"]: row["colour"] for row in part}.items() <= whole.items()


def test_staff_sees_only_its_organization_in_a_chart(viewer: Client) -> None:
    assert sum(chart(viewer)["totals"]) == Decimal("4.43")
    assert sum(chart(viewer, "&organization=globex")["totals"]) == 0


def test_colours_are_distinct_and_independent_of_order() -> None:
    names = ["gpt-5", "claude-sonnet-4-5", "claude-opus-4-5", "gemini-2.5-flash", "o4-mini"]

    colours = colours_of(names)

    assert sorted(colours.values()) == [1, 2, 3, 4, 5]
    assert colours_of(reversed(names)) == colours
    assert colours_of(["new", "gpt-5"], colours)["gpt-5"] == colours["gpt-5"]
