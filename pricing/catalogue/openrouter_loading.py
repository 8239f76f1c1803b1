"""Loading OpenRouter's list of models: a card of its own that fills what the catalogue lacks."""

import hashlib
from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from pricing.catalogue.checking import check_size
from pricing.catalogue.listing import ListedModel
from pricing.catalogue.loading import is_loaded, present, remember, unchanged
from pricing.catalogue.names import VANISHED, store_model_aliases
from pricing.catalogue.storing import CatalogueResult, Offer, store_prices
from pricing.models import AIModel, Provider
from pricing.publishing import Provenance
from pricing.revision import begin_price_change
from pricing.selectors import named_card

OPENROUTER = "openrouter"
"""The source, its rate card and the provider whose models it lists."""


@transaction.atomic
def load_models(
    models: Sequence[ListedModel], version: str, fetched_at: datetime, now: datetime | None = None
) -> CatalogueResult:
    """Bring OpenRouter's card to `models`; a price holds from `now` (default: the present).

    The card was made after the catalogue's, so that the catalogue's prices precede it. A model
    that is no longer listed keeps its prices. Raises SourceFault when far fewer are listed than
    last time.
    """
    digest = hashlib.sha256(repr(models).encode()).hexdigest()
    if is_loaded(OPENROUTER, digest):
        result = unchanged(OPENROUTER, OPENROUTER)
    else:
        begin_price_change()
        card = named_card(OPENROUTER)
        check_size(card, OPENROUTER, len(models))
        model_ids, names = _store_names(models)
        offers = [
            Offer(model_ids[model.name], OPENROUTER, model.name, model.periods, from_now=True)
            for model in models
        ]
        source = Provenance(OPENROUTER, version, "catalogue sync", actor="prices sync")
        result = store_prices(card, offers, source, now or present(), names)
    remember(OPENROUTER, version, digest, fetched_at)
    return result


def _store_names(models: Sequence[ListedModel]) -> tuple[dict[str, int], int]:
    """Ids of the models by name, those missing made; and how many names were added."""
    provider, _ = Provider.objects.get_or_create(slug=OPENROUTER, defaults={"name": "OpenRouter"})
    stored = dict(AIModel.objects.filter(provider=provider).values_list("name", "id"))
    made = AIModel.objects.bulk_create(
        AIModel(provider=provider, name=model.name, position=VANISHED)
        for model in models
        if model.name not in stored
    )
    stored |= {row.name: row.pk for row in made}
    wanted = {(stored[model.name], kind, text) for model in models for kind, text in model.rules}
    listed = [stored[model.name] for model in models]
    return stored, len(made) + store_model_aliases(wanted, listed, OPENROUTER)
