"""Which budgets a call counts against: values of budgets, and an index of them, all in memory."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from operator import itemgetter
from typing import NamedTuple, TypeAlias

from django.conf import settings

from budgets.models import Budget
from budgets.models.budgets import RELATIONS, WORDS
from budgets.spans import BEGINNING, Span, span_at

Part: TypeAlias = int | str | None


class CallScope(NamedTuple):
    """Whose call it is and of what kind: ids or None, words or ""."""

    organization: int
    project: int | None = None
    team: int | None = None
    subject: int | None = None
    api_key: int | None = None
    provider: str = ""
    model: str = ""
    action: str = ""
    agent_type: str = ""


class Era(NamedTuple):
    """From `start` to before `end`, aware: all times in it count in the same windows."""

    start: datetime
    end: datetime


_OWNER = 0
_NEVER = datetime.max.replace(tzinfo=UTC)
_REMEMBERED = 4
NAMES = (*RELATIONS, *WORDS)
"""The parts of a scope, in the order of CallScope."""
COLUMNS = tuple(f"{name}_id" if name in RELATIONS else name for name in NAMES)
"""The columns of budgets and reservations that hold them."""


@dataclass(slots=True)
class BudgetValue:
    """What counting needs of a budget. `scope` is in the order of CallScope, None meaning any;
    `zone` and `week_start` are those of its organization, else the site's."""

    id: int
    scope: tuple[Part, ...]
    per: str
    measure: str
    period: str
    starts_on: date | None
    is_hard: bool
    unpriced: str
    zone: str
    week_start: int
    counts_since: datetime
    _spans: list[Span] = field(default_factory=list, compare=False, repr=False)

    @classmethod
    def from_budget(cls, budget: Budget) -> "BudgetValue":
        """The value of a budget, saved (id) or draft (0); its organization has been read."""
        owner = budget.organization
        return cls(
            budget.pk or 0,
            tuple(getattr(budget, column) or None for column in COLUMNS),
            budget.per,
            budget.measure,
            budget.period,
            budget.starts_on,
            budget.is_hard,
            budget.unpriced,
            owner.time_zone if owner else str(settings.TALLYMAN_TIME_ZONE),
            owner.week_start if owner else 1,
            budget.counts_since,
        )

    @property
    def organization(self) -> int | None:
        """The id of the organization it limits; None for all together."""
        owner = self.scope[0]
        return owner if isinstance(owner, int) else None

    def span(self, at: datetime) -> Span:
        """The period that an aware time lies in."""
        for span in self._spans:
            if span.contains(at):
                return span
        span = span_at(at, self.period, self.zone, self.week_start, self.starts_on)
        # Calls of one batch lie in few periods; threads may replace the list, never change it.
        self._spans = [span, *self._spans[: _REMEMBERED - 1]]
        return span

    def member_of(self, call: CallScope) -> int | None:
        """Whose share of it a call counts against: an id, 0 where all share it, None: nobody's."""
        if not self.per:
            return 0
        member = getattr(call, self.per)
        return member if isinstance(member, int) else None


class BudgetIndex:
    """Finds the budgets that a call counts against, however many there are."""

    def __init__(self, budgets: Iterable[BudgetValue]) -> None:
        """Index `budgets` by which parts of a scope they name, and by what they are.

        `parts_of` tells what any budget looks at of a CallScope, or of a tuple like it: calls that
        agree in it count against the same shares.
        """
        self.by_id = {budget.id: budget for budget in budgets}
        self._groups: dict[tuple[int, ...], dict[tuple[Part, ...], list[BudgetValue]]] = {}
        for budget in self.by_id.values():
            named = tuple(place for place, part in enumerate(budget.scope) if part is not None)
            parts = tuple(budget.scope[place] for place in named)
            group = self._groups.setdefault(named, defaultdict(list))
            group[parts].append(budget)
        named_by_any = {place for named in self._groups for place in named}
        shared_by = {NAMES.index(budget.per) for budget in self.by_id.values() if budget.per}
        places = sorted(named_by_any | shared_by)
        # Two at least, so that there is always a tuple.
        self.parts_of = itemgetter(*places, *[_OWNER] * max(0, 2 - len(places)))
        self._owners = {budget.organization for budget in self.by_id.values()}
        self._calendars = list(
            {
                (budget.period, budget.zone, budget.week_start, budget.starts_on): budget
                for budget in self.by_id.values()
            }.values()
        )

    def limits(self, organizations: Iterable[int]) -> bool:
        """Whether calls of any of these organizations may count against a budget."""
        return None in self._owners or not self._owners.isdisjoint(organizations)

    def era_at(self, at: datetime) -> Era:
        """The stretch of time around an aware time within which no budget's period turns."""
        spans = [budget.span(at) for budget in self._calendars]
        # A total may begin later.
        turns = [span.start for span in spans] + [span.end for span in spans if span.end]
        return Era(
            max((turn for turn in turns if turn <= at), default=BEGINNING),
            min((turn for turn in turns if turn > at), default=_NEVER),
        )

    def match(self, call: CallScope) -> list[BudgetValue]:
        """The budgets whose scope holds the call, by id."""
        found: list[BudgetValue] = []
        for named, group in self._groups.items():
            found += group.get(tuple([call[place] for place in named]), ())
        found.sort(key=_by_id)
        return found


def _by_id(budget: BudgetValue) -> int:
    return budget.id
