"""Models, the names they are found by, providers' settings and contracted cards."""

import re
from collections.abc import Collection
from typing import NamedTuple

from django.db import transaction
from django.db.models.functions import Lower

from pricing.directory import CONTRACT_NAME, MANUAL_NAME, ModelDirectory
from pricing.matching import MAX_NAME_LENGTH
from pricing.models import AIModel, ModelAlias, PriceChange, Provider, RateCard
from pricing.models.rates import BEGINNING
from pricing.publishing.items import PriceError, PriceFault
from pricing.publishing.versions import Provenance, record_change
from pricing.revision import begin_price_change

Named = tuple[str, str]
"""A provider and a model as somebody calls them."""


class ModelName(NamedTuple):
    """The provider's slug and the model's name that are meant, with the model where it exists."""

    provider: str
    model: str
    row: AIModel | None


def known_models(names: Collection[Named], directory: ModelDirectory) -> dict[Named, ModelName]:
    """What each of `names` means: rating's idea of a provider, a model of exactly that name."""
    slugs = {name: _slug(name[0], directory) for name in names}
    wanted = {name[1].strip().lower() for name in names}
    rows = AIModel.objects.filter(provider__slug__in=set(slugs.values())).order_by("-id")
    found = {
        (row.provider.slug, row.name.lower()): row
        for row in rows.alias(lowered=Lower("name"))
        .filter(lowered__in=wanted)
        .select_related("provider")
    }
    meant = {}
    for name, slug in slugs.items():
        row = found.get((slug, name[1].strip().lower()))
        meant[name] = ModelName(slug, row.name if row else name[1].strip(), row)
    return meant


def _slug(provider: str, directory: ModelDirectory) -> str:
    given = provider.strip().lower()
    return directory.provider(given) or given


def ensure_models(names: Collection[Named], *, origin: str = MANUAL_NAME) -> None:
    """Make the models of these names, and their providers, where they are missing.

    A model that is not found by its own name gets it as an alias: whoever prices a model means
    calls that report its name. With the origin `CONTRACT_NAME` only calls that contracts price
    find it by that name.
    """
    directory = ModelDirectory()
    meant = set(known_models(names, directory).values())
    Provider.objects.bulk_create(
        (Provider(slug=slug, name=slug) for slug in sorted({name.provider for name in meant})),
        ignore_conflicts=True,
    )
    slugs = {name.provider for name in meant if name.row is None}
    vendors = {vendor.slug: vendor for vendor in Provider.objects.filter(slug__in=slugs)}
    missing = {(name.provider, name.model.lower()): name for name in meant if name.row is None}
    made = AIModel.objects.bulk_create(
        AIModel(provider=vendors[name.provider], name=name.model) for name in missing.values()
    )
    hidden = [name.row for name in meant if name.row and _is_hidden(name, directory)]
    _give_own_names((*made, *hidden), origin)


def _is_hidden(name: ModelName, directory: ModelDirectory) -> bool:
    found = directory.models(name.provider, name.model)
    return not found or (name.row is not None and found[0].model_id != name.row.pk)


def _give_own_names(models: Collection[AIModel], origin: str) -> None:
    exact = ModelAlias.Kind.EXACT
    if origin != CONTRACT_NAME:
        own = ModelAlias.objects.filter(model__in=models, kind=exact, origin=CONTRACT_NAME)
        own.update(origin=origin)
    ModelAlias.objects.bulk_create(
        (
            ModelAlias(model=model, kind=exact, text=model.name.lower(), origin=origin)
            for model in models
        ),
        ignore_conflicts=True,
    )


@transaction.atomic
def ensure_model(provider: str, model: str) -> AIModel:
    """The model of that name, made (with its provider) when missing."""
    name = (provider, model)
    ensure_models([name])
    row = known_models([name], ModelDirectory())[name].row
    if row is None:
        raise AIModel.DoesNotExist(f"{provider} {model}")
    return row


