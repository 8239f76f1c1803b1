"""What is said of the window of a budget that reached a level, blocks calls, or will pass."""

from collections.abc import Iterable, Iterator
from decimal import Decimal

from budgets.amounts import (
    amount_text,
    exact_text,
    figure_text,
    limit_text,
    remaining_text,
    used_percent,
)
from budgets.links import budget_url
from budgets.messages import moment
from budgets.models import Alert
from budgets.models.budgets import read_as
from budgets.notices.advising import (
    Adviser,
    advice_lines,
    rate_text,
    session_table,
    unblock_lines,
)
from budgets.notices.facts import amount_of, text_of, time_of
from budgets.notices.figures import Expected, Figures, counted, days_text
from budgets.notices.findings import chance_text
from budgets.notices.message import Line
from budgets.notices.told import Told
from budgets.spans import Span
from usage.formats import dated, day, percent, quantity, share

_NAMED = 5


def facts_of(figures: Figures) -> dict[str, str | None]:
    """The figures of now by the names that the facts of alerts have."""
    state = figures.state
    return {
        "limit": None if state.limit is None else f"{state.limit:f}",
        "used": f"{state.used:f}",
        "reserved": f"{state.reserved:f}",
    }


def tell_window(
    alert: Alert, figures: Figures, others: Iterable[Alert], adviser: Adviser | None
) -> Told:
    """What to say of an alert and of `others`, lower levels of its window and levels of other
    windows of its budget, with advice where there is an adviser."""
    named = list(others)
    here = [other for other in named if other.window_start == alert.window_start]
    elsewhere = [other for other in named if other.window_start != alert.window_start]
    sessions = adviser.sessions(figures) if adviser else []
    advice = adviser.advice(figures) if adviser else None
    return Told(
        _summary(alert, figures, elsewhere),
        _figures(alert, figures, here),
        [*_to_unblock(alert, figures), *advice_lines(figures, advice, sessions)] if adviser else [],
        budget_url(figures.budget),
        session_table(figures, sessions),
    )


def _summary(alert: Alert, figures: Figures, elsewhere: Iterable[Alert]) -> str:
    parts = [
        _happened(alert, figures),
        _late(figures),
        _elsewhere(elsewhere, figures),
        _ahead(figures),
        _blocks(figures),
    ]
    return " ".join(part for part in parts if part)


def _figures(alert: Alert, figures: Figures, others: Iterable[Alert]) -> list[Line]:
    named = [
        ("Budget", f"{figures.budget}, {figures.budget.get_enforcement_display().lower()}"),
        *_whose(figures),
        ("Level reached", _levels([alert, *others])),
        ("Asked for", _asked(alert, figures)),
        *_of_limit(figures),
        *_of_time(figures),
        *_of_rate(figures),
        ("Expected", _expected(alert, figures)),
        ("Will pass the limit", _crossing(alert)),
        ("Forecasts missed by", _missed(alert)),
        ("Without a price", _unpriced(figures)),
        ("Whom to ask", figures.budget.contact),
    ]
    return [Line(label, value) for label, value in named if value]


def _happened(alert: Alert, figures: Figures) -> str:
    state, measure = figures.state, figures.budget.measure
    used = f"{amount_text(figures.taken, measure)} {'used or held' if state.reserved else 'used'}"
    if state.limit is not None:
        used += f" of {state.limit_text}"
    if alert.kind == Alert.Kind.BLOCKED:
        since = moment(alert.opened_at, figures.zone)
        return f"Calls are blocked since {since}: {_why(alert, figures, used)}."
    if alert.kind == Alert.Kind.FORECAST:
        foreseen = figures.forecast or _foreseen(alert)
        more = f", {amount_text(foreseen.expected, measure)} expected" if foreseen else ""
        return f"It will probably not be enough: {used} by now{more}."
    if figures.is_used_up:
        return f"The limit is reached: {used}."
    return f"It reached its level of {_level(alert)}: {used}."


def _why(alert: Alert, figures: Figures, used: str) -> str:
    """What did not fit into what."""
    if "asked" not in alert.facts:
        return used
    asked = amount_of(alert.facts, "asked")
    if asked is None:
        return f"nobody knows what one of them costs ({used})"
    return f"one asked for {exact_text(asked, figures.budget.measure)} with {used}"


def _late(figures: Figures) -> str:
    if not figures.has_ended:
        return ""
    if figures.late_at is None:
        return f"Its period, {figures.period_text}, is over."
    arrived = day(figures.late_at.astimezone(figures.zone).date())
    return (
        f"This is about {figures.period_text}: usage arrived late ({arrived}), after the period"
        " had ended."
    )


def _elsewhere(others: Iterable[Alert], figures: Figures) -> str:
    """The other periods that reached levels, the latest of them by their days."""
    windows = {alert.window_start: alert.window_end for alert in others if alert.window_start}
    if not windows:
        return ""
    latest = sorted(windows, reverse=True)[:_NAMED]
    named = [days_text(Span(start, windows[start]), figures.zone) for start in latest]
    more = len(windows) - len(latest)
    days = f"{', '.join(named)} and {more:,} more" if more else ", ".join(named)
    return f"{counted(len(windows), 'other period')} reached levels, too: {days}."


def _ahead(figures: Figures) -> str:
    projected, excess = figures.projected, figures.excess
    if projected is None or excess is None or figures.pace is None:
        return ""
    if excess <= 0:
        return "At the rate so far it stays within the limit."
    measure = figures.budget.measure
    more = f"{amount_text(excess, measure)} more than allowed"
    when = f"in {figures.left_text}" if figures.pace.left else "by the end"
    return f"At the rate so far it comes to {amount_text(projected, measure)} {when}, {more}."


