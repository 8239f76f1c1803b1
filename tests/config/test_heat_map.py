from datetime import UTC, date, datetime

import pytest
from django.template.loader import render_to_string

from config.dashboards.heat import Heat, HeatCell, read_heat
from config.dashboards.parsing import read_question
from config.dashboards.reading import Reading
from tests.config.site_data import UNKNOWN, at, event, send
from usage.selectors.access import EVERYTHING, Viewer

pytestmark = pytest.mark.django_db
NOVEMBER = {"range": "custom", "from": "2026-11-01", "through": "2026-11-30", "tz": "UTC"}
MONDAY, TUESDAY, SUNDAY = 0, 1, 6


def heat(parameters: dict[str, str] | None = None, viewer: Viewer = EVERYTHING) -> Heat:
    now = datetime(2026, 11, 30, 12, tzinfo=UTC)
    question = read_question({**NOVEMBER, **(parameters or {})}, now, viewer)
    return read_heat(Reading(viewer, question))


def cell(found: Heat, weekday: int, hour: int) -> HeatCell:
    return found.rows[weekday][1][hour]


@pytest.fixture
def calls(catalogue: None) -> None:
    # 9 and 16 November 2026 are Mondays, the 10th is a Tuesday.
    busy = [event(n, at(9 if n < 4 else 16, 14, n), input_tokens=100_000) for n in range(10)]
    send(
        [
            *busy,
            event("lone", at(10, 3), input_tokens=1),
            event("odd", at(10, 4), model=UNKNOWN, provider="local", input_tokens=5),
            event("mixed", at(10, 3, 30), model=UNKNOWN, provider="local", input_tokens=5),
        ]
    )


def test_cells_say_what_was_used_and_how_much_of_the_busiest_hour_that_is(calls: None) -> None:
    found = heat()
    # Ten times 100,000 tokens at $3 a million.
    assert cell(found, MONDAY, 14) == HeatCell("Mon 14:00: 10 requests, $3.00", 10, 5)
    assert cell(found, TUESDAY, 3) == HeatCell("Tue 03:00: 2 requests, <$0.01, 1 unpriced", 2, 1)
    assert cell(found, TUESDAY, 4) == HeatCell("Tue 04:00: 1 request, unpriced", 1, 1)
    assert cell(found, SUNDAY, 0) == HeatCell("Sun 00:00: 0 requests, $0.00", 0, 0)
    assert [name for name, _ in found.rows] == ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
    assert found.busiest == "Mon 14:00: 10 requests, $3.00"


def test_clocks_are_those_of_the_zone(calls: None) -> None:
    # 14:00 to 14:09 UTC is 19:30 to 19:39 in Kolkata.
    found = heat({"tz": "Asia/Kolkata"})
    assert cell(found, MONDAY, 19).events == 10
    assert cell(found, MONDAY, 14).events == 0
    assert found.note == "requests per hour, Asia/Kolkata"


def test_long_ranges_show_their_last_days_and_say_so(calls: None) -> None:
    parameters = {"from": "2026-01-01", "through": "2027-02-09"}
    # The last 92 days through 9 February begin on 10 November.
    found = heat(parameters)
    assert found.note == "requests per hour, UTC, last 92 days"
    assert cell(found, MONDAY, 14).events == 6
    assert cell(found, TUESDAY, 3).events == 2
    whole = heat({**parameters, "from": "2026-11-10"})
    assert whole.note == "requests per hour, UTC"


def test_filters_and_scope_hold(calls: None) -> None:
    assert heat({"model": UNKNOWN}).busiest == "Tue 03:00: 1 request, unpriced"
    assert heat(viewer=Viewer(frozenset())).busiest == ""


def test_without_usage_the_map_is_drawn_cold(catalogue: None) -> None:
    found = heat()
    assert {cell.level for _, cells in found.rows for cell in cells} == {0}
    assert "No requests in this range" in render_to_string("tallyman/heat.html", {"heat": found})


def test_numbers_can_be_heard(calls: None) -> None:
    shown = render_to_string("tallyman/heat.html", {"heat": heat()})
    assert shown.count('<th scope="row">') == 7
    assert shown.count('<th scope="col">') == 24
    busiest = '<td class="h5" title="Mon 14:00: 10 requests, $3.00">'
    assert f'{busiest}<span class="visually-hidden">10</span></td>' in shown


def test_days_that_change_clocks_keep_their_hours(catalogue: None) -> None:
    # 25 October 2026, a Sunday, shows 02:00 to 03:00 twice in Berlin.
    twice = [datetime(2026, 10, 25, hour, 30, tzinfo=UTC) for hour in (0, 1)]
    send([event(n, when, input_tokens=1) for n, when in enumerate(twice)])
    day = date(2026, 10, 25).isoformat()
    found = heat({"from": day, "through": day, "tz": "Europe/Berlin"})
    assert cell(found, SUNDAY, 2).events == 2
