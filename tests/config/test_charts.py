import json
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

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
    assert found["notes"][1] == ["Total $2.10", "300,000 tokens", "2 jobs"]
    assert found["notes"][3] == ["Total $1.33", "240,500 tokens", "3 jobs", "1 unpriced"]
    assert found["titles"][1] == "Tue 10 Nov 2026"


def test_an_answer_is_private_and_holds_no_view(admin_client: Client, usage: None) -> None:
    answer = admin_client.get(URL)

    assert answer["Content-Type"] == "application/json"
    assert "private" in answer["Cache-Control"]
    assert set(answer.json()) == {
        "type", "data", "options", "unit", "symbol", "titles", "totals", "notes", "events_url",
        "periods", "series",
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
    assert found["series"][5] is None
    colours = [row["colour"] for row in found["data"]["datasets"]]
    assert sorted(colours) == [1, 2, 3, 4, 5, 6]
    assert colours[5] == 6


def test_weeks_and_months_hold_the_same_total(admin_client: Client, usage: None) -> None:
    for step, labels in (("week", ["9 Nov"]), ("month", ["Nov 2026"])):
        found = chart(admin_client, f"&step={step}")
        assert found["data"]["labels"] == labels
        assert found["totals"] == [Decimal("5.43")]
        assert found["periods"] == [{"from": "2026-11-09", "through": "2026-11-13"}]


def test_one_day_is_shown_by_hours_of_the_zone_asked_for(admin_client: Client, usage: None) -> None:
    query = "?range=custom&from=2026-11-10&through=2026-11-10&tz=Asia/Kathmandu"
    found = json.loads(admin_client.get("/admin/charts/spend/" + query).content)

    assert len(found["data"]["labels"]) == 24
    # 12:00 UTC is 17:45 in Kathmandu.
    assert found["totals"][17] == 2.1
    assert found["titles"][17] == "Tue 10 Nov 17:00"
    assert found["periods"][17]["hour"] == "2026-11-10T17:00:00+05:45"


def test_a_bar_of_an_hour_leads_to_the_events_of_that_hour(
    admin_client: Client, usage: None
) -> None:
    query = "range=custom&from=2026-11-10&through=2026-11-10&tz=Asia/Kathmandu&step=hour"
    rows = admin_client.get(f"/admin/?{query}").context["spend"].rows

    found = [admin_client.get(rows[hour][3]).context["cl"].result_count for hour in (16, 17, 18)]
    assert found == [0, 2, 0]


def test_a_model_keeps_its_colour_when_others_are_filtered_away(
    admin_client: Client, usage: None
) -> None:
    whole = {row["label"]: row["colour"] for row in chart(admin_client)["data"]["datasets"]}
    part = chart(admin_client, "&organization=globex")["data"]["datasets"]

    assert {row["label"]: row["colour"] for row in part}.items() <= whole.items()


def test_staff_sees_only_its_organization_in_a_chart(viewer: Client) -> None:
    assert sum(chart(viewer)["totals"]) == Decimal("4.43")
    assert sum(chart(viewer, "&organization=globex")["totals"]) == 0


def test_a_model_has_the_same_colour_on_its_own_page(admin_client: Client, usage: None) -> None:
    whole = {row["label"]: row["colour"] for row in chart(admin_client)["data"]["datasets"]}
    (own,) = chart(admin_client, "&model=claude-opus-4-5&provider=anthropic")["data"]["datasets"]

    assert own["colour"] == whole["claude-opus-4-5"]


def plot(client: Client, name: str) -> dict[str, Any]:
    answer = client.get(URL.replace("spend", name))
    found: dict[str, Any] = json.loads(answer.content, parse_float=Decimal)
    return found


def test_the_ring_of_providers_is_the_whole_range(admin_client: Client, usage: None) -> None:
    found = plot(admin_client, "providers")

    assert (found["type"], found["symbol"]) == ("doughnut", "$")
    assert costs(found) == {"anthropic": [Decimal("5.43")], "local": [0]}
    assert found["titles"] == ["9 Nov \N{EN DASH} 13 Nov 2026"]
    assert found["series"] == [{"provider": "anthropic"}, {"provider": "local"}]
    lines = admin_client.get(URL.replace("spend/", "providers.csv")).text.splitlines()
    assert lines == ["name,total USD", "anthropic,5.4300000000", "local,0.0000000000",
                     "total,5.4300000000"]  # fmt: skip


def test_tokens_and_requests_are_counts_that_add_up(admin_client: Client, usage: None) -> None:
    tokens, requests = plot(admin_client, "tokens"), plot(admin_client, "requests")

    assert (tokens["unit"], tokens["symbol"]) == ("count", "")
    assert costs(tokens) == {
        "input": [0, 200_000, 400_000, 100_500, 0],
        "cache read": [0, 0, 0, 100_000, 0],
        "output": [0, 100_000, 0, 40_000, 0],
    }
    assert tokens["totals"] == [0, 300_000, 400_000, 240_500, 0]
    assert costs(requests) == {"succeeded": [0, 2, 1, 2, 0], "failed": [0, 0, 0, 1, 0]}
    assert requests["series"][1] == {"status": "error"}
    assert tokens["notes"][2] == ["Total 400,000", "$2.00 spent", "1 job"]
    assert requests["notes"][1] == ["Total 2", "$2.10 spent", "300,000 tokens"]


def test_a_chart_that_does_not_exist_is_not_found(admin_client: Client, usage: None) -> None:
    assert admin_client.get("/admin/charts/none/").status_code == 404
    assert admin_client.get("/admin/charts/none.csv").status_code == 404
