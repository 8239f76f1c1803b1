"""Counts as an instrumentation states them → Tallyman's, whose totals include their parts. Pure.

OpenTelemetry's `input_tokens` includes what was read from and written to a cache, and
`output_tokens` the reasoning; OpenLLMetry, OpenInference, LiteLLM, Pydantic AI and Anthropic's SDK
mean the same. Claude Code, Strands, Vercel's SDK up to version 5 and Langfuse's LangChain handler
leave some parts out of the totals. A stated total of both sides tells which; without one, parts
larger than their whole do.
"""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any


@dataclass(slots=True)
class Stated:
    """What a record states; None = not stated.

    `apart_input` and `apart_output` say that by the habit of its source the parts are not in the
    totals, `own_total` that the source adds up the total itself, so that it proves nothing.
    """

    input: int | None = None
    output: int | None = None
    cache_read: int = 0
    cache_write: int | None = None
    cache_write_5m: int = 0
    cache_write_1h: int = 0
    reasoning: int = 0
    total: int | None = None
    apart_input: bool = False
    apart_output: bool = False
    own_total: bool = False
    meters: dict[str, Decimal] = field(default_factory=dict)

    @property
    def has_usage(self) -> bool:
        """Whether the provider reported anything at all."""
        return self.input is not None or self.output is not None or self.total is not None

    @property
    def written(self) -> int:
        """Tokens written to a cache, whatever their price."""
        if self.cache_write is None:
            return self.cache_write_5m + self.cache_write_1h
        return self.cache_write


def settle(stated: Stated) -> dict[str, Any]:
    """The token fields and meters of an event: totals that include their parts."""
    cached = stated.cache_read + stated.written
    whole_input, output = _totals(stated)
    apart_input, apart_output = _habits(stated, whole_input, output, cached)
    fields: dict[str, Any] = {
        "input_tokens": whole_input + cached if apart_input else whole_input,
        "output_tokens": output + stated.reasoning if apart_output else output,
        "cache_read_tokens": stated.cache_read,
        "cache_write_tokens": stated.written,
        "cache_write_1h_tokens": stated.cache_write_1h,
        "reasoning_tokens": stated.reasoning,
    }
    meters = {name: count for name, count in stated.meters.items() if count}
    return fields | {"meters": meters} if meters else fields


def _totals(stated: Stated) -> tuple[int, int]:
    """Both sides as stated; where one alone is missing, the total tells it."""
    known = stated.input or 0, stated.output or 0
    if stated.total is None or (stated.input is not None and stated.output is not None):
        return known
    rest = max(stated.total - sum(known), 0)
    return (rest, known[1]) if stated.input is None else (known[0], rest)


def _habits(stated: Stated, whole_input: int, output: int, cached: int) -> tuple[bool, bool]:
    """Whether cached tokens and reasoning must be added to the totals."""
    habit = stated.apart_input, stated.apart_output
    if stated.total is not None and not stated.own_total:
        possible = [habit, (False, False), (True, False), (False, True), (True, True)]
        sums = (
            (apart, whole_input + output + cached * apart[0] + stated.reasoning * apart[1])
            for apart in possible
        )
        habit = next((apart for apart, total in sums if total == stated.total), habit)
    return (
        habit[0] or cached > whole_input,
        habit[1] or stated.reasoning > output,
    )
