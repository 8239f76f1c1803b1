"""The registry of meters: everything a provider counts and may put a price on.

A meter may be part of others: `cache_read_tokens` is part of `input_tokens`, and
`cache_audio_read_tokens` is part of `cache_read_tokens`, `input_audio_tokens` and `input_tokens`.
A whole always includes its parts.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, TypeAlias

Side: TypeAlias = Literal["input", "output", "other"]
Quantity: TypeAlias = int | Decimal
"""A count of one meter: never negative, tokens are whole numbers, seconds may be fractions."""


@dataclass(frozen=True, slots=True)
class Meter:
    """One countable thing: `per` units of it carry one unit price."""

    name: str
    side: Side
    per: int
    parent: str | None
    wholes: frozenset[str]
    traits: frozenset[str]

    @property
    def is_cache(self) -> bool:
        """Whether this counts tokens read from or written to a prompt cache."""
        return not self.traits.isdisjoint(("cache_read", "cache_write"))


MILLION = 1_000_000
THOUSAND = 1_000
MODALITIES = ("text", "audio", "image", "video")

USAGE_KEY_METERS = {"output_reasoning_tokens": "reasoning_tokens"}
"""Meters whose name differs from the usage key genai-prices has for them."""


def _token_traits() -> Iterator[tuple[str, tuple[str, ...]]]:
    yield "input_tokens", ("input",)
    yield "output_tokens", ("output",)
    yield "cache_read_tokens", ("input", "cache_read")
    yield "cache_write_tokens", ("input", "cache_write")
    yield "cache_write_5m_tokens", ("input", "cache_write", "5m")
    yield "cache_write_1h_tokens", ("input", "cache_write", "1h")
    yield "input_tool_tokens", ("input", "tool")
    yield "reasoning_tokens", ("output", "reasoning")
    yield "output_citation_tokens", ("output", "citation")
    for modality in MODALITIES:
        yield f"input_{modality}_tokens", ("input", modality)
        yield f"output_{modality}_tokens", ("output", modality)
        yield f"cache_{modality}_read_tokens", ("input", "cache_read", modality)
        yield f"cache_{modality}_write_tokens", ("input", "cache_write", modality)
        yield f"cache_{modality}_write_5m_tokens", ("input", "cache_write", "5m", modality)
        yield f"cache_{modality}_write_1h_tokens", ("input", "cache_write", "1h", modality)
        yield f"input_{modality}_tool_tokens", ("input", "tool", modality)
        yield f"output_{modality}_reasoning_tokens", ("output", "reasoning", modality)
        yield f"output_{modality}_citation_tokens", ("output", "citation", modality)


def _token_meters() -> Iterator[Meter]:
    named = {name: frozenset(traits) for name, traits in _token_traits()}
    by_traits = {traits: name for name, traits in named.items()}
    for name, traits in _token_traits():
        yield Meter(
            name=name,
            side="input" if traits[0] == "input" else "output",
            per=MILLION,
            parent=by_traits.get(frozenset(traits[:-1])),
            wholes=frozenset(other for other, less in named.items() if less < named[name]),
            traits=named[name],
        )


def _other_meters() -> Iterator[Meter]:
    table: tuple[tuple[str, Side, int, str | None], ...] = (
        ("input_characters", "input", MILLION, None),
        ("input_text_messages", "input", THOUSAND, None),
        ("audio_seconds", "other", 3600, None),
        ("input_audio_seconds", "input", 3600, "audio_seconds"),
        ("output_audio_seconds", "output", 3600, "audio_seconds"),
        ("input_pixels", "input", 1_000_000_000, None),
        ("input_document_pages", "input", THOUSAND, None),
        ("input_annotated_document_pages", "input", THOUSAND, "input_document_pages"),
        ("rerank_searches", "other", THOUSAND, None),
        ("web_searches", "other", THOUSAND, None),
        ("social_searches", "other", THOUSAND, None),
        ("storage_searches", "other", THOUSAND, None),
        ("code_executions", "other", THOUSAND, None),
        ("requests", "other", THOUSAND, None),
    )
    for name, side, per, parent in table:
        yield Meter(name, side, per, parent, frozenset((parent,) if parent else ()), frozenset())


METERS: Mapping[str, Meter] = {meter.name: meter for meter in (*_token_meters(), *_other_meters())}


def meter_named(name: str) -> Meter:
    """The meter called `name`; one outside the registry is on neither side and part of nothing."""
    known = METERS.get(name)
    return known or Meter(name, "other", MILLION, None, frozenset(), frozenset())


CORE_METERS = (
    "input_tokens",
    "output_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "cache_write_1h_tokens",
    "reasoning_tokens",
)
"""The meters every event carries; one that is not given counts zero."""

_CORE = frozenset(CORE_METERS)


def _disjoint_parts() -> Iterator[tuple[str, tuple[str, ...]]]:
    yield "cache_write_tokens", ("cache_write_5m_tokens", "cache_write_1h_tokens")
    yield "input_tokens", ("cache_read_tokens", "cache_write_tokens", "input_tool_tokens")
    yield "output_tokens", ("reasoning_tokens", "output_citation_tokens")
    yield "input_tokens", tuple(f"input_{modality}_tokens" for modality in MODALITIES)
    yield "output_tokens", tuple(f"output_{modality}_tokens" for modality in MODALITIES)


_DISJOINT_PARTS = tuple(_disjoint_parts())


def parts_larger_than_whole(counts: Mapping[str, Quantity]) -> tuple[str, str] | None:
    """The first part that counts more than its whole, as `(part, whole)`; None when all fit.

    Parts that cannot overlap are also added up; they are then named `a + b`. A whole that is
    neither a core meter nor given is unknown and cannot be exceeded.
    """
    read = counts.get("cache_read_tokens", 0)
    write = counts.get("cache_write_tokens", 0)
    long_write = counts.get("cache_write_1h_tokens", 0)
    core_fits = (
        long_write <= write
        and read + write <= counts.get("input_tokens", 0)
        and counts.get("reasoning_tokens", 0) <= counts.get("output_tokens", 0)
    )
    if core_fits and _CORE.issuperset(counts):
        return None
    return _larger_part(counts) or _larger_sum(counts)


def _larger_part(counts: Mapping[str, Quantity]) -> tuple[str, str] | None:
    for name, quantity in counts.items():
        meter = METERS.get(name)
        if meter is None or not quantity:
            continue
        for whole in sorted(meter.wholes, key=lambda item: (-len(METERS[item].traits), item)):
            if (whole in _CORE or whole in counts) and quantity > counts.get(whole, 0):
                return name, whole
    return None


def _larger_sum(counts: Mapping[str, Quantity]) -> tuple[str, str] | None:
    for whole, parts in _DISJOINT_PARTS:
        present = [part for part in parts if counts.get(part)]
        if sum(counts[part] for part in present) > counts.get(whole, 0):
            return " + ".join(present), whole
    return None
