"""What an alert says of the moment it was seen, beside how things are now, and what came of it."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from budgets.amounts import amount_text, exact_text, level_text, limit_text, used_percent
from budgets.models import Alert, BudgetWindow, Notice
from budgets.notices.facts import Facts, amount_of, text_of, time_of
from budgets.notices.figures import days_text
from budgets.notices.findings import chance_text, tell_finding
from budgets.notices.titles import alert_title
from budgets.selectors.history import zone_of
from budgets.selectors.scopes import Member, name_members
from budgets.spans import Span
from usage.formats import UNKNOWN, dated, percent, quantity, share
from usage.selectors.periods import find_zone

Amounts = dict[str, Decimal | None]
"""Limit, level, used and reserved, in the ledger currency, or tokens or requests."""

_TOLD = 50
_AMOUNTS = ("limit", "level", "used", "reserved")
_FORESEEN = {
    "expected": "expected in the end", "run_rate": "at the pace so far", "asked": "asked for",
}  # fmt: skip
_OTHERS = {"who": "by", "project": "project", "model": "model"}


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure when the alert was seen and now; "" where there is none."""

    name: str
    then: str
    now: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """Something that happened to an alert at an aware time; `notice` is the message it was."""

    at: datetime
    text: str
    notice: Notice | None = None


def level_of(alert: Alert) -> str:
    """The level that an alert is about, such as 80 % or $150; "" where there is none."""
    if alert.budget is None:
        return ""
    return level_text(alert.percent, alert.amount, alert.budget.measure, alert.budget.currency)


def period_of(alert: Alert) -> str:
    """The days of the window that an alert is about, with the zone they are days of; "" of none."""
    if alert.budget is None or alert.window_start is None:
        return ""
    zone = find_zone(zone_of(alert.budget))
    return f"{days_text(Span(alert.window_start, alert.window_end), zone)} ({zone.key})"


def titles_of(alerts: Sequence[Alert]) -> list[str]:
    """What alerts are called, those of a share of a budget with whose it is; in one statement
    or two where there are any, else in none."""
    names = member_names(alerts)
    return [alert_title(alert, name) for alert, name in zip(alerts, names, strict=True)]


def member_names(alerts: Sequence[Alert]) -> list[str]:
    """Of each alert the name of the member of its budget that it is about, "" where all share
    the limit; in one statement or two."""
    names: dict[Member, str] = {}
    for full in (False, True):
        members = {
            (alert.budget.per, alert.member)
            for alert in alerts
            if alert.budget and alert.member and (alert.organization_id is None) == full
        }
        names |= name_members(members, full=full) if members else {}
    return [
        names.get((alert.budget.per, alert.member), "") if alert.budget and alert.member else ""
        for alert in alerts
    ]


def figures_of(alert: Alert) -> list[Figure]:
    """The figures of an alert; of one of a budget's window with those that it has now."""
    budget, facts = alert.budget, alert.facts
    if budget is None or "used" not in facts:
        return [Figure(line.label, line.value) for line in tell_finding(alert).lines]
    windows = BudgetWindow.objects.filter(budget=budget, member=alert.member)
    window = windows.filter(start=alert.window_start).first() if alert.window_start else None
    then = {name: amount_of(facts, name) for name in _AMOUNTS}
    now = None if window is None else {
        "limit": window.limit, "level": then["level"],
        "used": window.spent + window.overage, "reserved": window.reserved,
    }  # fmt: skip
    return [
        *_of_limit(then, now, budget.measure),
        *_unpriced(facts, window),
        *_foreseen(facts, budget.measure),
        *(Figure(name, text_of(facts, fact)) for fact, name in _OTHERS.items() if facts.get(fact)),
    ]


