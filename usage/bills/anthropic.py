"""Anthropic's Usage and Cost Admin API: `usage_report/messages` and `cost_report`, by day.

Input is told in parts there (uncached, read, written), amounts in cents as decimal strings. The
priority tier is in the usage but never in the costs. Fields as in the API reference, "Get
Messages Usage Report" and "Get Cost Report".
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Generic, TypeVar

from msgspec import Struct

from usage.bills.pages import Page, Shape
from usage.bills.values import (
    BillFault,
    ReadLine,
    amount_of,
    counted,
    currency_of,
    description_of,
    external_of,
    model_of,
    tier_named,
)
from usage.models import BillDay

AnyLine = TypeVar("AnyLine")

METERS = {
    "uncached_input_tokens": "input_tokens",
    "cache_read_input_tokens": "cache_read_tokens",
    "cache_creation.ephemeral_5m_input_tokens": "cache_write_tokens",
    "cache_creation.ephemeral_1h_input_tokens": "cache_write_1h_tokens",
    "output_tokens": "output_tokens",
}
"""Our meter for each kind of tokens that a line of costs is for."""
_COST_METERS = {"web_search": "web_searches"}
_STANDARD = "standard"
_CENTS = 100


class Written(Struct):
    """Tokens written to the cache, by how long they stay."""

    ephemeral_5m_input_tokens: int = 0
    ephemeral_1h_input_tokens: int = 0


class Tools(Struct):
    """What the provider's own tools were used for."""

    web_search_requests: int = 0


class Usage(Struct):
    """One line of usage."""

    uncached_input_tokens: int
    cache_creation: Written | None = None
    cache_read_input_tokens: int = 0
    output_tokens: int = 0
    server_tool_use: Tools | None = None
    model: str | None = None
    service_tier: str | None = None
    workspace_id: str | None = None


class Cost(Struct):
    """One line of costs."""

    amount: Decimal
    currency: str = "USD"
    cost_type: str | None = None
    token_type: str | None = None
    description: str | None = None
    model: str | None = None
    service_tier: str | None = None
    workspace_id: str | None = None


class Day(Struct, Generic[AnyLine]):
    """What is said of one day."""

    starting_at: datetime
    results: list[AnyLine]

    @property
    def day(self) -> date:
        """The UTC day; BillFault for one out of reach."""
        try:
            return self.starting_at.astimezone(UTC).date()
        except OverflowError:
            raise BillFault(f"It holds a time that is none: {self.starting_at}.") from None


def usage_lines(day: date, usage: Usage) -> Iterator[ReadLine]:
    """A line of usage: its input is the sum of what the provider tells in parts."""
    written = usage.cache_creation or Written()
    writes = written.ephemeral_5m_input_tokens + written.ephemeral_1h_input_tokens
    tools = usage.server_tool_use or Tools()
    yield ReadLine(
        day,
        external_id=external_of(usage.workspace_id),
        model=model_of(usage.model),
        tier=tier_of(usage.service_tier),
        quantities=counted(
            input_tokens=usage.uncached_input_tokens + usage.cache_read_input_tokens + writes,
            cache_read_tokens=usage.cache_read_input_tokens,
            cache_write_tokens=writes,
            cache_write_1h_tokens=written.ephemeral_1h_input_tokens,
            output_tokens=usage.output_tokens,
            web_searches=tools.web_search_requests,
        ),
    )


def cost_lines(day: date, cost: Cost) -> Iterator[ReadLine]:
    """A line of costs."""
    meter = METERS.get(cost.token_type or "") or _COST_METERS.get(cost.cost_type or "", "")
    yield ReadLine(
        day,
        external_id=external_of(cost.workspace_id),
        model=model_of(cost.model),
        description=description_of(cost.description or cost.cost_type),
        tier=tier_of(cost.service_tier),
        meter=meter,
        amount=amount_of(cost.amount, _CENTS),
        currency=currency_of(cost.currency),
    )


def tier_of(name: str | None) -> str:
    """The provider's word for a tier, "" for the standard one."""
    return "" if name == _STANDARD else tier_named(name)


USAGE = Shape(BillDay.Report.USAGE, Page[Day[Usage]], usage_lines, ("uncached_input_tokens", ""))
COST = Shape(BillDay.Report.COST, Page[Day[Cost]], cost_lines, ("cost_type", ""))
