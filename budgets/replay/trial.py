"""Trying a budget out on the past: every stored call asks again, in the order of its time.

A call asks for what it came to and is settled at once. What is blocked spends nothing. The rules
are those that answer live calls; they are asked wherever the answer is not plain.
"""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from operator import itemgetter
from zoneinfo import ZoneInfo

from django.core.exceptions import ValidationError

from budgets.counting import amount_of, count_usage
from budgets.deciding import ALLOW, BLOCK, WARN, Call, decide, test
from budgets.matching import NAMES, BudgetValue
from budgets.messages import message_of
from budgets.models import Budget
from budgets.replay.drafts import Draft
from budgets.replay.findings import Findings, Moment, Tally, TriedWindow
from budgets.replay.naming import Touched, affected_by
from budgets.replay.unpriced import dearest_costs
from budgets.replay.windows import DraftWindows
from budgets.spans import Span
from usage.formats import quantity
from usage.models import UsageEvent
from usage.selectors.past_calls import OWNERS, PastCall, number_of, past_calls, time_of
from usage.selectors.periods import find_zone, midnight

MAX_DAYS = 92
MAX_CALLS = 1_000_000
"""Both so that a replay answers within seconds."""
_ADJUSTMENT = UsageEvent.State.ADJUSTMENT.value
_FIRST_ID = 2
"""Where a PastCall has its ids, in the order of OWNERS."""
_COST = Budget.Measure.COST
_ZERO = Decimal(0)


def try_budget(draft: Draft, first: date, end: date) -> Findings:
    """What a draft would have done from the day `first` to before `end`, days of its zone.

    What was used before that in the window that `first` lies in counts as it was. Raises
    ValidationError for more than MAX_DAYS or MAX_CALLS, and where a limit has no exchange rate.
    """
    if (end - first).days > MAX_DAYS:
        raise ValidationError(f"At most {MAX_DAYS} days are tried at a time.")
    return _Trial(draft, first, end).findings()


def zone_of(draft: Draft) -> ZoneInfo:
    """Where the days of a draft begin."""
    return find_zone(BudgetValue.from_budget(draft.budget).zone)


def _member_of(per: str) -> Callable[[PastCall], int]:
    return itemgetter(OWNERS.index(per) + _FIRST_ID) if per else lambda _: 0


class _Trial:
    """One replay as it goes along."""

    def __init__(self, draft: Draft, first: date, end: date) -> None:
        self.windows = DraftWindows(draft, first)
        self.value, zone = self.windows.value, self.windows.zone
        self.budget = draft.budget
        self.days = [first + timedelta(days=i) for i in range((end - first).days)]
        self.bounds = [midnight(day, zone) for day in (*self.days, end)]
        self.tallies = [Tally() for _ in self.days]
        self.member_of = _member_of(self.value.per)
        self.touched: dict[Touched, Tally] = defaultdict(Tally)
        self.dearest: dict[int, Decimal] = {}
        self.warned: Moment | None = None
        self.blocked: Moment | None = None
        self.day = -1
        self.turn = number_of(self.bounds[0])

    def findings(self) -> Findings:
        """Play all calls, and tell what came of them."""
        self._refuse_too_many()
        scope = dict(zip(NAMES, self.value.scope, strict=True))
        for page in past_calls(scope, self.bounds[0], self.bounds[-1], self.value.per):
            self.dearest = dearest_costs(self._unknown(page))
            for call in page:
                self._play(call)
        total = Tally()
        for tally in self.tallies:
            total.add(tally)
        return Findings(
            budget=self.budget,
            zone=self.value.zone,
            start=self.bounds[0],
            end=self.bounds[-1],
            total=total,
            days=dict(zip(self.days, self.tallies, strict=True)),
            windows=self.windows.shown(),
            opened=self.windows.opened,
            affected=affected_by(self.touched),
            warned=self.warned,
            blocked=self.blocked,
        )

    def _refuse_too_many(self) -> None:
        counting = replace(self.value, per="", measure=Budget.Measure.REQUESTS.value)
        calls = count_usage(counting, Span(self.bounds[0], self.bounds[-1]))[0].used
        if calls > MAX_CALLS:
            raise ValidationError(
                f"These are {quantity(calls)} calls, and at most {quantity(MAX_CALLS)} are tried at"
                " a time: take fewer days, or limit fewer calls."
            )

    def _play(self, call: PastCall) -> None:
        if call[0] >= self.turn:
            self._go_on_to(time_of(call[0]))
        cost, measure = call[9], self.value.measure
        window = self.windows.window(self.member_of(call))
        if call[8] == _ADJUSTMENT:
            self._adjust(window, cost or _ZERO)
            return
        amount = amount_of(measure, cost, call[10])
        outcome = ALLOW
        if window.used + amount >= window.calm or (cost is None and measure == _COST):
            outcome = self._ask(window, call)
        for tally in (window.tally, self.tallies[self.day]):
            tally.count(outcome, cost)
        if outcome != BLOCK:
            window.used += amount
            window.unpriced += cost is None
        if outcome != ALLOW:
            self.touched[call[2], call[3], call[5], call[7]].count(outcome, cost)

    def _go_on_to(self, at: datetime) -> None:
        """Count in the day and the window that a call lies in."""
        while at >= self.bounds[self.day + 1]:
            self.day += 1
        if not self.windows.span.contains(at):
            self.windows.enter(at)
        ends = (self.bounds[self.day + 1], self.windows.span.end)
        self.turn = number_of(min(end for end in ends if end is not None))

    def _ask(self, window: TriedWindow, past: PastCall) -> str:
        call = Call(past[9], past[10], self.dearest.get(past[1]))
        outcome = test(call, self.windows.state(window)).outcome
        if outcome == WARN and window.warned_at is None:
            window.warned_at = time_of(past[0])
            self.warned = self.warned or self._moment(window, window.warned_at, call)
        elif outcome == BLOCK and window.blocked_at is None:
            window.blocked_at = time_of(past[0])
            self.blocked = self.blocked or self._moment(window, window.blocked_at, call)
        return outcome

    def _moment(self, window: TriedWindow, at: datetime, call: Call) -> Moment:
        """What the caller would have read."""
        state = self.windows.state(window, named=True)
        return Moment(at, message_of(decide(call, [state])))

    def _adjust(self, window: TriedWindow, cost: Decimal) -> None:
        """Count what a closed month is charged since: it is no call, and has a cost alone."""
        if self.value.measure == _COST:
            window.used += cost
        window.tally.spent += cost
        self.tallies[self.day].spent += cost

    def _unknown(self, page: list[PastCall]) -> list[PastCall]:
        """The calls of a page that would be estimated."""
        if (self.value.measure, self.value.unpriced) != (_COST, Budget.Unpriced.ESTIMATE):
            return []
        return [call for call in page if call[9] is None]
