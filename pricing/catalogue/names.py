"""Storing the names of genai-prices: its providers, its models and their rules."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from pricing.catalogue.listing import ListedProvider
from pricing.directory import CONTRACT_NAME
from pricing.models import AIModel, MatchRule, ModelAlias, Provider, ProviderAlias
from pricing.publishing import BATCH

VANISHED = 1_000_000
"""Position of what the catalogue lacks: found by name only if nothing listed matches."""

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


class StoredNames(NamedTuple):
    """Ids of models by (provider's slug, name), and how many names were added or removed."""

    model_ids: dict[tuple[str, str], int]
    changed: int


def store_names(providers: Sequence[ListedProvider], origin: str) -> StoredNames:
    """Bring providers, models and rules to what is listed, rules of other origins aside.

    Call within a transaction, after `begin_price_change`. What is no longer listed stays, behind
    everything that is.
    """
    provider_ids = _store_providers(providers)
    changed = _store_provider_aliases(providers, provider_ids, origin)
    model_ids, added = _store_models(providers, provider_ids)
    wanted = {
        (model_ids[provider.slug, model.name], kind, text)
        for provider in providers
        for model in provider.models
        for kind, text in model.rules
    }
    changed += store_model_aliases(wanted, model_ids.values(), origin)
    return StoredNames(model_ids, changed + added)


def store_model_aliases(
    wanted: set[tuple[int, str, str]], model_ids: Iterable[int], origin: str
) -> int:
    """Make the rules of `origin` for these models exactly `wanted`; how many that changed.

    A rule that another origin has given already stays that origin's, unless only contracts did.
    """
    stored: dict[str, dict[tuple[int, str, str], int]] = {"own": {}, "other": {}}
    rows = ModelAlias.objects.filter(model__in=model_ids)
    adopted = [
        pk
        for pk, *rule in rows.filter(origin=CONTRACT_NAME).values_list(
            "id", "model_id", "kind", "text"
        )
        if tuple(rule) in wanted
    ]
    ModelAlias.objects.filter(pk__in=adopted).update(origin=origin)
    for pk, model_id, kind, text, given in rows.values_list(
        "id", "model_id", "kind", "text", "origin"
    ):
        stored["own" if given == origin else "other"][model_id, kind, text] = pk
    gone = [stored["own"][key] for key in stored["own"].keys() - wanted]
    new = sorted(wanted - stored["own"].keys() - stored["other"].keys())
    ModelAlias.objects.filter(pk__in=gone).delete()
    ModelAlias.objects.bulk_create(
        (
            ModelAlias(model_id=model_id, kind=kind, text=text, origin=origin)
            for model_id, kind, text in new
        ),
        batch_size=BATCH,
    )
    return len(gone) + len(new) + len(adopted)


def _store_providers(providers: Sequence[ListedProvider]) -> dict[str, int]:
    slugs = [provider.slug for provider in providers]
    Provider.objects.filter(position__gt=0).exclude(slug__in=slugs).update(position=VANISHED)
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
    return {row.slug: row.pk for row in rows}


def _store_provider_aliases(
    providers: Sequence[ListedProvider], ids: Mapping[str, int], origin: str
) -> int:
    wanted = {
        (ids[provider.slug], str(subject), kind, text): None
        for provider in providers
        for subject, rules in (
            (ProviderAlias.Subject.PROVIDER, provider.provider_rules),
            (ProviderAlias.Subject.MODEL, provider.model_rules),
        )
        for kind, text in rules
    }
    wanted |= {
        (ids[slug], str(ProviderAlias.Subject.PROVIDER), str(MatchRule.Kind.EXACT), name): None
        for name, slug in TELEMETRY_NAMES.items()
        if slug in ids
    }
    rows = ProviderAlias.objects.filter(provider__in=ids.values()).values_list(
        "provider_id", "subject", "kind", "text", "id", "origin"
    )
    stored = {row[:4]: row[4] for row in rows if row[5] == origin}
    taken = {row[:4] for row in rows}
    gone = [pk for key, pk in stored.items() if key not in wanted]
    new = [key for key in wanted if key not in taken]
    ProviderAlias.objects.filter(pk__in=gone).delete()
    ProviderAlias.objects.bulk_create(
        ProviderAlias(provider_id=pk, subject=subject, kind=kind, text=text, origin=origin)
        for pk, subject, kind, text in new
    )
    return len(gone) + len(new)


def _store_models(
    providers: Sequence[ListedProvider], provider_ids: Mapping[str, int]
) -> tuple[dict[tuple[str, str], int], int]:
    known = AIModel.objects.count()
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
    slugs = {pk: slug for slug, pk in provider_ids.items()}
    ids = {(slugs[row.provider_id], row.name): row.pk for row in rows}
    return ids, AIModel.objects.count() - known
