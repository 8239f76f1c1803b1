"""What is said of the findings of watches: unusual spend, no price, silence, and the system.

Any fact may be missing; its line is left out then.
"""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.urls import reverse

from budgets.messages import moment
from budgets.models import Alert
from budgets.notices.facts import amount_of, count_of, text_of, time_of
from budgets.notices.message import Line
from budgets.notices.titles import named_model
from budgets.notices.told import Told
from usage.formats import money, percent, quantity, rounded
from usage.selectors.currency import ledger_currency
from usage.selectors.periods import find_zone

_TWO_DAYS = Decimal(48)
_NEARLY = 99
_IF_SILENT = (
    "See whether its calls have ended, or whether they go on and are reported no more: a changed"
    " key or address, or an exporter that has stopped."
)
_IF_UNUSUAL = (
    "See what is new: a program that repeats its calls, a longer prompt, another model, or a key"
    " that somebody else uses. Set a hard budget if it should not go on."
)


def chance_text(chance: Decimal) -> str:
    """A chance in percent; never all or nothing, as no forecast is sure."""
    return f">{_NEARLY} %" if chance > _NEARLY else percent(chance)


def tell_finding(alert: Alert) -> Told:
    """What to say of an alert that is of no window."""
    zone = find_zone(
        alert.organization.time_zone if alert.organization else str(settings.TALLYMAN_TIME_ZONE)
    )
    tell = _TELLERS.get(Alert.Kind(alert.kind), _system)
    return tell(alert.facts, zone)


def _unpriced(facts: Mapping[str, Any], zone: ZoneInfo) -> Told:
    model = named_model(facts)
    return Told(
        f"Nobody knows what calls to {model} cost. Until they have a price they are missing in"
        " every sum, and in budgets that are counted in money.",
        _lines(
            ("Model", model),
            ("Calls", _count(facts, "calls")),
            ("Tokens", _count(facts, "tokens")),
            ("First call", _moment(facts, "first_seen", zone)),
            ("Latest call", _moment(facts, "last_seen", zone)),
        ),
        ["Give the model a price, or say which known model it is: all its calls are priced then."],
        reverse("admin:unpriced"),
    )


def _stale(facts: Mapping[str, Any], zone: ZoneInfo) -> Told:
    name = text_of(facts, "name") or "A source"
    return Told(
        f"{name[0].upper()}{name[1:]} reports usage regularly, and has been silent for much longer"
        " than ever before.",
        _lines(
            ("Last heard", _moment(facts, "last_seen", zone)),
            ("Longest silence before", _hours(amount_of(facts, "usual_gap_hours"))),
        ),
        [_IF_SILENT],
    )


def _anomaly(facts: Mapping[str, Any], zone: ZoneInfo) -> Told:
    what = text_of(facts, "what") or "this organization"
    factor = amount_of(facts, "factor")
    times = f"{rounded(factor, 1)} times" if factor is not None else "far above"
    return Told(
        f"The spend of {what} is {times} what it usually is at this time.",
        _lines(
            ("Spent", _money(facts, "spent")),
            ("Usual", _money(facts, "usual")),
            ("From", _moment(facts, "start", zone)),
            ("To", _moment(facts, "end", zone)),
            *_causes(facts),
        ),
        [_IF_UNUSUAL],
    )


def _causes(facts: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    causes = facts.get("causes")
    for cause in causes if isinstance(causes, list) else []:
        if isinstance(cause, Mapping):
            spent = _money(cause, "spent")
            yield "Most of it", ", ".join(part for part in (text_of(cause, "what"), spent) if part)
        else:
            yield "Most of it", str(cause)


def _system(facts: Mapping[str, Any], zone: ZoneInfo) -> Told:
    what = text_of(facts, "what") or "Something needs a look"
    hint = text_of(facts, "hint")
    return Told(
        f"{what[0].upper()}{what[1:].rstrip('.')}.",
        _lines(("Since", _moment(facts, "since", zone)), ("Detail", text_of(facts, "detail"))),
        [hint] if hint else [],
    )


_TELLERS = {
    Alert.Kind.UNPRICED: _unpriced,
    Alert.Kind.STALE: _stale,
    Alert.Kind.ANOMALY: _anomaly,
}


def _lines(*named: tuple[str, str]) -> list[Line]:
    return [Line(label, value) for label, value in named if value]


def _count(facts: Mapping[str, Any], name: str) -> str:
    number = count_of(facts, name)
    return quantity(number) if number else ""


def _money(facts: Mapping[str, Any], name: str) -> str:
    value = amount_of(facts, name)
    return "" if value is None else money(value, ledger_currency())


def _moment(facts: Mapping[str, Any], name: str, zone: ZoneInfo) -> str:
    at = time_of(facts, name)
    return "" if at is None else moment(at, zone)


def _hours(value: Decimal | None) -> str:
    if value is None:
        return ""
    return f"{rounded(value / 24, 1)} days" if value > _TWO_DAYS else f"{rounded(value, 1)} hours"
