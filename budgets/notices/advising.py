"""What to do about a window that fills up: how much less to use, which model, which sessions."""

import contextlib
import time
from collections.abc import Collection, Hashable, Iterator, Mapping
from datetime import date, timedelta
from decimal import ROUND_DOWN, Decimal
from typing import NamedTuple

from budgets.amounts import figure_text
from budgets.messages import moment
from budgets.models import Budget
from budgets.notices.figures import Figures, counted
from budgets.selectors.scopes import usage_filters
from budgets.selectors.standings import FULL
from usage.formats import money, percent, quantity, rounded, share
from usage.selectors.access import EVERYTHING, Viewer
from usage.selectors.advice import FILTERS, Advice, advise
from usage.selectors.advice.models import CODE as CHEAPER_MODEL
from usage.selectors.advice.sessions import CODE as DEAR_SESSION
from usage.selectors.currency import ledger_currency
from usage.selectors.episodes import Episode, EpisodeKind, dearest_episodes
from usage.selectors.filters import ORGANIZATION

ADVICE_DAYS = 28
"""How many days of usage are looked at for a cheaper model: a single day tells little."""
MOST_DAYS = 31
"""Of longer periods the dearest sessions of the last so many days are told."""
_SESSIONS = 3
_MOST_QUESTIONS = 150
_SECONDS = 5.0
_MARK = " / "
_FEW = 100
_CENTS, _PLACES = Decimal("0.01"), Decimal("0.0001")
_EACH = {"day": "a day", "hour": "an hour"}

Filters = Mapping[str, Collection[str]]


class Reach(NamedTuple):
    """Whose usage a window counts, as a question about usage asks for it."""

    organization: int | None
    filters: Filters

    @property
    def viewer(self) -> Viewer:
        """Sees the organization of the budget and no other; of a budget of all, every one."""
        return EVERYTHING if self.organization is None else Viewer(frozenset((self.organization,)))

    @property
    def key(self) -> Hashable:
        """The same for the same usage."""
        return self.organization, tuple(sorted((n, tuple(v)) for n, v in self.filters.items()))


class Adviser:
    """Looks up what to advise: each question once, and of all budgets together no more of them
    than a run of beat has time for; what is asked beyond stays without an answer, as to be told
    soon matters more."""

    def __init__(self) -> None:
        """Know nothing yet."""
        self._left = _MOST_QUESTIONS
        self._asked_for = 0.0
        self._advice: dict[Hashable, list[Advice]] = {}
        self._sessions: dict[Hashable, list[Episode]] = {}

    def advice(self, figures: Figures) -> Advice | None:
        """What would have saved most in the last 28 days: a cheaper model, else anything but
        looking at sessions, which are told by themselves. None where nothing would have."""
        reach = reach_of(figures)
        if reach is None or not set(reach.filters) <= set(FILTERS):
            return None
        project = reach.filters.get("project")
        if set(reach.filters) <= {ORGANIZATION, "project"}:
            # All of an organization is asked at once, and its projects are picked from that.
            rest = {n: v for n, v in reach.filters.items() if n == ORGANIZATION}
            reach = Reach(reach.organization, rest)
        found = [
            each
            for each in self._advice_on(reach, _last_day(figures), figures.zone.key)
            if project is None or each.about.get("project") in project
        ]
        cheaper = [each for each in found if each.code == CHEAPER_MODEL]
        others = [each for each in found if each.code != DEAR_SESSION]
        return next(iter(cheaper or others), None)

    def sessions(self, figures: Figures) -> list[Episode]:
        """The sessions of the window that cost most, dearest first."""
        reach = reach_of(figures)
        if reach is None:
            return []
        end = _last_day(figures) + timedelta(days=1)
        start = max(figures.state.start, end - timedelta(days=MOST_DAYS))
        key = (reach.key, start, end, figures.zone.key)
        if key not in self._sessions:
            with self._timed():
                self._sessions[key] = [] if not self._may_ask() else dearest_episodes(
                    reach.viewer, EpisodeKind.SESSION, start, end, time_zone=figures.zone.key,
                    filters=reach.filters, limit=_SESSIONS,
                )  # fmt: skip
        return self._sessions[key]

    def _advice_on(self, reach: Reach, last: date, zone: str) -> list[Advice]:
        key = (reach.key, last, zone)
        if key not in self._advice:
            end = last + timedelta(days=1)
            with self._timed():
                self._advice[key] = [] if not self._may_ask() else advise(
                    reach.viewer, start=end - timedelta(days=ADVICE_DAYS), end=end, time_zone=zone,
                    filters=reach.filters,
                )  # fmt: skip
        return self._advice[key]

    def _may_ask(self) -> bool:
        self._left -= 1
        return self._left >= 0 and self._asked_for < _SECONDS

    @contextlib.contextmanager
    def _timed(self) -> Iterator[None]:
        began = time.monotonic()
        yield
        self._asked_for += time.monotonic() - began


