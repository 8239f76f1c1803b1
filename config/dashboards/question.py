"""What a dashboard's URL asks for: a range of days, filters, a grouping."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from config.dashboards.names import GROUP_NAMES
from usage.formats import NOT_GIVEN
from usage.selectors.currency import ledger_currency
from usage.selectors.frames import months_before
from usage.selectors.questions import Granularity

RANGES = (
    ("today", "Today"),
    ("7d", "7 d"),
    ("14d", "14 d"),
    ("30d", "30 d"),
    ("90d", "90 d"),
    ("month", "This month"),
    ("last-month", "Last month"),
    ("year", "12 months"),
)
DEFAULT_RANGE = "30d"
CUSTOM = "custom"
MONTHS = ("month", "last-month")
GROUPS = (
    "model", "provider", "organization", "project", "team", "subject", "agent_type", "action",
)  # fmt: skip
FILTERS = (
    "organization", "project", "team", "subject", "provider", "model", "agent_type", "action",
    "operation", "billing_scope", "api_key", "session", "run",
)  # fmt: skip
FINE_DAYS = 2
DAILY_DAYS = 120


@dataclass(frozen=True, slots=True)
class Question:
    """One view of a dashboard. `first` and `last` are both included, as days of `zone`.

    `filters` maps dimension names to one value each, where NOT_GIVEN asks for usage that
    does not name one. Those in `pinned` are what the page itself is about: its address names
    them, not its query string. `home` is the zone where none is asked for. Costs are shown in
    `currency`, an ISO 4217 code. `kept` are further parameters of the page's own, such as a tab
    or an order, which only its own addresses carry. `notices` say which parts of the URL were
    not understood. Only where it is `linked` may its reader open other pages about the same usage.
    """

    range: str
    first: date
    last: date
    zone: ZoneInfo
    group: str
    step: Granularity
    now: datetime
    filters: Mapping[str, str]
    currency: str
    home: str
    pinned: frozenset[str] = field(default_factory=frozenset)
    default_range: str = DEFAULT_RANGE
    default_group: str = GROUPS[0]
    kept: Mapping[str, str] = field(default_factory=dict)
    notices: tuple[str, ...] = ()
    linked: bool = True

    @property
    def days(self) -> int:
        """How many days are asked for."""
        return (self.last - self.first).days + 1

    @property
    def end(self) -> date:
        """The first day that is no longer included."""
        return self.last + timedelta(days=1)

    @property
    def allowed(self) -> dict[str, list[str]]:
        """The filters as selectors take them."""
        return {name: ["" if v == NOT_GIVEN else v] for name, v in self.filters.items()}

    def allowed_by(self, names: Collection[str]) -> dict[str, list[str]]:
        """The filters of these names alone, as selectors take them."""
        return {name: words for name, words in self.allowed.items() if name in names}

    def unasked(self, names: Collection[str]) -> list[str]:
        """What the filters are called that are none of these names."""
        return [GROUP_NAMES[name] for name in self.filters if name not in names]

    @property
    def chosen(self) -> dict[str, str]:
        """The filters that the page does not bring itself."""
        return {name: value for name, value in self.filters.items() if name not in self.pinned}

    @property
    def steps(self) -> tuple[Granularity, ...]:
        """The lengths of bars that make sense for this range."""
        if self.days <= FINE_DAYS:
            return (Granularity.HOUR, Granularity.DAY)
        return (Granularity.DAY, Granularity.WEEK, Granularity.MONTH)

    @property
    def default_step(self) -> Granularity:
        """The length of bars where none is asked for: as many as can be told apart."""
        return Granularity.WEEK if self.days > DAILY_DAYS else self.steps[0]

    @property
    def today(self) -> date:
        """The present day of the zone."""
        return self.now.astimezone(self.zone).date()

    @property
    def is_today(self) -> bool:
        """Whether only the present day is asked for, of which some hours are still to come."""
        return self.first == self.last == self.today

    @property
    def before(self) -> tuple[date, date] | tuple[datetime, datetime]:
        """The period before this one: its first day and its end.

        It is as long, but a calendar month is compared with the month before, up to the same
        day, and today with yesterday up to the same quarter of an hour.
        """
        if self.range in MONTHS:
            start = months_before(self.first, 1)
            whole = self.range == "last-month"
            return start, self.first if whole else min(start + (self.end - self.first), self.first)
        if not self.is_today:
            return self.first - timedelta(days=self.days), self.first
        return self.until_now(self.first - timedelta(days=1))

    def until_now(self, day: date) -> tuple[datetime, datetime]:
        """A day from its midnight up to the same quarter of an hour as now, of its first at least.

        Both are instants of the zone.
        """
        clock = self.now.astimezone(self.zone)
        quarter = max(clock.hour * 4 + clock.minute // 15, 1)
        midnight = datetime.combine(day, time(), self.zone)
        return midnight, midnight + timedelta(minutes=15 * quarter)

    def query_string(self, **changes: str | None) -> str:
        """The address of this view on its own page, from "?" on; None drops a part."""
        return self._encoded({**self.chosen, **self.kept}, changes)

    def everywhere(self, **changes: str | None) -> str:
        """The query string under which another page, a chart or a file shows the same view."""
        return self._encoded(self.filters, changes)

    def in_ledger_currency(self, notice: str) -> "Question":
        """The same view in the currency that costs are kept in, saying why."""
        notices = (*self.notices, notice)
        return replace(self, currency=ledger_currency(), notices=notices)

    def with_range(self, name: str) -> str:
        """The query string of the same view over another range."""
        return replace(self, range=name).query_string(step=None)

    def fields(self, *without: str) -> list[tuple[str, str]]:
        """What a form on the view's own page carries along that asks for `without` itself."""
        parts = self._parts({**self.chosen, **self.kept})
        return [(name, value) for name, value in parts.items() if value and name not in without]

    def _encoded(self, filters: Mapping[str, str], changes: Mapping[str, str | None]) -> str:
        parts = {**self._parts(filters), **changes}
        return "?" + urlencode({name: value for name, value in parts.items() if value})

    def _parts(self, filters: Mapping[str, str]) -> dict[str, str | None]:
        parts: dict[str, str | None] = {"range": self.range}
        if self.range == CUSTOM:
            parts |= {"from": self.first.isoformat(), "through": self.last.isoformat()}
        parts |= filters
        parts["group"] = None if self.group == GROUPS[0] == self.default_group else self.group
        parts["step"] = None if self.step is self.default_step else str(self.step)
        parts["tz"] = None if self.zone.key == self.home else self.zone.key
        parts["currency"] = None if self.currency == ledger_currency() else self.currency
        return parts
