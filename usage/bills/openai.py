"""OpenAI's organization costs, and its usage of completions and embeddings, by day.

Input includes what was cached. Amounts are in whole units of the currency. A line of costs
names its model and its meter in one text, such as "gpt-5-mini-2025-08-07, cached input" or
"priority | gpt-5.6-sol, output, long context". Fields as in the `openai` package's
`types.admin.organization`.
"""

import re
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
    named_as,
    tier_named,
)
from usage.models import BillDay

AnyLine = TypeVar("AnyLine")

_LINE_ITEM = re.compile(
    r"(?:(?P<tier>[a-z]+) \| )?(?P<model>[^\s,|]+)(?: (?P<modality>text|audio|image|video))?"
    r"(?:, (?P<what>[a-z ]+?))?(?:, long context)?\Z"
)
_METERS = {
    "input": "input{}_tokens",
    "output": "output{}_tokens",
    "cached input": "cache{}_read_tokens",
    "cache writes": "cache{}_write_tokens",
}
_STANDARD = ("default", "standard", "auto")


class Amount(Struct):
    """What a line costs."""

    value: Decimal | None = None
    currency: str | None = None


class Cost(Struct):
    """One line of costs."""

    amount: Amount | None
    line_item: str | None = None
    project_id: str | None = None
    project_name: str | None = None


class Usage(Struct):
    """One line of usage, of completions or of embeddings."""

    input_tokens: int
    num_model_requests: int = 0
    output_tokens: int = 0
    input_cached_tokens: int = 0
    input_cache_write_tokens: int | None = None
    input_audio_tokens: int | None = None
    input_cached_audio_tokens: int | None = None
    output_audio_tokens: int | None = None
    model: str | None = None
    project_id: str | None = None
    batch: bool | None = None
    service_tier: str | None = None


class Day(Struct, Generic[AnyLine]):
    """What is said of one day; `start_time` is in Unix seconds."""

    start_time: int
    results: list[AnyLine]

    @property
    def day(self) -> date:
        """The UTC day."""
        return day_of(self.start_time)


def day_of(seconds: int) -> date:
    """The UTC day of a time in Unix seconds; BillFault for one out of reach."""
    try:
        return datetime.fromtimestamp(seconds, UTC).date()
    except (ValueError, OverflowError, OSError):
        raise BillFault(f"It holds a time that is none: {seconds}.") from None


def usage_lines(day: date, usage: Usage) -> Iterator[ReadLine]:
    """A line of usage."""
    tier = "batch" if usage.batch else usage.service_tier or ""
    audio = (usage.input_audio_tokens or 0) + (usage.input_cached_audio_tokens or 0)
    yield ReadLine(
        day,
        external_id=external_of(usage.project_id),
        model=model_of(usage.model),
        tier="" if tier in _STANDARD else tier_named(tier),
        quantities=counted(
            input_tokens=usage.input_tokens,
            cache_read_tokens=usage.input_cached_tokens,
            cache_write_tokens=usage.input_cache_write_tokens or 0,
            input_audio_tokens=audio,
            output_tokens=usage.output_tokens,
            output_audio_tokens=usage.output_audio_tokens or 0,
            requests=usage.num_model_requests,
        ),
    )


def cost_lines(day: date, cost: Cost) -> Iterator[ReadLine]:
    """A line of costs; none where the provider names no amount."""
    if cost.amount is None or cost.amount.value is None:
        return
    item = description_of(cost.line_item)
    model, tier, meter = _parts(item)
    yield ReadLine(
        day,
        external_id=external_of(cost.project_id),
        external_name=named_as(cost.project_name),
        model=model_of(model),
        description=item,
        tier=tier,
        meter=meter,
        amount=amount_of(cost.amount.value),
        currency=currency_of(cost.amount.currency or "USD"),
    )


def _parts(item: str) -> tuple[str, str, str]:
    """Model, tier and meter of a line item, "" for what it does not name.

    What has no comma is a model when it looks like one ("text-embedding-3-small"), and else a
    tool or storage ("web search tool calls").
    """
    found = _LINE_ITEM.match(item)
    if found is None or (found["what"] is None and not re.search(r"[-\d]", found["model"])):
        return "", "", ""
    modality = found["modality"]
    between = f"_{modality}" if modality and modality != "text" else ""
    pattern = _METERS.get(found["what"] or "", "")
    return found["model"], found["tier"] or "", pattern.format(between)


USAGE = Shape(
    BillDay.Report.USAGE,
    Page[Day[Usage]],
    usage_lines,
    ("object", "organization.usage.completions.result"),
)
EMBEDDINGS = Shape(
    BillDay.Report.EMBEDDINGS,
    Page[Day[Usage]],
    usage_lines,
    ("object", "organization.usage.embeddings.result"),
)
COST = Shape(
    BillDay.Report.COST, Page[Day[Cost]], cost_lines, ("object", "organization.costs.result")
)
