"""What a dashboard's URL asks for: a range of days, filters, a grouping."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.conf import settings

from usage.formats import NOT_GIVEN
from usage.selectors.currency import ledger_currency, shown_currencies
from usage.selectors.periods import find_zone
from usage.selectors.questions import Granularity, QuestionError

RANGES = (
    ("today", "Today"),
    ("7d", "7 d"),
    ("30d", "30 d"),
    ("90d", "90 d"),
    ("month", "This month"),
)
DEFAULT_RANGE = "30d"
CUSTOM = "custom"
GROUPS = ("model", "provider", "organization", "project", "agent_type", "subject")
FILTERS = ("organization", "project", "provider", "model", "subject", "agent_type")
LONGEST_DAYS = 1096
FINE_DAYS = 2
_LENGTHS = {"today": 1, "7d": 7, "30d": 30, "90d": 90}


@dataclass(frozen=True, slots=True)
class Question:
    """One view of the overview. `first` and `last` are both included, as days of `zone`.

    `filters` maps dimension names to one value each, where NOT_GIVEN asks for usage that
    does not name one. Costs are shown in `currency`, an ISO 4217 code. `notices` say which parts
    of the URL were not understood.
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
    notices: tuple[str, ...] = ()

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

    @property
    def steps(self) -> tuple[Granularity, ...]:
        """The lengths of bars that make sense for this range."""
        if self.days <= FINE_DAYS:
            return (Granularity.HOUR, Granularity.DAY)
        return (Granularity.DAY, Granularity.WEEK, Granularity.MONTH)

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
        """The period of the same length before this one: its first day and its end.

        Today is compared with yesterday up to the same quarter of an hour.
        """
        if not self.is_today:
            return self.first - timedelta(days=self.days), self.first
        clock = self.now.astimezone(self.zone)
        quarter = max(clock.hour * 4 + clock.minute // 15, 1)
        midnight = datetime.combine(self.first - timedelta(days=1), time(), self.zone)
        return midnight, midnight + timedelta(minutes=15 * quarter)

    def query_string(self, **changes: str | None) -> str:
        """This view as a query string that starts with "?"; None drops a part."""
        parts: dict[str, str | None] = {"range": self.range}
        if self.range == CUSTOM:
            parts |= {"from": self.first.isoformat(), "through": self.last.isoformat()}
        parts |= dict(self.filters)
        parts["group"] = None if self.group == GROUPS[0] else self.group
        parts["step"] = None if self.step is self.steps[0] else str(self.step)
        zone = self.zone.key
        parts["tz"] = None if zone == settings.TALLYMAN_TIME_ZONE else zone
        parts["currency"] = None if self.currency == ledger_currency() else self.currency
        parts |= changes
        return "?" + urlencode({name: value for name, value in parts.items() if value})

    def in_ledger_currency(self, notice: str) -> "Question":
        """The same view in the currency that costs are kept in, saying why."""
        notices = (*self.notices, notice)
        return replace(self, currency=ledger_currency(), notices=notices)

    def with_range(self, name: str) -> str:
        """The query string of the same view over another range."""
        return replace(self, range=name).query_string(step=None)


def read_question(parameters: Mapping[str, str], now: datetime) -> Question:
    """Read a URL's parameters; what is not understood falls back and is noted, never raised."""
    notices: list[str] = []
    zone = _read_zone(parameters.get("tz", ""), notices)
    today = now.astimezone(zone).date()
    name = parameters.get("range") or (CUSTOM if parameters.get("from") else DEFAULT_RANGE)
    if name not in (*dict(RANGES), CUSTOM):
        notices.append(f"There is no range {name!r}.")
        name = DEFAULT_RANGE
    first, last = _days(name, parameters, today, notices)
    group = parameters.get("group") or GROUPS[0]
    if group not in GROUPS:
        notices.append(f"Usage cannot be grouped by {group!r} here.")
        group = GROUPS[0]
    filters = {name: value for name in FILTERS if (value := _text(parameters, name))}
    currency = _read_currency(_text(parameters, "currency"), notices)
    question = Question(name, first, last, zone, group, Granularity.DAY, now, filters, currency)
    return replace(
        question, step=_read_step(parameters.get("step", ""), question, notices),
        notices=tuple(notices),
    )  # fmt: skip


def _text(parameters: Mapping[str, str], name: str) -> str:
    return parameters.get(name, "").replace("\0", "")[:128]


def _read_zone(name: str, notices: list[str]) -> ZoneInfo:
    try:
        return find_zone(name or settings.TALLYMAN_TIME_ZONE)
    except QuestionError as error:
        notices.append(error.message)
        return find_zone(settings.TALLYMAN_TIME_ZONE)


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
    if name == "month":
        return today.replace(day=1), today
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
    if not 2000 <= found.year <= 2199:
        notices.append("Years lie between 2000 and 2199.")
        return default
    return found


def _read_step(text: str, question: Question, notices: list[str]) -> Granularity:
    if not text:
        return question.steps[0]
    if text not in tuple(question.steps):
        notices.append(f"This range has no bars per {text[:32]!r}.")
        return question.steps[0]
    return Granularity(text)
