"""Loading the catalogue: one transaction, a handful of bulk statements, repeatable."""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

import genai_prices
from django.db import transaction
from django.utils import timezone

from pricing.catalogue.changes import changes
from pricing.catalogue.snapshot import ListedPeriod, ListedProvider, listed_providers
from pricing.models import AIModel, CatalogueSource, MatchRule, ModelAlias, Provider, ProviderAlias
from pricing.publishing import (
    BATCH,
    Period,
    Provenance,
    append_versions,
    end_versions,
    refresh_statistics,
)
from pricing.revision import begin_price_change
from pricing.selectors import CATALOGUE, StoredVersion, live_versions, named_card, stored_versions

SOURCE = "genai-prices"
VANISHED = 1_000_000
"""Position of models a newer catalogue lacks: found by name only if nothing listed matches."""

TELEMETRY_NAMES = {
    "azure.ai.openai": "azure",
    "azure.ai.inference": "azure",
    "az.ai.openai": "azure",
    "az.ai.inference": "azure",
    "azure_ai": "azure",
    "gcp.gen_ai": "google",
    "x_ai": "x-ai",
}
"""Provider names of OpenTelemetry and of gateways that the catalogue's own rules miss."""


@dataclass(frozen=True, slots=True)
class CatalogueResult:
    """How many price versions a load added, ended early and left as they were."""

    added: int
    closed: int
    unchanged: int


@transaction.atomic
def load_catalogue(now: datetime | None = None) -> CatalogueResult:
    """Bring the database to the bundled genai-prices snapshot; prices are in USD.

    `now` (default: the present) is when changed prices without a start date begin to hold.
    """
    providers = listed_providers()
    digest = hashlib.sha256(repr((providers, TELEMETRY_NAMES)).encode()).hexdigest()
    if CatalogueSource.objects.filter(name=SOURCE, digest=digest).exists():
        card = named_card(CATALOGUE)
        return CatalogueResult(0, 0, live_versions().filter(rate_card=card).count())
    begin_price_change()
    provider_ids = _store_providers(providers)
    model_ids = _store_models(providers, provider_ids)
    result = _store_prices(providers, provider_ids, model_ids, now or timezone.now())
    CatalogueSource.objects.update_or_create(
        name=SOURCE, defaults={"version": genai_prices.__version__, "digest": digest}
    )
    return result


def _store_providers(providers: Sequence[ListedProvider]) -> dict[str, int]:
    rows = Provider.objects.bulk_create(
        (
            Provider(
                slug=provider.slug,
                name=provider.name,
                position=position,
                fallbacks=list(provider.fallbacks),
            )
            for position, provider in enumerate(providers, 1)
        ),
        update_conflicts=True,
        unique_fields=["slug"],
        update_fields=["name", "position", "fallbacks"],
    )
    ids = {row.slug: row.pk for row in rows}
    wanted = [
        (ids[provider.slug], subject, kind, text)
        for provider in providers
        for subject, rules in (
            (ProviderAlias.Subject.PROVIDER, provider.provider_rules),
            (ProviderAlias.Subject.MODEL, provider.model_rules),
        )
        for kind, text in rules
    ]
    wanted += [
        (ids[slug], ProviderAlias.Subject.PROVIDER, MatchRule.Kind.EXACT, name)
        for name, slug in TELEMETRY_NAMES.items()
        if slug in ids
    ]
    ProviderAlias.objects.filter(origin=SOURCE).delete()
    ProviderAlias.objects.bulk_create(
        (
            ProviderAlias(provider_id=pk, subject=subject, kind=kind, text=text, origin=SOURCE)
            for pk, subject, kind, text in wanted
        ),
        ignore_conflicts=True,
    )
    return ids


def _store_models(
    providers: Sequence[ListedProvider], provider_ids: dict[str, int]
) -> dict[tuple[int, str], int]:
    AIModel.objects.filter(position__gt=0).update(position=VANISHED)
    rows = AIModel.objects.bulk_create(
        (
            AIModel(provider_id=provider_ids[provider.slug], name=model.name, position=position)
            for provider in providers
            for position, model in enumerate(provider.models, 1)
        ),
        batch_size=BATCH,
        update_conflicts=True,
        unique_fields=["provider", "name"],
        update_fields=["position"],
    )
    ids = {(row.provider_id, row.name): row.pk for row in rows}
    wanted = {
        (ids[provider_ids[provider.slug], model.name], kind, text)
        for provider in providers
        for model in provider.models
        for kind, text in model.rules
    }
    _store_model_aliases(wanted, ids.values())
    return ids


def _store_model_aliases(wanted: set[tuple[int, str, str]], model_ids: Iterable[int]) -> None:
    stored = {
        (model_id, kind, text): pk
        for pk, model_id, kind, text in ModelAlias.objects.filter(
            origin=SOURCE, model__in=model_ids
        ).values_list("id", "model_id", "kind", "text")
    }
    ModelAlias.objects.filter(pk__in=[stored[key] for key in stored.keys() - wanted]).delete()
    ModelAlias.objects.bulk_create(
        (
            ModelAlias(model_id=model_id, kind=kind, text=text, origin=SOURCE)
            for model_id, kind, text in sorted(wanted - stored.keys())
        ),
        batch_size=BATCH,
        ignore_conflicts=True,
    )


def _store_prices(
    providers: Sequence[ListedProvider],
    provider_ids: dict[str, int],
    model_ids: dict[tuple[int, str], int],
    now: datetime,
) -> CatalogueResult:
    card = named_card(CATALOGUE)
    stored = _by_tier(stored_versions(live_versions().filter(rate_card=card)))
    ends: dict[int, datetime] = {}
    additions: list[Period] = []
    for provider in providers:
        for model in provider.models:
            model_id = model_ids[provider_ids[provider.slug], model.name]
            listed = {
                tier: list(periods)
                for tier, periods in groupby(model.periods, key=lambda period: period.service_tier)
            }
            known = stored.pop(model_id, {})
            for tier in sorted(listed.keys() | known.keys()):
                change = changes(known.get(tier, []), listed.get(tier, []), now)
                ends |= change.ends
                additions += (_period(model_id, period) for period in change.additions)
    end_versions(ends)
    source = Provenance(SOURCE, genai_prices.__version__, "catalogue sync")
    append_versions(card, additions, source)
    refresh_statistics()
    live = live_versions().filter(rate_card=card).count()
    return CatalogueResult(len(additions), len(ends), live - len(additions))


def _by_tier(versions: Iterable[StoredVersion]) -> dict[int, dict[str, list[StoredVersion]]]:
    found: dict[int, dict[str, list[StoredVersion]]] = defaultdict(lambda: defaultdict(list))
    for version in versions:
        found[version.model_id][version.service_tier].append(version)
    return found


def _period(model_id: int, period: ListedPeriod) -> Period:
    return Period(
        model_id=model_id,
        service_tier=period.service_tier,
        utc_from=period.utc_from,
        utc_until=period.utc_until,
        effective_from=period.effective_from,
        effective_to=period.effective_to,
        prices=period.prices,
    )