def _blocks(figures: Figures) -> str:
    if figures.has_ended or not figures.is_used_up:
        return ""
    if not figures.budget.is_hard:
        return "It only warns: calls go on."
    until = f" until {moment(figures.span.end, figures.zone)}" if figures.span.end else ""
    return f"What does not fit is blocked{until}."


def _whose(figures: Figures) -> Iterator[tuple[str, str]]:
    if figures.budget.per:
        name = read_as(figures.budget.per)
        yield name[0].upper() + name[1:], figures.state.member_name


def _level(alert: Alert) -> str:
    if alert.percent is not None:
        return f"{alert.percent.normalize():f} %"
    level = amount_of(alert.facts, "level") or alert.amount
    if level is None or alert.budget is None:
        return ""
    return limit_text(level, alert.budget.measure)


def _levels(alerts: list[Alert]) -> str:
    named = [_level(alert) for alert in alerts if alert.kind == Alert.Kind.THRESHOLD]
    first, *rest = named or [""]
    return f"{first}, and {', '.join(rest)}" if rest else first


def _to_unblock(alert: Alert, figures: Figures) -> list[str]:
    if alert.kind != Alert.Kind.BLOCKED:
        return []
    is_unpriced = "asked" in alert.facts and amount_of(alert.facts, "asked") is None
    return unblock_lines(figures, is_unpriced=is_unpriced)


def _asked(alert: Alert, figures: Figures) -> str:
    facts = alert.facts
    if alert.kind != Alert.Kind.BLOCKED or "asked" not in facts:
        return ""
    amount = amount_of(facts, "asked")
    unknown = "calls whose price is not known"
    parts = [
        unknown if amount is None else exact_text(amount, figures.budget.measure),
        *(f"{read_as(name)} {text_of(facts, name)}" for name in ("project", "model")),
        f"by {text_of(facts, 'who')}",
    ]
    return ", ".join(part for part in parts if not part.endswith(" "))


def _of_limit(figures: Figures) -> Iterator[tuple[str, str]]:
    state, measure = figures.state, figures.budget.measure
    part = f", {state.percent_text} of {state.limit_text}" if state.limit is not None else ""
    yield "Used", f"{figure_text(state.used, measure)}{part}"
    if state.reserved:
        yield "Held by calls under way", exact_text(state.reserved, measure)
    if state.remaining is not None:
        whole = share(state.remaining, state.limit or Decimal(0))
        shown = f" ({used_percent(whole)})" if whole is not None and whole >= 0 else ""
        none = "none, " if state.remaining < 0 else ""
        yield "Left", f"{none}{remaining_text(state.remaining, measure)}{shown}"


def _of_time(figures: Figures) -> Iterator[tuple[str, str]]:
    yield "Period", figures.period_text
    pace = figures.pace
    if pace is not None:
        unit = "hour" if pace.is_hourly else "day"
        gone = f"{quantity(pace.gone)} of {counted(pace.gone + pace.left, unit)} gone"
        yield f"{unit.capitalize()}s left", f"{quantity(pace.left)} ({gone})"


def _of_rate(figures: Figures) -> Iterator[tuple[str, str]]:
    pace, projected, excess = figures.pace, figures.projected, figures.excess
    if pace is None or projected is None:
        return
    measure, unit = figures.budget.measure, "hour" if pace.is_hourly else "day"
    yield f"Rate per {unit}", rate_text(figures)
    used, rate = exact_text(figures.state.used, measure), exact_text(pace.rate, measure)
    sum_of = f"{used} + {quantity(pace.left)} \N{MULTIPLICATION SIGN} {rate}"
    yield "At this rate", f"{amount_text(projected, measure)} = {sum_of}"
    if excess is not None:
        label = "Then over the limit by" if excess > 0 else "Then within the limit by"
        yield label, amount_text(abs(excess), measure)


def _expected(alert: Alert, figures: Figures) -> str:
    forecast, measure = figures.forecast or _foreseen(alert), figures.budget.measure
    if forecast is None:
        return ""
    low, high = amount_text(forecast.low, measure), amount_text(forecast.high, measure)
    band = f"{low} to {high} four times of five"
    return f"{amount_text(forecast.expected, measure)} by the weekdays of the past, {band}"


def _foreseen(alert: Alert) -> Expected | None:
    expected, low, high = (amount_of(alert.facts, name) for name in Expected._fields)
    if expected is None or low is None or high is None:
        return None
    return Expected(expected, low, high)


def _crossing(alert: Alert) -> str:
    if alert.kind != Alert.Kind.FORECAST:
        return ""
    crosses, chance = time_of(alert.facts, "crosses_on"), amount_of(alert.facts, "chance")
    on = f"on {dated(crosses.date(), crosses.date())}" if crosses else ""
    how = "" if chance is None else f"with a chance of {chance_text(chance)}"
    return " ".join(part for part in (on, how) if part)


def _missed(alert: Alert) -> str:
    missed = amount_of(alert.facts, "error") if alert.kind == Alert.Kind.FORECAST else None
    return "" if missed is None else f"{percent(missed)} on average"


def _unpriced(figures: Figures) -> str:
    calls = figures.state.unpriced_events
    return f"{counted(calls, 'call')}, not in these figures" if calls else ""
