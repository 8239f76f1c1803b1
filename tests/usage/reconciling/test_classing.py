from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from usage.reconciling.classing import NOTHING, PARTS, Cell, Side, Split, classify

DAY = date(2026, 10, 5)
RATES = {
    "uncached_tokens": Decimal("0.000003"),
    "cache_read_tokens": Decimal("0.0000003"),
    "cache_write_5m_tokens": Decimal("0.00000375"),
    "cache_write_1h_tokens": Decimal("0.000006"),
    "output_tokens": Decimal("0.000015"),
}
DAYS = (DAY, DAY + timedelta(days=1), DAY + timedelta(days=2))


def side(uncached: int = 0, output: int = 0, extra: str = "0", **more: int) -> Side:
    tokens = {"uncached_tokens": uncached, "output_tokens": output, **more}
    cost = sum((RATES[part] * count for part, count in tokens.items()), Decimal(extra))
    return Side(tokens, cost, Decimal(extra))


def cell(billed: Side, recorded: Side, day: date = DAY, model: str = "m", **more: object) -> Cell:
    return replace(Cell(day, model, None, billed, recorded, RATES), **more)  # type: ignore[arg-type]


def alone(one: Cell) -> Split:
    (split,) = classify([one])
    assert sum(split) == one.gap
    return split


def test_each_difference_alone_is_wholly_in_its_class() -> None:
    both = side(1_000_000, 100_000)
    assert both.cost == Decimal("4.5")
    assert alone(cell(both, both)) == Split()
    assert alone(cell(both, NOTHING)) == Split(missing_here=Decimal("4.5"))
    assert alone(cell(NOTHING, both)) == Split(missing_there=Decimal("-4.5"))
    # 200,000 more in and 10,000 more out: 0.60 + 0.15.
    assert alone(cell(side(1_200_000, 110_000), both)) == Split(missing_here=Decimal("0.75"))
    assert alone(cell(both, side(1_200_000, 110_000))) == Split(missing_there=Decimal("-0.75"))
    dearer = both._replace(cost=Decimal("5.4"))
    assert alone(cell(dearer, both)) == Split(price=Decimal("0.9"))
    # 800,000 of a million were read from the cache: 0.24 instead of 2.40.
    cached = side(200_000, 100_000, cache_read_tokens=800_000)
    assert alone(cell(cached, both)) == Split(cache=Decimal("-2.16"))
    kept = side(200_000, 0, cache_write_1h_tokens=800_000)
    wrote = side(200_000, 0, cache_write_5m_tokens=800_000)
    assert alone(cell(kept, wrote)) == Split(cache=Decimal("1.8"))
    cents = both._replace(cost=Decimal("4.496"))
    assert alone(cell(cents, both, slack=Decimal("0.005"))) == Split(rounding=Decimal("-0.004"))
    searched = side(1_000_000, 100_000, extra="0.2")
    assert alone(cell(searched, both)) == Split(other=Decimal("0.2"))
    support = Side(cost=Decimal(100), extras=Decimal(100))
    assert alone(cell(support, NOTHING, model="")) == Split(other=Decimal(100))
    uncounted = Side(cost=Decimal(5))
    assert alone(cell(uncounted, both)) == Split(other=Decimal("0.5"))
    assert alone(cell(uncounted, NOTHING)) == Split(missing_here=Decimal(5))
    credit = Side(cost=Decimal(-5))
    assert alone(cell(credit, NOTHING)) == Split(other=Decimal(-5))


def test_usage_billed_on_the_next_day_is_timing_and_nothing_over_both_days() -> None:
    first = cell(side(800_000), side(1_000_000, 100_000), DAYS[0])
    second = cell(side(1_200_000, 100_000), side(1_000_000), DAYS[1])
    assert classify([first, second]) == [
        Split(timing=Decimal("-2.1")), Split(timing=Decimal("2.1"))
    ]  # fmt: skip
    whole = side(1_000_000, 100_000)
    late = [cell(NOTHING, whole, DAYS[0]), cell(whole, NOTHING, DAYS[1])]
    assert classify(late) == [Split(timing=Decimal("-4.5")), Split(timing=Decimal("4.5"))]
    # Two days apart it is no matter of midnight, nor is it under another model or project.
    apart = [cell(NOTHING, whole, DAYS[0]), cell(whole, NOTHING, DAYS[2])]
    assert [split.timing for split in classify(apart)] == [0, 0]
    others = [late[0], replace(late[1], model="n"), replace(late[1], project=1)]
    assert [split.timing for split in classify(others)] == [0, 0, 0]


def test_what_is_only_partly_a_day_off_is_missing_for_the_rest() -> None:
    days = [
        cell(side(400_000), side(1_000_000), DAYS[0]),
        cell(side(1_500_000), side(1_000_000), DAYS[1]),
    ]
    assert classify(days) == [
        Split(timing=Decimal("-1.5"), missing_there=Decimal("-0.3")),
        Split(timing=Decimal("1.5")),
    ]


def test_missing_and_moved_tokens_of_one_day_are_told_apart() -> None:
    # 40,000 of those read from the cache were billed in full; 60,000 more are not recorded.
    billed = side(1_100_000, 0, cache_read_tokens=160_000)
    recorded = side(1_000_000, 0, cache_read_tokens=200_000)
    assert alone(cell(billed, recorded)) == Split(
        missing_here=Decimal("0.18"), cache=Decimal("0.108")
    )


def test_without_a_price_of_ours_quantities_are_not_valued() -> None:
    billed, recorded = side(1_200_000), Side({"uncached_tokens": 1_000_000})
    assert alone(cell(billed, recorded, rates={})) == Split(price=Decimal("3.6"))


def decimals(least: int, most: int, places: int) -> st.SearchStrategy[Decimal]:
    return st.integers(least, most).map(lambda units: Decimal(units).scaleb(-places))


_amounts = decimals(-5 * 10**10, 10**12, 10)
_counts = st.integers(0, 3_000_000)
_tokens = st.tuples(*[_counts] * len(PARTS)).map(
    lambda counts: dict(zip(PARTS, counts, strict=True))
)
_sides = st.one_of(
    st.just(NOTHING),
    st.builds(Side, _tokens, _amounts, _amounts),
    st.builds(Side, st.just({}), _amounts, _amounts),
)
_rates = st.dictionaries(st.sampled_from(PARTS), decimals(0, 10**8, 12), max_size=len(PARTS))
_cells = st.lists(
    st.builds(
        Cell,
        st.sampled_from(DAYS),
        st.sampled_from(("", "m", "n")),
        st.sampled_from((None, 1)),
        _sides,
        _sides,
        _rates,
        decimals(0, 5 * 10**8, 10),
    ),
    max_size=6,
    unique_by=lambda each: (each.day, each.model, each.project),
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(_cells)
def test_classes_sum_to_the_gap_and_exchanged_sides_mirror_them(cells: list[Cell]) -> None:
    splits = classify(cells)
    assert [sum(split) for split in splits] == [each.gap for each in cells]
    mirrored = classify([replace(c, billed=c.recorded, recorded=c.billed) for c in cells])
    for split, other in zip(splits, mirrored, strict=True):
        here, there, *rest = split
        assert list(other) == [-there, -here, *(-amount for amount in rest)]
    same = classify([replace(each, billed=each.recorded) for each in cells])
    assert all(split == Split() for split in same)
    assert sum(split.timing for split in splits) == 0
