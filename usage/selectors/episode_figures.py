"""What a session or run comes to per call and per minute, and how its sums are divided."""

from dataclasses import dataclass
from decimal import Decimal

from usage.formats import share
from usage.selectors.episodes import Episode

_MS_PER_MINUTE = 60_000


@dataclass(frozen=True, slots=True)
class EpisodeFigures:
    """Unrounded figures of one episode; shares are in percent.

    What there is nothing to divide by is None: figures per minute of a single call, per call
    where none is counted, shares of nothing. Costs are in the currency of the episode's sums.
    Unpriced calls take no part in the cost per call. Prompt and completion shares are of the
    whole cost, so that a charge that belongs to neither leaves them short of 100.
    """

    duration_ms: int
    tokens_per_call: Decimal | None
    cost_per_call: Decimal | None
    tokens_per_minute: Decimal | None
    cost_per_minute: Decimal | None
    input_share: Decimal | None
    output_share: Decimal | None
    prompt_cost_share: Decimal | None
    completion_cost_share: Decimal | None


def figures_of(episode: Episode) -> EpisodeFigures:
    """The figures of a session or run."""
    sums = episode.sums
    minutes = Decimal(episode.duration_ms) / _MS_PER_MINUTE
    return EpisodeFigures(
        duration_ms=episode.duration_ms,
        tokens_per_call=_per(sums.total_tokens, sums.events),
        cost_per_call=_per(sums.cost, sums.events - sums.unpriced_events),
        tokens_per_minute=_per(sums.total_tokens, minutes),
        cost_per_minute=_per(sums.cost, minutes),
        input_share=share(sums.input_tokens, sums.total_tokens),
        output_share=share(sums.output_tokens, sums.total_tokens),
        prompt_cost_share=share(sums.input_cost, sums.cost),
        completion_cost_share=share(sums.output_cost, sums.cost),
    )


def _per(amount: Decimal | int, whole: Decimal | int) -> Decimal | None:
    return Decimal(amount) / Decimal(whole) if whole else None
