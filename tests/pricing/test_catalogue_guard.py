from dataclasses import replace
from datetime import UTC, datetime, time
from decimal import Decimal

import pytest

from pricing.catalogue.guard import FAR, PLAUSIBLE, Doubt, digest, doubt
from pricing.catalogue.listing import ListedPeriod
from pricing.catalogue.snapshot import listed_providers
from pricing.meters import METERS
from pricing.models import PriceReview
from pricing.models.rates import BEGINNING
from pricing.rating import MeterPrice
from pricing.selectors import StoredVersion

NOW = datetime(2026, 11, 22, tzinfo=UTC)
MAY = datetime(2026, 5, 1, tzinfo=UTC)
TOO_FAR, WRONG_UNIT = PriceReview.Fault.TOO_FAR, PriceReview.Fault.WRONG_UNIT


def priced(meter: str, unit_price: str, per: int = 1_000_000, **tiers: str) -> MeterPrice:
    bounds = tuple((int(above[1:]), Decimal(price)) for above, price in tiers.items())
    return MeterPrice(meter, Decimal(unit_price), per, bounds)


def period(*prices: MeterPrice, since: datetime = BEGINNING) -> ListedPeriod:
    return ListedPeriod("standard", None, None, since, None, prices)


def version(
    *prices: MeterPrice, since: datetime = BEGINNING, until: datetime | None = None
) -> StoredVersion:
    return StoredVersion(prices, 1, 1, "USD", 1, "shop", "m", "standard", None, None, since, until)


def fault(known: str, listed: str, meter: str = "input_tokens") -> PriceReview.Fault | None:
    found = doubt([version(priced(meter, known))], [period(priced(meter, listed))], NOW)
    return found.fault if found else None


@pytest.mark.parametrize(
    ("known", "listed", "expected"),
    [
        ("3", "30", None),
        ("3", "30.0000000001", TOO_FAR),
        ("3", "0.3", None),
        ("3", "0.2999999999", TOO_FAR),
        ("0", "0.01", TOO_FAR),
        ("3", "0", TOO_FAR),
        ("0", "0", None),
        ("0.1", "49.9", TOO_FAR),
        ("0.1", "50", WRONG_UNIT),
        ("50", "0.1", WRONG_UNIT),
        ("3", "3000000", WRONG_UNIT),
        ("3", "0.000003", WRONG_UNIT),
        ("700", "751", WRONG_UNIT),
    ],
)
def test_a_price_may_change_ten_times(
    known: str, listed: str, expected: PriceReview.Fault | None
) -> None:
    assert fault(known, listed) == expected


def test_what_costs_the_same_by_another_unit_is_not_far_off() -> None:
    known, listed = priced("web_searches", "10", 1000), priced("web_searches", "0.01", 1)
    assert doubt([version(known)], [period(listed)], NOW) is None


def test_the_worst_fault_is_told_with_both_prices() -> None:
    known = version(priced("input_tokens", "1"), priced("output_tokens", "2"))
    listed = period(priced("input_tokens", "11"), priced("output_tokens", "40"), since=MAY)
    expected = Doubt(TOO_FAR, "output_tokens", Decimal(2), Decimal(40), 1_000_000, MAY)
    assert doubt([known], [listed], NOW) == expected


def test_a_model_never_seen_is_held_against_what_tokens_ever_cost() -> None:
    per_token = period(priced("input_tokens", "0.000003"), priced("output_tokens", "15"))
    found = doubt([], [per_token], NOW)
    assert found == Doubt(WRONG_UNIT, "input_tokens", None, Decimal("0.000003"), 1_000_000, None)
    assert doubt([], [period(priced("input_tokens", "3"))], NOW) is None
    assert doubt([], [period(priced("input_tokens", "0"))], NOW) is None


def test_a_price_too_large_for_its_column_is_refused() -> None:
    found = doubt([], [period(priced("web_searches", "1e30", 1000))], NOW)
    assert found is not None
    assert (found.fault, found.listed_price) == (WRONG_UNIT, Decimal(10) ** 20 - 1)


def test_prices_are_compared_beyond_every_bound() -> None:
    known = version(priced("input_tokens", "1", _1000="5"))
    assert doubt([known], [period(priced("input_tokens", "1", _1000="50"))], NOW) is None
    far = doubt([known], [period(priced("input_tokens", "1", _2000="51"))], NOW)
    assert far is not None
    assert (far.known_price, far.listed_price) == (Decimal(5), Decimal(51))
    assert doubt([known], [period(priced("input_tokens", "0.4"))], NOW) is not None


def test_a_window_of_the_day_is_compared_with_the_same_window() -> None:
    night, day = (time(16, 30), time(0, 30)), (time(0, 30), time(16, 30))
    known = [
        replace(version(priced("input_tokens", price)), utc_from=since, utc_until=until)
        for price, (since, until) in (("1", night), ("20", day))
    ]
    dear = replace(period(priced("input_tokens", "11")), utc_from=night[0], utc_until=night[1])
    assert doubt(known, [dear], NOW) is not None
    assert doubt(known, [period(priced("input_tokens", "11"))], NOW) is None


def test_the_price_in_force_counts_else_the_latest() -> None:
    old, new = version(priced("input_tokens", "1"), until=MAY), priced("input_tokens", "20")
    assert doubt([version(new, since=MAY), old], [period(new)], NOW) is None
    assert (
        doubt([version(priced("input_tokens", "2"), since=MAY, until=MAY), old], [period(new)], NOW)
        is None
    )
    assert doubt([old], [period(new)], NOW) is not None


def test_bounds_leave_room_around_everything_that_ships() -> None:
    for side, (low, high) in PLAUSIBLE.items():
        prices = [
            amount
            for provider in listed_providers()
            for model in provider.models
            for one in model.periods
            for price in one.prices
            if price.meter.endswith("_tokens") and METERS[price.meter].side == side
            for amount in (price.unit_price, *(amount for _, amount in price.tiers))
            if amount
        ]
        assert min(prices) >= FAR * low
        assert max(prices) * 5 <= high


def test_the_digest_names_exactly_these_prices() -> None:
    one = [period(priced("input_tokens", "1", _1000="2"))]
    others = [
        [period(priced("input_tokens", "1", _1000="3"))],
        [period(priced("input_tokens", "1", _1000="2"), since=MAY)],
        [period(priced("input_tokens", "1", 1000, _1000="2"))],
        [period(priced("output_tokens", "1", _1000="2"))],
    ]
    assert digest(one) == digest([period(priced("input_tokens", "1", _1000="2"))])
    assert len({digest(one), *map(digest, others)}) == 5
