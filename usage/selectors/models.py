"""A model as calls name it: whether anybody used it, what answered, and what it costs."""

from dataclasses import dataclass
from datetime import datetime

from pricing.directory import CONTRACT_NAME
from pricing.models import AIModel
from pricing.price_book import current_book
from pricing.selectors import HistoryRow, price_history
from usage.models import MonthlyRollup, Organization
from usage.selectors.access import Viewer
from usage.selectors.overview import visible
from usage.selectors.rate_cards import visible_cards, visible_models

MAX_NAMES = 30


@dataclass(frozen=True, slots=True)
class ModelPrices:
    """What is known of a model's prices, as far as a viewer may see them.

    `model` is the one whose prices hold for the names asked about, None where nobody knows any.
    `current` is the version in force, None without a price; `history` all of them, newest start
    first. `names` are what else calls may report to be priced by it.
    """

    model: AIModel | None
    current: HistoryRow | None
    history: list[HistoryRow]
    names: list[str]


def answered_as(viewer: Viewer, provider: str, model: str) -> list[str] | None:
    """What models answered those who asked for this one ("" = not given), by name.

    None where nobody asked for it in the organizations that a viewer may see.
    """
    asked = MonthlyRollup.objects.filter(kind__provider=provider, kind__model=model)
    kinds = visible(asked, viewer).order_by("kind__response_model")
    names = kinds.values_list("kind__response_model", flat=True).distinct()
    return list(names[:MAX_NAMES]) or None


def find_prices(
    viewer: Viewer, provider: str, model: str, organization: str | None, now: datetime
) -> ModelPrices:
    """The prices of calls that name this provider and model, at `now` and along time.

    Those in force are the ones of `organization` (a slug), or of the only one that the viewer
    sees, where it has a contract, else those of everybody.
    """
    card = _card_of(viewer, organization)
    price = current_book().find(provider, model, now, rate_card_id=card)
    names = (provider, model) if price is None else (price.provider, price.model)
    found = (
        visible_models(AIModel.objects.filter(provider__slug=names[0], name=names[1]), viewer)
        .select_related("provider")
        .first()
    )
    if found is None:
        return ModelPrices(None, None, [], [])
    history = price_history(found, visible_cards(viewer), now)
    current = next((r for r in history if price and r.version.pk == price.price_version_id), None)
    aliases = found.aliases.exclude(origin=CONTRACT_NAME).order_by("kind", "text")[:MAX_NAMES]
    return ModelPrices(found, current, history, [_alias(a.kind, a.text) for a in aliases])


def _card_of(viewer: Viewer, organization: str | None) -> int | None:
    rows = visible(Organization.objects.all(), viewer, "pk")
    if organization is not None:
        rows = rows.filter(slug=organization)
    cards = list(rows.values_list("rate_card_id", flat=True)[:2])
    return cards[0] if len(cards) == 1 else None


def _alias(kind: str, text: str) -> str:
    return text if kind == "exact" else f"{kind} {text}"
