"""Models whose calls mostly have short outputs, where a cheaper one of the provider is in use."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from decimal import Decimal

from pricing.compiled import quantize
from pricing.rating import rate
from usage.formats import percent, quantity, share
from usage.selectors.advice.values import (
    Advice,
    ModelUse,
    PriceOf,
    Spend,
    about,
    amount,
    is_worth_it,
    of_project,
)

CODE = "cheaper_model"
SHORT_OUTPUT = 300
"""Tokens: longer outputs are work that a smaller model may do worse."""
MOSTLY = Decimal("0.6")
MIN_CALLS = 50
CHEAPER = Decimal("0.6")
"""What a cheaper model may cost of the cost now, at most, to be worth a change."""

_Market = dict[tuple[str, str, str], set[str]]


def cheaper_models(uses: Iterable[ModelUse], price_of: PriceOf, spend: Spend) -> Iterator[Advice]:
    """What calls with short outputs would have saved on the next cheaper model in use.

    Of the models that the organization used of the same provider for the same operation, the
    dearest that still costs at most 60 % is compared: the nearest step down.
    """
    uses = list(uses)
    market: _Market = defaultdict(set)
    for use in uses:
        market[use.organization, use.provider, use.operation].add(use.model)
    for use in uses:
        if use.short.events < MIN_CALLS or use.short.events < MOSTLY * use.calls:
            continue
        others = market[use.organization, use.provider, use.operation] - {use.model}
        found = _next_cheaper(use, others, price_of)
        if found is None:
            continue
        model, cost = found
        if is_worth_it(use.short.cost - cost, use.organization, spend):
            yield _advice(use, model, use.short.cost - cost)


def _next_cheaper(
    use: ModelUse, models: Iterable[str], price_of: PriceOf
) -> tuple[str, Decimal] | None:
    """The dearest of `models` that is cheaper enough, with what the short calls cost by it."""
    counts = use.short.average()
    costs = []
    for model in sorted(models):
        price = price_of(use.organization, use.provider, model, use.service_tier)
        if price is not None:
            cost = rate(counts, price).cost * use.short.events
            if 0 < cost <= use.short.cost * CHEAPER:
                costs.append((cost, model))
    if not costs:
        return None
    cost, model = max(costs)
    return model, cost


def _advice(use: ModelUse, cheaper: str, saving: Decimal) -> Advice:
    short = use.short
    return Advice(
        code=CODE,
        title=f"Try {cheaper} in place of {use.model} for short answers",
        detail=(
            f"{quantity(short.events)} of {quantity(use.calls)} calls"
            f" ({percent(share(short.events, use.calls))}) to {use.model}"
            f" ({of_project(use.project)}) had outputs of {SHORT_OUTPUT} tokens or fewer and cost"
            f" {amount(short.cost)}. By the price of {cheaper}, which is in use already, as many"
            f" average calls cost {amount(short.cost - saving)}. Lengths are averages of a quarter"
            f" of an hour of one session; whether its answers are good enough only a trial tells."
        ),
        saving=quantize(saving),
        organization=use.organization,
        about=about(project=use.project, provider=use.provider, model=use.model),
    )
