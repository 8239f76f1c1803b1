"""Amounts of budgets as people read them: money, tokens or requests."""

from decimal import ROUND_DOWN, Decimal

from budgets.models import Budget
from usage.formats import money, percent, quantity
from usage.selectors.currency import ledger_currency

NO_LIMIT = "no limit"
_UNITS = {Budget.Measure.TOKENS: "token", Budget.Measure.REQUESTS: "request"}


def amount_text(value: Decimal, measure: str, currency: str = "", places: int = 2) -> str:
    """Such as $1,234.50 (of `currency`, else the ledger's), 1,200 tokens, or 1 request.

    Money has so many decimal `places`.
    """
    unit = _UNITS.get(Budget.Measure(measure))
    if unit is None:
        return money(value, currency or ledger_currency(), places)
    whole = int(value)
    return f"{quantity(whole)} {unit}{'' if whole == 1 else 's'}"


def band_text(low: Decimal, high: Decimal, measure: str, currency: str = "") -> str:
    """A band such as $940 to $1,260 with a dash between, without cents; one figure where both
    read the same."""
    first, last = (amount_text(value, measure, currency, places=0) for value in (low, high))
    return first if first == last else f"{first} \N{EN DASH} {last}"


def exact_text(value: Decimal, measure: str, currency: str = "") -> str:
    """As `amount_text`, with four decimals where two would hide some of it: two figures that look
    the same would not explain why one does not fit into the other."""
    hides = measure == Budget.Measure.COST and value != round(value, 2)
    return amount_text(value, measure, currency, places=4 if hides else 2)


def figure_text(value: Decimal, measure: str) -> str:
    """As `amount_text`; of money below 1 it shows what two decimals would hide."""
    return exact_text(value, measure) if value < 1 else amount_text(value, measure)


def limit_text(value: Decimal | None, measure: str, currency: str = "") -> str:
    """A limit, without cents where it has none; None is no limit."""
    if value is None:
        return NO_LIMIT
    if measure == Budget.Measure.COST and value == value.to_integral_value():
        return money(value, currency or ledger_currency(), 0)
    return exact_text(value, measure, currency)


def level_text(
    percentage: Decimal | None, amount: Decimal | None, measure: str, currency: str = ""
) -> str:
    """A level that a budget warns from, such as 80 % or $150; "" of neither."""
    if percentage is not None:
        return f"{percentage.normalize():f} %"
    return "" if amount is None else limit_text(amount, measure, currency)


def remaining_text(value: Decimal | None, measure: str) -> str:
    """What is left, such as $3.90, or $12.08 over; "" where there is no limit."""
    if value is None:
        return ""
    left = amount_text(abs(value), measure)
    return left if value >= 0 else f"{left} over"


def used_percent(value: Decimal | None) -> str:
    """A percentage of a limit, rounded down so that it never names a level not yet reached."""
    if value is None or value < 1:
        return percent(value)
    return percent(value.quantize(Decimal(1), ROUND_DOWN))
