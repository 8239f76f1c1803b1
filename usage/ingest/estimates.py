"""Counts of calls whose provider reported no usage, from what the caller knows. Pure."""

import msgspec

from pricing.meters import CORE_METERS
from usage.ingest.values import EventValue

CHARACTERS_A_TOKEN = 4
"""What OpenAI and Google give as a rule of thumb for English text in their documentation."""

HINTS = ("input_characters", "output_characters", "max_output_tokens")


def settle_hints(event: EventValue, *, reported: bool) -> EventValue:
    """`event` without its hints; with estimated counts if there is nothing better.

    `reported` tells whether the provider said anything. Its counts, token fields and meters are
    all better than hints, which then leave no trace. Estimates round up; an answer of unknown
    length counts as long as `max_output_tokens` allowed it to be.
    """
    if event.usage is None and not has_hints(event):
        return event
    bare = {**dict.fromkeys(HINTS), "usage": None}
    if reported or has_counts(event) or not has_hints(event):
        return msgspec.structs.replace(event, **bare)
    output = event.max_output_tokens or 0
    if event.output_characters is not None:
        output = estimated_tokens(event.output_characters)
    return msgspec.structs.replace(
        event,
        **bare,
        input_tokens=estimated_tokens(event.input_characters or 0),
        output_tokens=output,
        estimated=True,
    )


def estimated_tokens(characters: int) -> int:
    """How many tokens a text of so many characters has, rounded up."""
    return -(-characters // CHARACTERS_A_TOKEN)


def has_hints(event: EventValue) -> bool:
    """Whether the caller sent anything to estimate from."""
    return not (
        event.input_characters is None
        and event.output_characters is None
        and event.max_output_tokens is None
    )


def has_counts(event: EventValue) -> bool:
    """Whether the event has counts of its own, besides a `usage` object."""
    return bool(event.meters) or any(getattr(event, name) for name in CORE_METERS)
