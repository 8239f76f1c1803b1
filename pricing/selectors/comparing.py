"""How one price compares with another. Pure."""

from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

from pricing.rating import MeterPrice

FAR = 10
"""More times off than this, a price may be a slip of the unit."""

_TIMES, _DIVIDED = "\N{MULTIPLICATION SIGN}", "\N{DIVISION SIGN}"


def rise(old: MeterPrice | None, new: MeterPrice) -> Decimal | None:
    """By how many percent `new` is dearer than `old`; None where there is nothing to compare."""
    if old is None or not old.unit_price:
        return None
    ratio = Fraction(new.unit_price) / new.per * old.per / Fraction(old.unit_price)
    change = (ratio - 1) * 100
    return Decimal(change.numerator) / Decimal(change.denominator)


def percent_text(percent: Decimal | None) -> str:
    """A rise such as +12.5 %, to one decimal; empty for None."""
    if percent is None:
        return ""
    return f"{percent.quantize(Decimal('0.1'), ROUND_HALF_UP):+,f} %"


def is_far(percent: Decimal | None) -> bool:
    """Whether a price is more than ten times what it was, or less than a tenth of it."""
    return percent is not None and not 100 / Decimal(FAR) - 100 <= percent <= 100 * FAR - 100


def change_text(percent: Decimal | None) -> str:
    """A rise in percent; what is far off by how many times, up or down."""
    if percent is None or percent == -100 or not is_far(percent):
        return percent_text(percent)
    times = 1 + percent / 100
    sign, factor = (_TIMES, times) if times > 1 else (_DIVIDED, 1 / times)
    return f"{sign} {factor.quantize(Decimal(1), ROUND_HALF_UP):,}"
