import itertools
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from usage.selectors.access import Scoped
from usage.selectors.dimensions import Dimension, find_dimension
from usage.selectors.periods import Bounds, midnight
from usage.selectors.questions import Granularity
from usage.selectors.sources import (
    BUCKETS,
    DAY_FACETS,
    DAYS,
    HOUR_FACETS,
    MONTH_FACETS,
    MONTHS,
    Part,
    Source,
    choose,
)

ZONES = ("UTC", "America/New_York", "Asia/Kathmandu", "America/Havana", "Atlantic/Azores")
QUARTER = timedelta(minutes=15)
FIRST = datetime(2026, 1, 1, tzinfo=UTC)
INSTANTS = st.integers(0, 365 * 96).map(lambda n: FIRST + n * QUARTER)


NAMES = ((), ("model",), ("project", "model"))


def parts_of(zone: str, start: datetime, end: datetime, *names: str) -> list[Part]:
    bounds = Bounds(start, end, ZoneInfo("UTC"))
    return choose(bounds, Granularity.TOTAL, dimensions(*names), [Scoped(1, zone)])


def dimensions(*names: str) -> list[Dimension]:
    return [find_dimension(name, "group_by") for name in names]


@given(st.sampled_from(ZONES), st.sets(INSTANTS, min_size=2, max_size=2), st.sampled_from(NAMES))
def test_parts_of_a_total_fill_its_bounds_once_and_hold_whole_hours_days_and_months(
    zone: str, instants: set[datetime], names: tuple[str, ...]
) -> None:
    start, end = sorted(instants)

    found = parts_of(zone, start, end, *names)
    parts = sorted(found, key=lambda part: part.bounds.start)

    assert [parts[0].bounds.start, parts[-1].bounds.end] == [start, end]
    for part, following in itertools.pairwise(parts):
        assert part.bounds.end == following.bounds.start
    for part in parts:
        bounds = part.bounds
        if part.source.when == "day":
            assert bounds.are_days
        if part.source.when == "month":
            assert bounds.are_months
        if part.source.when == "hour":
            assert (bounds.start.minute, bounds.end.minute) == (0, 0)
        if part.source.when == "bucket":
            longest = 50 if len(names) > 1 else 2
            assert bounds.end - bounds.start < timedelta(hours=longest)


def test_a_quarter_of_a_year_of_another_zone_is_read_as_months_days_and_its_edges() -> None:
    kathmandu = ZoneInfo("Asia/Kathmandu")
    start, end = datetime(2026, 8, 24, tzinfo=UTC), datetime(2026, 11, 23, tzinfo=UTC)

    parts = parts_of("Asia/Kathmandu", start, end, "project", "model")

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

    parts = choose(bounds, Granularity.TOTAL, dimensions("subject", "model"), scope)

    assert [(part.source, part.organization_ids) for part in parts] == [
        (MONTHS, [1, 3]), (BUCKETS, [2]), (BUCKETS, [2]), (DAYS, [2]),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("granularity", "names", "zone", "expected"),
    [
        (Granularity.DAY, (), "Europe/Berlin", DAY_FACETS[""]),
        (Granularity.DAY, ("model", "billing_scope"), "Europe/Berlin", DAY_FACETS["kind_id"]),
        (Granularity.WEEK, ("subject", "organization"), "Europe/Berlin", DAY_FACETS["subject_id"]),
        (Granularity.WEEK, ("subject", "model"), "Europe/Berlin", DAYS),
        (Granularity.MONTH, ("team",), "Europe/Berlin", MONTH_FACETS["team_id"]),
        (Granularity.MONTH, ("api_key",), "Europe/Berlin", MONTHS),
        (Granularity.DAY, ("project",), "Asia/Tokyo", HOUR_FACETS["project_id"]),
        (Granularity.DAY, ("subject",), "Asia/Tokyo", BUCKETS),
        (Granularity.HOUR, (), "Europe/Berlin", HOUR_FACETS[""]),
        (Granularity.QUARTER_HOUR, (), "Europe/Berlin", BUCKETS),
        (Granularity.DAY, (), "Asia/Kathmandu", BUCKETS),
        (Granularity.DAY, (), "Australia/Lord_Howe", BUCKETS),
    ],
)
def test_a_question_reads_the_narrowest_sums_that_hold_all_it_names(
    granularity: Granularity, names: tuple[str, ...], zone: str, expected: Source
) -> None:
    zone_info = ZoneInfo(zone)
    first, end = (midnight(date(year, 2, 1), zone_info) for year in (2026, 2027))
    bounds = Bounds(first, end, zone_info)

    parts = choose(bounds, granularity, dimensions(*names), [Scoped(1, "Europe/Berlin")])

    assert [part.source for part in parts] == [expected]


def test_months_of_another_zone_are_days_of_the_organization_with_hours_where_two_meet() -> None:
    berlin, utc = ZoneInfo("Europe/Berlin"), ZoneInfo("UTC")
    first, end = (midnight(date(year, 2, 1), utc) for year in (2026, 2027))

    parts = choose(Bounds(first, end, utc), Granularity.MONTH, [], [Scoped(1, berlin.key)])

    filled = sorted((piece.start, piece.end) for part in parts for piece in part.pieces)
    assert [filled[0][0], filled[-1][1]] == [first, end]
    assert all(before[1] == after[0] for before, after in itertools.pairwise(filled))
    long = {part.source: max(p.end - p.start for p in part.pieces) for part in parts}
    assert set(long) == {DAY_FACETS[""], HOUR_FACETS[""]}
    assert long[HOUR_FACETS[""]] < timedelta(days=1) < long[DAY_FACETS[""]]
