"""Adding sums up."""

from collections.abc import Iterable
from decimal import Decimal

from usage.selectors.questions import COST_NAMES, SUM_NAMES, UsageSums


def total_of(sums: Iterable[UsageSums]) -> UsageSums:
    """The sums of all of `sums`, zeros for none of them."""
    totals: dict[str, int | Decimal] = {
        name: Decimal(0).scaleb(-10) if name in COST_NAMES else 0 for name in SUM_NAMES
    }
    for each in sums:
        for name in SUM_NAMES:
            totals[name] += getattr(each, name)
    return UsageSums(**totals)  # type: ignore[arg-type] # each name keeps its own type


def difference(whole: UsageSums, part: UsageSums) -> UsageSums:
    """What is left of `whole` without `part`."""
    left = {name: getattr(whole, name) - getattr(part, name) for name in SUM_NAMES}
    return UsageSums(**left)


def known_cost(sums: UsageSums) -> Decimal | None:
    """The cost, None where there are events and nobody knows the price of any."""
    return None if not sums.cost and 0 < sums.events == sums.unpriced_events else sums.cost
