"""Cache hit rates below those of comparable projects on the same model."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal

from pricing.compiled import quantize
from pricing.rating import rate
from usage.formats import percent
from usage.selectors.advice.values import (
    Advice,
    CacheUse,
    PriceOf,
    Spend,
    about,
    amount,
    is_worth_it,
    of_project,
)

CODE = "low_cache_rate"
GAP = Decimal("0.2")
"""How much lower than its best peer's a hit rate is when it is low."""
MIN_CALLS = 50
MIN_PROMPT = 1_024
"""Tokens of input: providers cache no shorter prompts."""
VOLUME = 4
"""A peer has at least one in so many of the tokens it is compared with."""
_STANDARD = "standard"


def low_cache_rates(
    uses: Iterable[CacheUse], peers: Iterable[CacheUse], price_of: PriceOf, spend: Spend
) -> Iterator[Advice]:
    """What `uses` would have saved with the hit rate of their best peer on the same model.

    Peers are other projects of the same organization, or where it has none, of any.
    """
    by_model: dict[tuple[str, str], list[CacheUse]] = defaultdict(list)
    for peer in peers:
        by_model[peer.provider, peer.model].append(peer)
    for use in uses:
        calls = use.counts.events
        if calls < MIN_CALLS or use.counts.input_tokens < MIN_PROMPT * calls:
            continue
        best = _best_peer(use, by_model[use.provider, use.model])
        if best is None or best.rate - use.rate < GAP:
            continue
        saving = _saving(use, best.rate, price_of)
        if is_worth_it(saving, use.organization, spend):
            yield _advice(use, best, saving)


def _best_peer(use: CacheUse, peers: Sequence[CacheUse]) -> CacheUse | None:
    owner = (use.organization, use.project)
    comparable = [
        peer
        for peer in peers
        if (peer.organization, peer.project) != owner
        and peer.counts.events >= MIN_CALLS
        and peer.counts.input_tokens * VOLUME >= use.counts.input_tokens
    ]
    own = [peer for peer in comparable if peer.organization == use.organization]
    return max(own or comparable, key=lambda peer: peer.rate, default=None)


def _saving(use: CacheUse, wanted: Decimal, price_of: PriceOf) -> Decimal:
    """What the average call costs less with `wanted` of its input from the cache, times calls."""
    price = price_of(use.organization, use.provider, use.model, _STANDARD)
    if price is None:
        return Decimal(0)
    counts = use.counts.average()
    whole, read = counts["input_tokens"], counts["cache_read_tokens"]
    fresh = whole - read - counts["cache_write_tokens"]
    moved = max(min(int(wanted * whole) - read, fresh), 0)
    now = rate(counts, price).cost
    then = rate({**counts, "cache_read_tokens": read + moved}, price).cost
    return (now - then) * use.counts.events


def _advice(use: CacheUse, best: CacheUse, saving: Decimal) -> Advice:
    where = of_project(best.project)
    if best.organization != use.organization:
        where += f" of {best.organization}"
    return Advice(
        code=CODE,
        title=f"Cache more of the prompts to {use.model}",
        detail=(
            f"Of the input sent to {use.model} ({of_project(use.project)}), {percent(_of(use))}"
            f" came from the cache; {where} reaches {percent(_of(best))} on the same model. With"
            f" that rate the average call would have moved as many fresh tokens to the cached"
            f" price: {amount(saving)} less in all."
        ),
        saving=quantize(saving),
        organization=use.organization,
        about=about(project=use.project, provider=use.provider, model=use.model),
    )


def _of(use: CacheUse) -> Decimal:
    return use.rate * 100
