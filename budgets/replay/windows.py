"""The windows that a draft would have had, opened as calls come to them."""

from datetime import date, datetime
from decimal import Decimal
from heapq import nlargest

from django.utils import timezone

from budgets.book import facts_of
from budgets.counting import NOTHING, Counted, count_members, count_usage
from budgets.deciding import WindowState
from budgets.limits import in_ledger
from budgets.matching import BudgetValue
from budgets.replay.drafts import Draft
from budgets.replay.findings import TriedWindow
from budgets.selectors.scopes import name_members
from budgets.spans import Span
from usage.selectors.periods import find_zone, midnight

SHOWN = 50
_ENDLESS = Decimal("Infinity")


class DraftWindows:
    """The windows of the present span, and of those before the ones with most blocked calls.

    What was used before the day `first` in the span that it lies in counts as it was.
    """

    def __init__(self, draft: Draft, first: date) -> None:
        self.budget = draft.budget
        self.value = BudgetValue.from_budget(draft.budget)
        self.zone = find_zone(self.value.zone)
        self.now = timezone.now()
        self.facts = facts_of(draft.budget, self.value.zone, draft.levels, self.now)
        self.opened = 0
        self._kept: list[TriedWindow] = []
        self._start = midnight(first, self.zone)
        self._before: dict[int, Counted] = {}
        self._present: dict[int, TriedWindow] = {}
        self.enter(self._start)

    def enter(self, at: datetime) -> None:
        """Go on to the span that an aware time lies in."""
        self._kept = self._shown()
        self._present = {}
        self.span = self.value.span(at)
        self._limit = in_ledger(self.budget, self.budget.limit, self.span.start, self.now)
        self._calm = self._calm_below()
        self._before = self._used_before() if self.span.contains(self._start) else {}

    def window(self, member: int) -> TriedWindow:
        """The window of a member in the present span."""
        found = self._present.get(member)
        if found is None:
            self.opened += 1
            before = self._before.get(member, NOTHING)
            found = self._present[member] = TriedWindow(
                member, *self.span, self._limit, self._calm, before.used, before.used,
                before.unpriced_events,
            )  # fmt: skip
        return found

    def state(self, window: TriedWindow, *, named: bool = False) -> WindowState:
        """A window as rules read it; `named` where somebody will read what they say."""
        return WindowState(
            self.facts,
            window.start,
            window.end,
            window.limit,
            window.used,
            unpriced_events=window.unpriced,
            member=window.member,
            member_name=self._name_of(window) if named else "",
        )

    def shown(self) -> list[TriedWindow]:
        """Those with most blocked, then warned, calls in the order of time, by name."""
        windows = self._shown()
        names = name_members(
            ((self.value.per, w.member) for w in windows), full=self.value.organization is None
        )
        for window in windows:
            window.member_name = names.get((self.value.per, window.member), "")
        return sorted(windows, key=lambda w: (w.start, w.member_name))

    def _shown(self) -> list[TriedWindow]:
        return nlargest(SHOWN, (*self._kept, *self._present.values()), key=_severity)

    def _calm_below(self) -> Decimal:
        """What a window may come to without any budget having a word to say."""
        if self._limit == 0:
            return -_ENDLESS
        bounds = (self._limit, self.facts.warns_from(self._limit))
        return min((bound for bound in bounds if bound is not None), default=_ENDLESS)

    def _used_before(self) -> dict[int, Counted]:
        if self.span.start == self._start:
            return {}
        count = count_members if self.value.per else count_usage
        return count(self.value, Span(self.span.start, self._start))

    def _name_of(self, window: TriedWindow) -> str:
        member = (self.value.per, window.member)
        return name_members([member]).get(member, "")


def _severity(window: TriedWindow) -> tuple[int, int, int]:
    return window.tally.blocked, window.tally.warned, window.tally.calls
