from datetime import UTC, datetime, timedelta
from decimal import Decimal

from pricing.catalogue.changes import Changes, changes
from pricing.catalogue.listing import ListedPeriod
from pricing.models.rates import BEGINNING
from pricing.rating import MeterPrice
from pricing.selectors import StoredVersion

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
YESTERDAY = NOW - timedelta(days=1)
MAY = datetime(2026, 5, 1, tzinfo=UTC)
DECEMBER = datetime(2026, 12, 1, tzinfo=UTC)


def prices(unit_price: str) -> tuple[MeterPrice, ...]:
    return (MeterPrice("input_tokens", Decimal(unit_price), 1_000_000),)


def stored(
    pk: int, unit_price: str, since: datetime = BEGINNING, until: datetime | None = None
) -> StoredVersion:
    return StoredVersion(
        prices=prices(unit_price),
        id=pk,
        rate_card_id=1,
        currency="USD",
        model_id=1,
        provider="shop",
        model="m",
        service_tier="standard",
        utc_from=None,
        utc_until=None,
        effective_from=since,
        effective_to=until,
    )


def listed(
    unit_price: str, since: datetime = BEGINNING, until: datetime | None = None
) -> ListedPeriod:
    return ListedPeriod("standard", None, None, since, until, prices(unit_price))


def test_equal_prices_change_nothing() -> None:
    assert changes([stored(1, "1")], [listed("1")], NOW) == Changes({}, [])


def test_an_undated_price_that_changed_before_is_not_changed_again() -> None:
    before = [stored(1, "1", until=YESTERDAY), stored(2, "2", YESTERDAY)]
    assert changes(before, [listed("2")], NOW) == Changes({}, [])


def test_an_undated_price_holds_from_now() -> None:
    found = changes([stored(1, "1")], [listed("2")], NOW)
    assert found == Changes({1: NOW}, [listed("2", NOW)])


def test_a_dated_price_holds_from_its_own_past_date() -> None:
    found = changes([stored(1, "1")], [listed("1", until=MAY), listed("2", MAY)], NOW)
    assert found == Changes({1: MAY}, [listed("2", MAY)])


def test_a_dated_price_holds_from_its_date_though_the_undated_one_before_changed_too() -> None:
    found = changes([stored(1, "1")], [listed("9", until=MAY), listed("2", MAY)], NOW)
    assert found == Changes({1: MAY}, [listed("2", MAY)])


def test_a_date_told_later_brings_a_price_forward_that_was_seen_undated() -> None:
    before = [stored(1, "1", until=YESTERDAY), stored(2, "2", YESTERDAY)]
    found = changes(before, [listed("1", until=MAY), listed("2", MAY)], NOW)
    assert found == Changes({1: MAY, 2: YESTERDAY}, [listed("2", MAY)])


def test_a_planned_price_leaves_the_present_one_until_its_date() -> None:
    found = changes([stored(1, "1")], [listed("1", until=DECEMBER), listed("2", DECEMBER)], NOW)
    assert found == Changes({1: DECEMBER}, [listed("2", DECEMBER)])


def test_a_planned_price_and_an_undated_change_before_it_are_both_taken() -> None:
    found = changes([stored(1, "1")], [listed("3", until=DECEMBER), listed("2", DECEMBER)], NOW)
    assert found == Changes({1: NOW}, [listed("3", NOW, DECEMBER), listed("2", DECEMBER)])


def test_dates_that_a_catalogue_drops_later_change_nothing() -> None:
    before = [stored(1, "1", until=MAY), stored(2, "2", MAY)]
    assert changes(before, [listed("2")], NOW) == Changes({}, [])


def test_a_new_service_tier_without_a_date_holds_from_now() -> None:
    assert changes([], [listed("1")], NOW) == Changes({}, [listed("1", NOW)])


def test_a_service_tier_that_vanishes_ends_now() -> None:
    assert changes([stored(1, "1")], [], NOW) == Changes({1: NOW}, [])