def steps_of(alert: Alert) -> list[Step]:
    """What happened to an alert, the latest first: opened, told, acknowledged, resolved."""
    again = f", for the {_ordinal(alert.occasion)} time" if alert.occasion > 1 else ""
    steps = [Step(alert.opened_at, f"Opened{again}")]
    told = alert.notices.select_related("channel").order_by("-created_at")[:_TOLD]
    steps += [Step(notice.ended_at or notice.created_at, _told(notice), notice) for notice in told]
    if alert.acknowledged_at:
        steps.append(Step(alert.acknowledged_at, f"Acknowledged{_by(alert)}"))
    if alert.resolved_at:
        by_hand = alert.resolution == Alert.Resolution.HAND
        why = _by(alert) or " by hand" if by_hand else f": {alert.get_resolution_display().lower()}"
        steps.append(Step(alert.resolved_at, f"Resolved{why}"))
    return sorted(steps, key=lambda step: step.at, reverse=True)


def _of_limit(then: Amounts, now: Amounts | None, measure: str) -> list[Figure]:
    """The figures of a window: what it allows, and what is taken of it."""
    held = bool(then["reserved"] or (now and now["reserved"]))
    rows: list[tuple[str, Callable[[Amounts], str], bool]] = [
        ("threshold", lambda a: limit_text(a["level"], measure), then["level"] is not None),
        ("used", lambda a: _amount_text(a["used"], measure), True),
        ("held by calls under way", lambda a: _amount_text(a["reserved"], measure), held),
        ("limit", lambda a: limit_text(a["limit"], measure), True),
        ("used or held of it" if held else "used of it", _part, True),
    ]
    return [
        Figure(name, shown(then), shown(now) if now else UNKNOWN)
        for name, shown, is_known in rows
        if is_known
    ]


def _unpriced(facts: Facts, window: BudgetWindow | None) -> Iterator[Figure]:
    then, present = amount_of(facts, "unpriced_events"), window.unpriced_events if window else 0
    if then or present:
        known = UNKNOWN if then is None else quantity(int(then))
        yield Figure("calls without a price", known, quantity(present))


def _foreseen(facts: Facts, measure: str) -> Iterator[Figure]:
    """What was expected, or asked for: only of then."""
    for fact, name in _FORESEEN.items():
        if (value := amount_of(facts, fact)) is not None:
            shown = exact_text if fact == "asked" else amount_text
            yield Figure(name, shown(value, measure))
    low, high = amount_of(facts, "low"), amount_of(facts, "high")
    if low is not None and high is not None:
        band = f"{amount_text(low, measure)} \N{EN DASH} {amount_text(high, measure)}"
        yield Figure("likely between (four times of five)", band)
    if crosses := time_of(facts, "crosses_on"):
        yield Figure("passes the limit on", dated(crosses.date(), crosses.date()))
    if (chance := amount_of(facts, "chance")) is not None:
        yield Figure("chance of that", chance_text(chance))
    if (error := amount_of(facts, "error")) is not None:
        yield Figure("such forecasts missed by", percent(error))


def _amount_text(value: Decimal | None, measure: str) -> str:
    return UNKNOWN if value is None else amount_text(value, measure)


def _part(amounts: Amounts) -> str:
    used, limit = amounts["used"], amounts["limit"]
    if used is None or not limit:
        return UNKNOWN
    return used_percent(share(used + (amounts["reserved"] or 0), limit))


def _by(alert: Alert) -> str:
    return f" by {alert.handled_by}" if alert.handled_by else ""


def _told(notice: Notice) -> str:
    words = {
        Notice.State.WAITING: "is to be told",
        Notice.State.SENT: "was told",
        Notice.State.FAILED: "could not be told",
        Notice.State.DROPPED: "was not told",
    }
    more = "" if notice.kind == Notice.Kind.ALERT else f" ({notice.get_kind_display().lower()})"
    return f"{notice.channel} {words[Notice.State(notice.state)]}{more}"


def _ordinal(number: int) -> str:
    tens = number % 100 // 10
    ending = {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th") if tens != 1 else "th"
    return f"{number}{ending}"
