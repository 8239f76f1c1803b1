"""A question about usage, and what makes one wrong."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, fields
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from usage.selectors.access import Viewer
from usage.selectors.moments import Moment

MAX_ROWS = 100_000
MAX_GROUPS = 8


class Granularity(StrEnum):
    """How long the periods are that an answer is split into; `total` does not split."""

    TOTAL = "total"
    QUARTER_HOUR = "15m"
    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"

    @property
    def is_calendar(self) -> bool:
        """Whether periods are made of whole days of the time zone."""
        return self not in (Granularity.QUARTER_HOUR, Granularity.HOUR)


class QuestionError(ValueError):
    """A question that has no answer; `field` is the parameter that is wrong."""

    def __init__(self, field: str, code: str, message: str) -> None:
        super().__init__(message)
        self.field, self.code, self.message = field, code, message


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageQuery:
    """What is asked: `start` inclusive, `end` exclusive.

    Dates are days of `time_zone` (an IANA name), datetimes are aware. `filters` maps
    dimension names to allowed values, where an empty value means "not given".
    `order_by` is `start`, a sum or a name in `group_by`, with `-` for descending; by
    default rows come by start, then by group names. `limit` None allows MAX_ROWS.
    `currency` is what costs are shown in, empty for the ledger's. Questions of one page share a
    `moment`.
    """

    viewer: Viewer
    start: date | datetime
    end: date | datetime
    time_zone: str = "UTC"
    granularity: Granularity = Granularity.TOTAL
    group_by: tuple[str, ...] = ()
    filters: Mapping[str, Collection[str]] = field(default_factory=dict)
    order_by: str = ""
    limit: int | None = None
    cursor: str = ""
    currency: str = ""
    moment: Moment = field(default_factory=Moment, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class UsageSums:
    """Sums over counted events; costs are in the answer's currency, without unpriced events."""

    events: int
    errors: int
    unpriced_events: int
    input_tokens: int
    output_tokens: int
    cache_read_tokens: int
    cache_write_tokens: int
    cache_write_1h_tokens: int
    reasoning_tokens: int
    duration_ms: int
    cost: Decimal
    input_cost: Decimal
    output_cost: Decimal
    cache_cost: Decimal
    total_tokens: int


SUM_NAMES = tuple(f.name for f in fields(UsageSums))
COST_NAMES = tuple(f.name for f in fields(UsageSums) if f.type is Decimal)


@dataclass(frozen=True, slots=True)
class UsageRow:
    """The sums of one period and group.

    `start` is a local date, for hours and quarter hours an instant in the question's
    zone, and for `total` the question's own start. `group` has a value for each name
    asked for, None where events do not give it.
    """

    start: date | datetime
    group: Mapping[str, str | None]
    sums: UsageSums


@dataclass(frozen=True, slots=True)
class UsageAnswer:
    """Rows of one page; `totals` are of the whole question. All of it holds as of `as_of`."""

    rows: list[UsageRow]
    totals: UsageSums
    as_of: datetime
    next_cursor: str | None
    currency: str

    @property
    def unpriced_events(self) -> int:
        """How many events the costs leave out because nobody knows their price."""
        return self.totals.unpriced_events
