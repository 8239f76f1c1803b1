"""One line about a session, for prompts and editors' status lines."""

from decimal import Decimal

from usage.formats import compact, money, percent, quantity
from usage.selectors.currency import ledger_currency
from usage.selectors.episodes import Episode
from usage.selectors.sums import known_cost

_DOT = " \N{MIDDLE DOT} "


def status_line(episode: Episode, budget_left: Decimal | None = None) -> str:
    """Cost, tokens, calls and model; `budget_left` adds what percentage of a budget remains.

    The cost of a session is an estimate, and tells how many calls it leaves out.
    """
    sums = episode.sums
    cost = known_cost(sums)
    parts = [money(cost, ledger_currency())]
    if sums.unpriced_events and cost is not None:
        parts[0] += f" + {sums.unpriced_events:,} unpriced"
    parts.append(f"{compact(sums.total_tokens)} tokens")
    parts.append(f"{quantity(sums.events)} {'call' if sums.events == 1 else 'calls'}")
    if episode.model:
        parts.append(episode.model)
    if budget_left is not None:
        parts.append(f"{percent(budget_left)} of budget left")
    return _DOT.join(parts)
