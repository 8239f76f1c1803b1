"""Numbers as people read them; rounding is half up and happens only here."""

from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal

UNPRICED = "unpriced"
UNKNOWN = "—"
NOT_GIVEN = "(none)"
"""What stands in URLs for the filter \"not given\"."""
SHORT = 16
_SYMBOLS = {"USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥", "INR": "₹"}
_SCALES = ((10**12, "T"), (10**9, "B"), (10**6, "M"), (10**4, "k"))


def rounded(value: Decimal, places: int) -> Decimal:
    """`value` with exactly `places` decimals, half up."""
    return value.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)


def symbol(currency: str) -> str:
    """What stands before amounts of an ISO 4217 currency: "$", or "CHF " where it has no sign."""
    return _SYMBOLS.get(currency, f"{currency} ")


def money(value: Decimal | None, currency: str, places: int = 2) -> str:
    """An amount such as $1,234.50; None is "unpriced", and what rounds to zero is "<$0.01"."""
    if value is None:
        return UNPRICED
    before = symbol(currency)
    amount = rounded(value, places)
    sign = "-" if value < 0 else ""
    if value and not amount:
        return f"{sign}<{before}{Decimal(1).scaleb(-places):f}"
    return f"{sign}{before}{abs(amount):,f}"


def signed_money(value: Decimal, currency: str, places: int = 2) -> str:
    """A difference such as +$1.50 or -$0.20; none is $0.00."""
    return f"+{money(value, currency, places)}" if value > 0 else money(value, currency, places)


def quantity(value: int | Decimal) -> str:
    """A count with thousands separated: 318,204."""
    return f"{value:,}"


def compact(value: int) -> str:
    """A large count in three or so figures: 2.41 B, 12.3 k; below ten thousand in full."""
    for scale, (size, unit) in enumerate(_SCALES):
        if abs(value) >= size:
            places = 1 if unit == "k" else 2
            shown = rounded(Decimal(value) / (1000 if unit == "k" else size), places)
            if shown >= 1000 and scale:
                return f"{rounded(shown / 1000, 2)} {_SCALES[scale - 1][1]}"
            return f"{shown} {unit}"
    return quantity(value)


def share(part: Decimal | int, whole: Decimal | int) -> Decimal | None:
    """`part` in percent of `whole`, exact; None when there is no whole."""
    return Decimal(part) * 100 / Decimal(whole) if whole else None


def bar(value: Decimal | None) -> int:
    """A percentage as the length of a bar, 0 to 100: less than nothing is none."""
    return min(max(int(value or 0), 0), 100)


def percent(value: Decimal | None, places: int = 0) -> str:
    """A percentage such as 61 %; None is a dash, and what rounds to zero is "<1 %"."""
    if value is None:
        return UNKNOWN
    shown = rounded(value, places)
    if value and not shown:
        return f"<{Decimal(1).scaleb(-places):f} %"
    return f"{shown:,f} %"


def length(span: timedelta) -> str:
    """A length of time to the second, such as 4 m 12 s; less than none is none."""
    return duration(max(int(span.total_seconds()), 0) * 1000)


def duration(milliseconds: int | None) -> str:
    """A length of time such as 320 ms, 2.4 s, 4 m 12 s, 8 h 23 m; None is a dash."""
    if milliseconds is None:
        return UNKNOWN
    if milliseconds < 1000:
        return f"{milliseconds} ms"
    if milliseconds < 59_950:
        return f"{rounded(Decimal(milliseconds) / 1000, 1)} s"
    seconds = int(rounded(Decimal(milliseconds) / 1000, 0))
    minutes, seconds = divmod(seconds, 60)
    if minutes < 60:
        return f"{minutes} m {seconds} s"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {minutes} m"
    return f"{hours // 24} d {hours % 24} h"


def day(value: date) -> str:
    """A day such as 24 Oct."""
    return f"{value.day} {value:%b}"


def days(first: date, last: date) -> str:
    """A range of days, both included, such as 24 Oct to 22 Nov with a dash between."""
    return day(first) if first == last else f"{day(first)} \N{EN DASH} {day(last)}"


def dated(first: date, last: date) -> str:
    """A range of days with its year, or with both where it crosses one: 24 Oct to 22 Nov 2026."""
    if first.year == last.year:
        return f"{days(first, last)} {last.year}"
    return f"{day(first)} {first.year} \N{EN DASH} {day(last)} {last.year}"


def short(name: str | None) -> str:
    """Both ends of an id that is too long for a column, "" for none."""
    whole, end = name or "", SHORT // 2 - 1
    return whole if len(whole) <= SHORT else f"{whole[:end]}…{whole[-end:]}"
