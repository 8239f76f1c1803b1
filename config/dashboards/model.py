"""One model: what it costs, what it is used for, and by whom."""

from functools import partial
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone

from config.dashboards.cards import read_cards
from config.dashboards.economics import cache_saving, read_ratios
from config.dashboards.heat import read_heat
from config.dashboards.page import Page, draw, render_page
from config.dashboards.panels import is_single, read_panel
from config.dashboards.reading import Reading
from pricing.models.rates import BEGINNING
from usage.formats import money
from usage.selectors.access import viewer_of
from usage.selectors.models import ModelPrices, answered_as, find_prices

PRICING_RIGHT = "pricing.add_priceversion"


def model_page(
    request: HttpRequest, context: dict[str, Any], provider: str, model: str
) -> HttpResponse:
    """The page of a model that the signed-in user's organizations used, or that has a price.

    Any other is not found.
    """
    viewer = viewer_of(request.user)
    organization = request.GET.get("organization") or None
    names = (provider, model)
    answered = answered_as(viewer, *names)
    prices = find_prices(viewer, *names, organization, timezone.now())
    known = prices.model and (prices.model.provider.slug, prices.model.name)
    if answered is None and known != names:
        raise Http404
    page = Page(
        title=model,
        template="dashboards/model.html",
        read=partial(
            _read,
            prices=prices,
            answered=answered,
            may_price=request.user.has_perm(PRICING_RIGHT),
        ),
        crumbs=[("Models", reverse("admin:models"))],
        pinned={"provider": provider, "model": model},
        default_group="project",
    )
    return render_page(request, context, page)


def _read(
    reading: Reading, *, prices: ModelPrices, answered: list[str] | None, may_price: bool
) -> dict[str, Any]:
    question = reading.question
    spend = draw(reading, "spend")
    now = spend.plot.totals
    names = (
        ("Agent types", "agent_type") if is_single(reading) else ("Organizations", "organization")
    )
    return {
        "cards": read_cards(reading),
        "spend": spend,
        "tokens": draw(reading, "tokens"),
        "requests": draw(reading, "requests"),
        "csv_url": spend.csv_url,
        "ratios": read_ratios(now, reading.before(), question.currency),
        "heat": read_heat(reading),
        "saved": _saved(reading, prices),
        "panels": [
            read_panel(reading, "Projects", "project"),
            read_panel(reading, "People", "subject"),
            read_panel(reading, *names),
        ],
        "prices": prices,
        "history": prices.history,
        "beginning": BEGINNING,
        "answered": [name for name in answered or () if name],
        "never_used": answered is None,
        "may_price": may_price,
    }


def _saved(reading: Reading, prices: ModelPrices) -> str:
    """What the cache saved by the prices in force now, "" where that cannot be told."""
    current, currency = prices.current, reading.question.currency
    sums = reading.trend(reading.question.step).totals
    if current is None or current.version.currency != currency or not sums.cache_read_tokens:
        return ""
    saving = cache_saving(sums, [step.price for step in current.steps])
    return "" if saving is None else money(saving, currency)