@transaction.atomic
def add_alias(model: AIModel, kind: str, text: str, source: Provenance) -> PriceChange:
    """Let calls that report a name like `text` be priced as `model`; it precedes catalogues.

    `kind` is one of `MatchRule.Kind`; names are compared in lower case. The change counts 0 when
    the model has the name already. Raises PriceError for a text that is empty, too long, no
    pattern or taken by another model of the provider.
    """
    wanted = text.strip() if kind == ModelAlias.Kind.PATTERN else text.strip().lower()
    _check_alias(kind, wanted)
    begin_price_change()
    rivals = ModelAlias.objects.filter(
        model__provider=model.provider_id, kind=kind, text=wanted, origin=MANUAL_NAME
    )
    taken = rivals.exclude(model=model).select_related("model").first()
    if taken is not None:
        raise PriceError(PriceFault("text", "taken", f"{wanted} means {taken.model} already."))
    known = ModelAlias.objects.filter(model=model, kind=kind, text=wanted)
    made = known.filter(origin=CONTRACT_NAME).update(origin=MANUAL_NAME)
    if not known.exists():
        ModelAlias.objects.create(model=model, kind=kind, text=wanted, origin=MANUAL_NAME)
        made = 1
    details = {"model": f"{model.provider}/{model}", "added": f"{kind} {wanted}"}
    holds_from = BEGINNING if made else None
    return record_change(PriceChange.Action.NAMES, source, made, holds_from, details)


def _check_alias(kind: str, text: str) -> None:
    if kind not in ModelAlias.Kind.values:
        message = f"{kind!r} is none of {', '.join(ModelAlias.Kind.values)}."
        raise PriceError(PriceFault("kind", "unknown", message))
    if not 0 < len(text) <= MAX_NAME_LENGTH or not text.isprintable():
        message = f"A name has 1 to {MAX_NAME_LENGTH} printable characters."
        raise PriceError(PriceFault("text", "invalid", message))
    if kind == ModelAlias.Kind.PATTERN:
        try:
            re.compile(text)
        except re.error as error:
            message = f"This is no regular expression: {error}."
            raise PriceError(PriceFault("text", "invalid", message)) from error


@transaction.atomic
def remove_alias(alias: ModelAlias, source: Provenance) -> PriceChange:
    """Take a name that somebody gave away again; those of catalogues stay.

    Raises PriceError for a catalogue's name and for the model's own.
    """
    model = alias.model
    if alias.kind == ModelAlias.Kind.EXACT and alias.text == model.name.lower():
        raise PriceError(PriceFault("text", "own_name", "A model keeps its own name."))
    if alias.origin != MANUAL_NAME:
        message = "This name comes from a catalogue, which would bring it back."
        raise PriceError(PriceFault("text", "listed", message))
    begin_price_change()
    alias.delete()
    details = {
        "model": f"{model.provider}/{model}",
        "removed": f"{alias.kind} {alias.text}",
    }
    return record_change(PriceChange.Action.NAMES, source, 1, BEGINNING, details)


@transaction.atomic
def set_reported_cost_counts(provider: Provider, *, value: bool, source: Provenance) -> PriceChange:
    """Say whether the cost that a provider's calls report is what they cost.

    Calls rated before stay as they are until somebody re-rates them.
    """
    begin_price_change()
    changed = (
        Provider.objects.filter(pk=provider.pk)
        .exclude(reported_cost_counts=value)
        .update(reported_cost_counts=value)
    )
    provider.reported_cost_counts = value
    details = {"provider": provider.slug, "reported_cost_counts": value}
    holds_from = BEGINNING if changed else None
    return record_change(PriceChange.Action.PROVIDER, source, changed, holds_from, details)


def check_card_name(name: str) -> str:
    """`name` without spaces around it. Raises PriceError for one that no rate card can have."""
    wanted = name.strip()
    if not 0 < len(wanted) <= 100 or not wanted.isprintable():
        message = "A rate card's name has 1 to 100 printable characters."
        raise PriceError(PriceFault("rate_card", "invalid", message))
    return wanted


def contracted_card(name: str) -> RateCard:
    """The contracted card called `name`, made when missing.

    Raises PriceError for a bad name and for one that a card of another kind has.
    """
    wanted = check_card_name(name)
    kind = RateCard.Kind.CONTRACTED
    card, _ = RateCard.objects.get_or_create(name=wanted, defaults={"kind": kind})
    if card.kind != kind:
        message = f"{wanted} is no contracted rate card."
        raise PriceError(PriceFault("rate_card", "not_contracted", message))
    return card
