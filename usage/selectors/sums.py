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
