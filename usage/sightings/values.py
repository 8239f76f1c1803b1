"""What a source tells of a call, and what became of many such tales."""

import re
from dataclasses import dataclass, field
from decimal import Decimal
from hashlib import blake2b

import msgspec

from usage.ingest.values import EventValue, FieldError

# Leaves room for the suffix of a correction.
MAX_CALL_NAME = 96
_UNNAMEABLE = re.compile(r"[\x00-\x1f\x7f]")


class Sighting(msgspec.Struct):
    """What one source tells of one call; `event` has counts of its own and no `usage` object.

    `event.event_id` is the best name of the call, `names` are others: each must name no other call
    of the organization. `span` names the span that told it, `inside` the span directly around that
    one. A source with `settles_place` knows all the past of a call: where it was first seen is
    where it belongs.
    """

    event: EventValue
    names: tuple[str, ...] = ()
    span: str | None = None
    inside: str | None = None
    settles_place: bool = False


@dataclass(slots=True)
class Taken:
    """What became of sightings: how many were new calls, repeats, or made known ones fuller.

    `refused` tells by index what is wrong. Tokens and `cost` (ledger currency) are what was added
    to the sums; `unpriced` counts calls added without a price.
    """

    new: int = 0
    repeats: int = 0
    corrected: int = 0
    refused: dict[int, list[FieldError]] = field(default_factory=dict)
    unpriced: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cost: Decimal = Decimal(0)

    def add(self, event: EventValue, cost: Decimal | None, sign: int = 1) -> None:
        """Note that an event entered the sums, or with `sign` -1 left them; None = unpriced."""
        self.input_tokens += sign * event.input_tokens
        self.output_tokens += sign * event.output_tokens
        self.unpriced += sign * (cost is None)
        self.cost += sign * (cost or Decimal(0))


def call_name(text: str) -> str:
    """`text` as the name of a call: without control characters, hashed where it is too long."""
    clean = text if text.isprintable() else _UNNAMEABLE.sub("", text)
    return clean if len(clean) <= MAX_CALL_NAME else short_digest(clean, 16)


def short_digest(text: str, size: int) -> str:
    """`size` bytes of a digest of `text`, in hex."""
    return blake2b(text.encode(), digest_size=size).hexdigest()
