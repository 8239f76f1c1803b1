import itertools
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from usage.selectors.access import Scoped
from usage.selectors.periods import Bounds, midnight
from usage.selectors.questions import Granularity
from usage.selectors.sources import BUCKETS, DAYS, MONTHS, Part, choose

ZONES = ("UTC", "America/New_York", "Asia/Kathmandu", "America/Havana", "Atlantic/Azores")
QUARTER = timedelta(minutes=15)
FIRST = datetime(2026, 1, 1, tzinfo=UTC)
INSTANTS = st.integers(0, 365 * 96).map(lambda n: FIRST + n * QUARTER)


def parts_of(zone: str, start: datetime, end: datetime) -> list[Part]:
    bounds = Bounds(start, end, ZoneInfo("UTC"))
    return choose(bounds, Granularity.TOTAL, [], [Scoped(1, zone)])


@given(st.sampled_from(ZONES), st.sets(INSTANTS, min_size=2, max_size=2))
def test_parts_of_a_total_fill_its_bounds_once_and_hold_whole_days_and_months(
    zone: str, instants: set[datetime]
) -> None:
    start, end = sorted(instants)

    parts = sorted(parts_of(zone, start, end), key=lambda part: part.bounds.start)

    assert [parts[0].bounds.start, parts[-1].bounds.end] == [start, end]
    for part, following in itertools.pairwise(parts):
        assert part.bounds.end == following.bounds.start
    for part in parts:
        bounds = part.bounds
        if part.source is DAYS:
            assert bounds.are_days
        if part.source is MONTHS:
            assert bounds.are_months
        if part.source is BUCKETS:
            assert bounds.end - bounds.start < timedelta(hours=50)


def test_a_quarter_of_a_year_of_another_zone_is_read_as_months_days_and_its_edges() -> None:
    kathmandu = ZoneInfo("Asia/Kathmandu")
    start, end = datetime(2026, 8, 24, tzinfo=UTC), datetime(2026, 11, 23, tzinfo=UTC)

    parts = parts_of("Asia/Kathmandu", start, end)

    shown = {(part.source.table, part.bounds.start, part.bounds.end) for part in parts}

    def at(month: int, day: int) -> datetime:
        return midnight(datetime(2026, month, day, tzinfo=UTC).date(), kathmandu)

    assert shown == {
        ("usage_usagerollup", start, at(8, 25)),
        ("usage_dailyrollup", at(8, 25), at(9, 1)),
        ("usage_monthlyrollup", at(9, 1), at(11, 1)),
        ("usage_dailyrollup", at(11, 1), at(11, 23)),
        ("usage_usagerollup", at(11, 23), end),
    }


def test_organizations_of_one_zone_are_asked_about_together() -> None:
    bounds = Bounds(FIRST, FIRST + timedelta(days=31), ZoneInfo("UTC"))
    scope = [Scoped(1, "UTC"), Scoped(2, "Asia/Tokyo"), Scoped(3, "UTC")]

    parts = choose(bounds, Granularity.TOTAL, [], scope)

    assert [(part.source, part.organization_ids) for part in parts] == [
        (MONTHS, [1, 3]), (BUCKETS, [2]), (BUCKETS, [2]), (DAYS, [2]),
    ]  # fmt: skip
