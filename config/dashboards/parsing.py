"""Reading a dashboard's URL: what is not understood falls back and is noted, never raised."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from config.dashboards.question import CUSTOM, DEFAULT_RANGE, FILTERS, GROUPS, RANGES, Question
from usage.formats import NOT_GIVEN
from usage.selectors.access import Viewer, report_zone
from usage.selectors.currency import ledger_currency, shown_currencies
from usage.selectors.frames import months_before
from usage.selectors.periods import find_zone
from usage.selectors.questions import Granularity, QuestionError

LONGEST_DAYS = 1096
_LENGTHS = {"today": 1, "7d": 7, "14d": 14, "30d": 30, "90d": 90}


def read_question(
    parameters: Mapping[str, str],
    now: datetime,
    viewer: Viewer,
    *,
    pinned: Mapping[str, str] | None = None,
    default_range: str = DEFAULT_RANGE,
    default_group: str = GROUPS[0],
    kept: Iterable[str] = (),
    linked: bool = True,
) -> Question:
    """What the parameters of a URL ask for, on a page that is about `pinned`.

    `kept` are the names of parameters that the page itself reads. Without `tz` days are those of
    the only organization in question, else of the site.
    """
    notices: list[str] = []
    filters = {name: value for name in FILTERS if (value := _text(parameters, name))}
    filters |= {name: value or NOT_GIVEN for name, value in (pinned or {}).items()}
    named = filters.get("organization")
    home = report_zone(viewer, [named] if named else None)
    zone = _read_zone(parameters.get("tz", ""), home, notices)
    name = parameters.get("range") or (CUSTOM if parameters.get("from") else default_range)
    if name not in (*dict(RANGES), CUSTOM):
        notices.append(f"There is no range {name!r}.")
        name = default_range
    first, last = _days(name, parameters, now.astimezone(zone).date(), notices)
    group = parameters.get("group") or default_group
    if group not in GROUPS:
        notices.append(f"Usage cannot be grouped by {group!r} here.")
        group = default_group
    question = Question(
        range=name,
        first=first,
        last=last,
        zone=zone,
        group=group,
        step=Granularity.DAY,
        now=now,
        filters=filters,
        currency=_read_currency(_text(parameters, "currency"), notices),
        home=home,
        pinned=frozenset(pinned or ()),
        default_range=default_range,
        default_group=default_group,
        kept={name: value for name in kept if (value := _text(parameters, name))},
        linked=linked,
    )
    step = _read_step(parameters.get("step", ""), question, notices)
    return replace(question, step=step, notices=tuple(notices))


def _text(parameters: Mapping[str, str], name: str) -> str:
    return parameters.get(name, "").replace("\0", "")[:128]


def _read_zone(name: str, home: str, notices: list[str]) -> ZoneInfo:
    try:
        return find_zone(name or home)
    except QuestionError as error:
        notices.append(error.message)
        return find_zone(home)


def _read_currency(name: str, notices: list[str]) -> str:
    ledger = ledger_currency()
    if name in ("", ledger):
        return ledger
    if name not in shown_currencies():
        notices.append(f"No exchange rate from {ledger} to {name[:32]!r} is known.")
        return ledger
    return name


def _days(
    name: str, parameters: Mapping[str, str], today: date, notices: list[str]
) -> tuple[date, date]:
    month = today.replace(day=1)
    calendar = {
        "month": (month, today),
        "last-month": (months_before(month, 1), month - timedelta(days=1)),
        "year": (months_before(month, 11), today),
    }
    if name in calendar:
        return calendar[name]
    if name != CUSTOM:
        return today - timedelta(days=_LENGTHS[name] - 1), today
    first = _read_day(parameters.get("from", ""), today - timedelta(days=29), notices)
    last = _read_day(parameters.get("through", ""), today, notices)
    if first > last:
        notices.append("The range ended before it began; its ends were swapped.")
        first, last = last, first
    if (last - first).days >= LONGEST_DAYS:
        notices.append("Three years are shown at most.")
        first = last - timedelta(days=LONGEST_DAYS - 1)
    return first, last


def _read_day(text: str, default: date, notices: list[str]) -> date:
    try:
        found = date.fromisoformat(text) if text else default
    except ValueError:
        notices.append(f"{text[:32]!r} is not a day such as 2026-11-22.")
        return default
    if not 2000 <= found.year <= 2198:
        notices.append("Years lie between 2000 and 2198.")
        return default
    return found


def _read_step(text: str, question: Question, notices: list[str]) -> Granularity:
    if not text:
        return question.default_step
    if text not in tuple(question.steps):
        notices.append(f"This range has no bars per {text[:32]!r}.")
        return question.default_step
    return Granularity(text)
