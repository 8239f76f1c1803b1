"""One call of the demonstration: believable tokens, caching, duration and outcome."""

from dataclasses import dataclass
from datetime import datetime
from math import exp
from random import Random
from typing import Any, Literal

from usage.demo.offers import Offer
from usage.ingest.values import EventValue

REASONING = frozenset({"openai", "google", "deepseek"})
ERROR_SHARE = 0.015
CANCELLED_SHARE = 0.008


@dataclass(frozen=True, slots=True)
class Shape:
    """Medians of a kind of call: prompt at the start, growth a step, answer; cached share."""

    prompt: int
    growth: int
    answer: int
    cached: float


AGENT = Shape(prompt=14_000, growth=2_600, answer=520, cached=0.9)
RUNAWAY = Shape(prompt=110_000, growth=40, answer=900, cached=0.55)
CARELESS = Shape(prompt=14_000, growth=2_600, answer=520, cached=0.5)
LABEL = Shape(prompt=3_600, growth=0, answer=14, cached=0.7)
CHAT = Shape(prompt=2_400, growth=900, answer=430, cached=0.55)
REVIEW = Shape(prompt=11_000, growth=1_500, answer=650, cached=0.6)
SUPPORT = Shape(prompt=1_500, growth=350, answer=160, cached=0.7)
BATCH = Shape(prompt=5_200, growth=0, answer=700, cached=0.0)
INDEX = Shape(prompt=1_900, growth=0, answer=0, cached=0.0)


def make_call(
    rng: Random, event_id: str, at: datetime, offer: Offer, shape: Shape, step: int,
    fields: dict[str, Any],
) -> EventValue:  # fmt: skip
    """The event of the `step`-th call (from 0) of a job; `fields` are what its calls share."""
    spread = exp(rng.gauss(0.0, 0.35))
    prompt = int((shape.prompt + shape.growth * step) * spread)
    answer = int(shape.answer * exp(rng.gauss(0.0, 0.6)))
    luck = rng.random()
    status: Literal["success", "cancelled"] = "success"
    if luck < ERROR_SHARE:
        # The provider refused or broke off: nothing was answered, so nothing is billed.
        return EventValue(
            event_id=event_id, occurred_at=at, provider=offer.provider, model=offer.model,
            status="error", duration_ms=int(200 * exp(rng.gauss(1.0, 0.8))), **fields,
        )  # fmt: skip
    if luck < ERROR_SHARE + CANCELLED_SHARE and answer:
        status, answer = "cancelled", answer // 4 + 1
    read = written = 0
    if shape.cached and prompt > 1_024 and offer.provider != "local":
        if step:
            read = int(prompt * min(0.97, shape.cached * (0.85 + 0.2 * rng.random())))
        if offer.provider == "anthropic":
            written = int((prompt - read) * (0.8 if shape is AGENT else 0.3))
    reasoning = 0
    if answer and offer.provider in REASONING and shape is not SUPPORT:
        reasoning = int(answer * 0.6 * rng.random())
    return EventValue(
        event_id=event_id, occurred_at=at, provider=offer.provider, model=offer.model,
        status=status, duration_ms=int((350 + 11 * answer) * exp(rng.gauss(0.0, 0.4))),
        input_tokens=prompt, output_tokens=answer, cache_read_tokens=read,
        cache_write_tokens=written, reasoning_tokens=reasoning, **fields,
    )  # fmt: skip
