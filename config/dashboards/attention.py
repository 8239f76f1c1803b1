"""What is wrong now, or will be: budgets, prices, and the installation itself."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from django.urls import reverse

from budgets.links import budget_url
from budgets.selectors.outlook import forecast_state
from budgets.selectors.states import BudgetState, Level
from config.dashboards.reading import Reading
from config.dashboards.system_card import System
from usage.formats import day, duration, money, quantity
from usage.selectors.currency import ledger_currency
from usage.selectors.offers import offered_runs

FORECASTS = 3
"""So many budgets, those most used, are compared with what their period is expected to cost."""


@dataclass(frozen=True, slots=True)
class Concern:
    """One thing to look at: a badge of a level, what it is, where to look, and a figure.

    `url` is "" where there is nothing to open, or nothing that this user may.
    """

    level: Level
    badge: str
    text: str
    url: str
    detail: str = ""


def read_concerns(
    reading: Reading,
    states: Sequence[BudgetState],
    system: System | None,
    may: Callable[[str], bool],
) -> list[Concern]:
    """All concerns of what the viewer sees, those past a limit first.

    `states` are the budgets to look at, most used first; `system` is None for those who do not
    look after the installation; `may` tells whether its user has a permission.
    """
    found = [
        *_budgets(reading, states),
        *_prices(reading),
        *(_installation(system, may) if system else ()),
    ]
    return sorted(found, key=lambda concern: concern.level is not Level.OVER)


def _budgets(reading: Reading, states: Sequence[BudgetState]) -> Iterator[Concern]:
    forecasts = FORECASTS
    for state in states:
        url, name = budget_url(state.budget), str(state.budget)
        expected = None
        if state.level is not Level.OVER and state.limit is not None and forecasts:
            forecasts -= 1
            expected = _expected(reading, state)
        if expected and state.end and state.limit is not None and expected > state.limit:
            last = day(state.end - timedelta(days=1))
            text = f"{name}: {money(expected, ledger_currency())} of {state.limit_text} by {last}"
            yield Concern(Level.WARN, "forecast", text, url, state.percent_text)
        elif state.level is not Level.OK:
            yield Concern(state.level, state.level.word, name, url, state.percent_text)


def _expected(reading: Reading, state: BudgetState) -> Decimal | None:
    forecast = forecast_state(reading.viewer, state, reading.question.now)
    return None if forecast is None else forecast.expected


def _prices(reading: Reading) -> Iterator[Concern]:
    unpriced = reading.trend(reading.question.step).totals.unpriced_events
    if unpriced:
        yield Concern(
            Level.WARN,
            "unpriced",
            f"{_counted(unpriced, 'request')} without a price",
            reverse("admin:unpriced"),
        )
    offers = offered_runs(reading.viewer)
    if offers:
        listed = reverse("admin:usage_ratingrun_changelist")
        yield Concern(
            Level.WARN,
            "prices",
            f"{_counted(offers, 're-rating')} to look at, as prices have changed",
            f"{listed}?cause__exact=offered&status__exact=planned",
        )


def _installation(system: System, may: Callable[[str], bool]) -> Iterator[Concern]:
    if system.late:
        yield Concern(Level.WARN, "late", "Sums are behind", "", duration(system.lag_ms))
    if system.silent:
        yield Concern(Level.OVER, "silent", "The scheduler does not answer", "", _ago(system))
    if system.prices.failing:
        syncs = reverse("admin:pricing_pricesync_changelist") + "?status__exact=failed"
        yield Concern(
            Level.OVER,
            "failed",
            f"Prices of {', '.join(system.prices.failing)} could not be synced",
            syncs if may("pricing.view_pricesync") else "",
        )
    if system.prices.open_reviews:
        reviews = reverse("admin:pricing_pricereview_changelist")
        yield Concern(
            Level.WARN,
            "review",
            f"{_counted(system.prices.open_reviews, 'price')} to review",
            reviews if may("pricing.view_pricereview") else "",
        )


def _ago(system: System) -> str:
    return "never seen" if system.beat_ms is None else f"{duration(system.beat_ms)} ago"


def _counted(count: int, noun: str) -> str:
    return f"{quantity(count)} {noun}{'' if count == 1 else 's'}"