def reach_of(figures: Figures) -> Reach | None:
    """Whose usage a window counts; None where no question asks for just that."""
    budget, name = figures.budget, figures.state.member_name
    if budget.per and (budget.per == "api_key" or not name):
        return None
    owner, mark, part = name.partition(_MARK)
    is_full = bool(mark) and budget.organization_id is None and budget.per != ORGANIZATION
    filters = dict(usage_filters(budget, part if is_full else name))
    if is_full:
        filters[ORGANIZATION] = [owner]
    return Reach(budget.organization_id, filters)


def advice_lines(
    figures: Figures, advice: Advice | None, sessions: Collection[Episode]
) -> list[str]:
    """What to do, in sentences: what follows from the figures first."""
    lines = [] if figures.has_ended else list(_about_rate(figures))
    if figures.late_at is not None:
        lines.append("See why this usage was reported so late: what is over cannot be saved.")
    if figures.state.unpriced_events:
        calls = counted(figures.state.unpriced_events, "call")
        lines.append(f"Give a price to the {calls} without one: what they cost comes on top.")
    if advice is not None:
        saved = money(advice.saving, ledger_currency())
        lines.append(
            f"{_titled(advice)}: it would have saved {saved} in the last {ADVICE_DAYS} days."
        )
    if sessions:
        lines.append(_about_sessions(figures, sessions))
    return lines


def _titled(advice: Advice) -> str:
    """What an advice says, with the project that it is about."""
    where = f" (project {advice.about['project']})" if "project" in advice.about else ""
    return advice.title if where in advice.title else f"{advice.title}{where}"


def unblock_lines(figures: Figures, *, is_unpriced: bool) -> list[str]:
    """What to do about calls that were blocked though something is left; `is_unpriced`: as nobody
    knows what they cost."""
    if is_unpriced:
        return ["Give the model a price, or let the budget allow calls without one."]
    return [] if figures.has_ended or figures.is_used_up else [_nothing_left(figures)]


def session_table(figures: Figures, sessions: Collection[Episode]) -> tuple[tuple[str, ...], ...]:
    """The sessions with what they used, under a row of titles; nothing where there are none."""
    by_tokens = figures.budget.measure == Budget.Measure.TOKENS
    rows = [
        (
            each.id,
            each.project or each.organization,
            money(each.sums.cost, ledger_currency()),
            quantity(each.sums.total_tokens if by_tokens else each.sums.events),
        )
        for each in sessions
    ]
    titles = ("Session", "Project", "Cost", "Tokens" if by_tokens else "Calls")
    return (titles, *rows) if rows else ()


def rate_text(figures: Figures) -> str:
    """What each day or hour so far used on average, such as $6.67 a day; "" without a pace."""
    if figures.pace is None:
        return ""
    rate, measure = figures.pace.rate, figures.budget.measure
    unit = _EACH["hour" if figures.pace.is_hourly else "day"]
    if measure != Budget.Measure.COST and rate < _FEW and rate % 1:
        return f"{rounded(rate, 2)} {measure} {unit}"
    return f"{figure_text(rate, measure)} {unit}"


def _about_rate(figures: Figures) -> list[str]:
    state, pace = figures.state, figures.pace
    if figures.is_used_up:
        return [_nothing_left(figures)]
    if pace is None or figures.cut is None or state.remaining is None:
        return []
    measure = figures.budget.measure
    each = state.remaining / pace.left
    each = each.quantize(_PLACES if each < 1 else _CENTS, ROUND_DOWN)
    unit = _EACH["hour" if pace.is_hourly else "day"]
    said = f"Use {percent(figures.cut)} less from now on"
    instead = f"{figure_text(each, measure)} {unit} in place of {rate_text(figures)}"
    return [f"{said}, {instead}, and what is left lasts until the end."]


def _nothing_left(figures: Figures) -> str:
    until = f" until {moment(figures.span.end, figures.zone)}" if figures.span.end else ""
    if figures.budget.is_hard:
        return f"Raise the limit if calls cannot wait{until}."
    return f"Let wait{until} what can, or raise the limit."


def _about_sessions(figures: Figures, sessions: Collection[Episode]) -> str:
    cost, used = next(iter(sessions)).sums.cost, figures.state.used
    said = (
        f"Look at the sessions that cost most: the dearest came to {money(cost, ledger_currency())}"
    )
    if figures.budget.measure == Budget.Measure.COST and used / FULL <= cost <= used:
        said += f", {percent(share(cost, used))} of what was used"
    return f"{said}."


def _last_day(figures: Figures) -> date:
    """The present day, or the last of a period that is over."""
    today = figures.now.astimezone(figures.zone).date()
    return today if figures.state.end is None else min(today, figures.state.end - timedelta(days=1))
