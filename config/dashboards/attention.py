"""What is wrong now, or will be: live alerts, prices, and the installation itself."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from django.urls import reverse
from django.utils import timezone

from budgets.links import alert_url
from budgets.models import Alert
from budgets.selectors.alert_facts import titles_of
from budgets.selectors.alerts import highest_of, live_alerts
from budgets.selectors.standings import Level
from config.dashboards.reading import Reading
from config.dashboards.system_card import System
from usage.formats import duration, length, quantity
from usage.selectors.offers import offered_runs

LISTED = 6
READ = 50
"""So many live alerts are looked at to find those that are listed: of several levels that a
budget, or each of its members, has reached only the highest is."""

_WORDS: dict[str, str] = {
    Alert.Kind.BLOCKED: "blocked",
    Alert.Kind.FORECAST: "forecast",
    Alert.Kind.ANOMALY: "unusual",
    Alert.Kind.STALE: "stopped",
    Alert.Kind.SYSTEM: "system",
}


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
    reading: Reading, system: System | None, may: Callable[[str], bool]
) -> list[Concern]:
    """All concerns of what the viewer sees, those past a limit first.

    `system` is None for those who do not look after the installation; `may` tells whether its
    user has a permission.
    """
    found = [
        *_alerts(reading),
        *_prices(reading),
        *(_installation(system, may) if system else ()),
    ]
    return sorted(found, key=lambda concern: concern.level is not Level.OVER)


def _alerts(reading: Reading) -> Iterator[Concern]:
    """The worst and newest; models without a price are counted for the days asked for instead."""
    filters, now = reading.question.filters, timezone.now()
    rows = live_alerts(reading.viewer).exclude(kind=Alert.Kind.UNPRICED)
    if organization := filters.get("organization"):
        rows = rows.filter(organization__slug=organization)
    if project := filters.get("project"):
        rows = rows.filter(budget__project__slug=project)
    first = [alert.pk for alert in highest_of(rows.select_related(None)[:READ])[:LISTED]]
    # What they are about is read for those listed: for all of them it takes long to plan.
    known = rows.order_by().in_bulk(first)
    listed = [known[pk] for pk in first if pk in known]
    for alert, text in zip(listed, titles_of(listed), strict=True):
        is_over = alert.severity == Alert.Severity.CRITICAL
        level = Level.OVER if is_over else Level.WARN
        is_seen_to = alert.state == Alert.State.ACKNOWLEDGED
        age = " ".join(length(now - alert.opened_at).split()[:2])
        word = _WORDS.get(alert.kind, level.word)
        yield Concern(level, word, text, alert_url(alert), "acknowledged" if is_seen_to else age)


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
    """What alerts cannot tell, as the scheduler makes them, and what waits for a decision."""
    if system.silent:
        yield Concern(Level.OVER, "silent", "The scheduler does not answer", "", _ago(system))
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
