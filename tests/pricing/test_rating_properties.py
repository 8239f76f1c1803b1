from collections.abc import Sequence
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from pricing.meters import METERS, Quantity, parts_larger_than_whole
from pricing.rating import MeterPrice, PriceValue, charges, converted, rate, rate_units
from tests.pricing.pricing_values import MILLION, price_of

unit_prices = st.decimals(min_value=0, max_value=1000, places=10)
bounds = st.lists(st.integers(1, 10**6), max_size=3, unique=True).map(sorted)
tokens = st.integers(min_value=0, max_value=10**7)
exchange_rates = st.decimals(min_value="0.000001", max_value=10**5, places=12)

KINDS = sorted(
    (meter.traits for meter in METERS.values() if meter.traits),
    key=sorted,
)
TOKEN_METERS = {meter.name: meter.traits for meter in METERS.values() if meter.traits in KINDS}


def counted(atoms: dict[frozenset[str], int]) -> dict[str, Quantity]:
    """Every meter's count, where each token is counted under the most that is known of it."""
    return {
        name: sum(count for kind, count in atoms.items() if traits <= kind)
        for name, traits in TOKEN_METERS.items()
    }


usages = st.dictionaries(st.sampled_from(KINDS), tokens, max_size=8)


@st.composite
def prices(draw: st.DrawFn, *, cliffs: bool = True) -> Sequence[MeterPrice]:
    priced = draw(st.sets(st.sampled_from(sorted(TOKEN_METERS)), max_size=10))
    made = []
    for meter in sorted(priced | {"input_tokens", "output_tokens"}):
        tiers = tuple((above, draw(unit_prices)) for above in draw(bounds))
        graduated = draw(st.booleans()) if cliffs else True
        made.append(MeterPrice(meter, draw(unit_prices), MILLION, tiers, graduated))
    return made


@st.composite
def any_prices(draw: st.DrawFn) -> PriceValue:
    price = price_of(*draw(prices()))
    return converted(price, "EUR", draw(exchange_rates)) if draw(st.booleans()) else price


@given(usages, any_prices())
def test_charges_sum_to_the_cost_exactly(
    atoms: dict[frozenset[str], int], price: PriceValue
) -> None:
    counts = counted(atoms)
    rating, items = rate(counts, price), charges(counts, price)
    assert sum((item.amount for item in items), Decimal(0)) == rating.cost
    assert rating.input_cost == sum(item.amount for item in items if item.side == "input")
    assert rating.output_cost == sum(item.amount for item in items if item.side == "output")


@given(usages, any_prices())
def test_every_token_is_charged_once_whatever_has_a_price_of_its_own(
    atoms: dict[frozenset[str], int], price: PriceValue
) -> None:
    counts = counted(atoms)
    assert parts_larger_than_whole(counts) is None
    charged = sum(item.quantity for item in charges(counts, price))
    assert charged == counts["input_tokens"] + counts["output_tokens"] == sum(atoms.values())


@given(usages, prices(cliffs=False), st.sampled_from(KINDS), tokens)
def test_more_tokens_of_any_kind_never_cost_less_without_cliffs(
    atoms: dict[frozenset[str], int],
    given_prices: Sequence[MeterPrice],
    kind: frozenset[str],
    more: int,
) -> None:
    # More of a kind means more of all its wholes too; taking tokens from one kind and giving
    # them to another (reading from the cache what was fresh) may well be cheaper.
    price = price_of(*given_prices)
    before = rate_units(counted(atoms), price).cost
    after = rate_units(counted({**atoms, kind: atoms.get(kind, 0) + more}), price).cost
    assert after >= before


@given(st.lists(st.tuples(usages, st.integers(0, 2)), max_size=8), st.data())
def test_events_cost_the_same_alone_in_any_order_and_in_any_batches(
    events: list[tuple[dict[frozenset[str], int], int]], data: st.DataObject
) -> None:
    book = [data.draw(any_prices()) for _ in range(3)]
    batch = [(counted(atoms), book[number]) for atoms, number in events]
    whole = [rate_units(counts, price) for counts, price in batch]
    order = data.draw(st.permutations(range(len(batch))))
    cut = data.draw(st.integers(0, len(batch)))
    parts = {
        place: rate_units(*batch[place]) for part in (order[:cut], order[cut:]) for place in part
    }
    assert [parts[place] for place in range(len(batch))] == whole
