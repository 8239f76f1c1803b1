"""Which models a reported provider and model name mean: aliases of the database, compiled."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from django.db.models import Exists, OuterRef, QuerySet

from pricing.matching import MAX_NAME_LENGTH, Matcher, Rule, with_dashed_date
from pricing.models import ModelAlias, Provider, ProviderAlias

GATEWAY = "litellm"
"""A provider name that only tells that the model name begins with the real provider's."""

MANUAL_NAME = "manual"
"""Origin of names that somebody gave: they precede those of catalogues."""

CONTRACT_NAME = "contract"
"""Origin of names that only contracts price: to calls priced by no contract they mean nothing."""


@dataclass(frozen=True, slots=True)
class _Models:
    """The models of one provider, found by names of people's making or else by catalogues'."""

    manual: Matcher[int]
    listed: Matcher[int]


class Meant(NamedTuple):
    """A model that names mean; `resold` when a fallback of the provider named sells it."""

    model_id: int
    resold: bool = False


class _Found(NamedTuple):
    """What names mean by people's word, and by catalogues'."""

    manual: tuple[Meant, ...] = ()
    listed: tuple[Meant, ...] = ()


class ModelDirectory:
    """Finds models by reported names; reads a provider's aliases when first asked for them."""

    def __init__(self) -> None:
        """Read the providers and their aliases (one query each)."""
        private = _known_by_contracts_only()
        providers = Provider.objects.exclude(pk__in=private).order_by("position", "slug")
        self._fallbacks = {provider.slug: provider.fallbacks for provider in providers}
        self._ids = {provider.slug: provider.pk for provider in providers}
        self._models: dict[str, _Models] = {}
        self._providers_by_own_name: dict[str, str] | None = None
        self._contracted: dict[str, dict[str, int]] | None = None
        rules: dict[str, list[Rule[str]]] = defaultdict(list)
        for alias in ProviderAlias.objects.select_related("provider").order_by("id"):
            vendor = alias.provider
            rules[alias.subject].append(Rule(vendor.position, alias.kind, alias.text, vendor.slug))
        self._by_name = Matcher(rules[ProviderAlias.Subject.PROVIDER])
        self._by_model = Matcher(rules[ProviderAlias.Subject.MODEL])

    def models(self, provider: str, model: str) -> tuple[Meant, ...]:
        """The models that the names mean to everybody, best first."""
        given, name = provider.strip().lower(), model.lower()
        if not name or len(name) > MAX_NAME_LENGTH or len(provider) > MAX_NAME_LENGTH:
            return ()
        slug, name = self._without_gateway(given, name)
        if slug is None and given in ("", GATEWAY):
            slug = self._own_names().get(name)
        found = self._find(slug, name) if slug else _Found()
        own = (*found.manual, *found.listed)
        if found.listed or "/" not in name:
            return own
        prefix, rest = name.split("/", 1)
        vendor = self.provider(prefix)
        if vendor is None or (given not in ("", GATEWAY) and vendor != slug):
            return own
        more = self._find(vendor, rest)
        return tuple(dict.fromkeys((*own, *more.manual, *more.listed)))

    def contracted(self, provider: str, model: str) -> tuple[Meant, ...]:
        """The models that the names mean to calls priced by a contract, besides `models`."""
        given = provider.strip().lower()
        slug, name = self._without_gateway(given, model.lower())
        if given not in ("", GATEWAY):
            slug = slug or given
        prefix, _, rest = name.partition("/")
        by_name = self._contract_names()
        found: list[int] = []
        for spelling in dict.fromkeys((name, with_dashed_date(name))):
            sellers = by_name.get(spelling, {})
            found += (pk for seller, pk in sellers.items() if slug in (None, seller))
        if slug in (None, prefix):
            found += (pk for seller, pk in by_name.get(rest, {}).items() if seller == prefix)
        return tuple(Meant(pk) for pk in dict.fromkeys(found))

    def provider(self, name: str) -> str | None:
        """The slug of the provider that `name` (lower case) means."""
        return name if name in self._ids else self._by_name.find(name)

    def sought_as(self, provider: str, model: str) -> tuple[str | None, str]:
        """The provider's slug, if the names tell it, and the model's name that is looked up."""
        return self._without_gateway(provider.strip().lower(), model.lower())

    def _own_names(self) -> dict[str, str]:
        # A model that only people name tells its provider where the call and the catalogues do not.
        if self._providers_by_own_name is None:
            exact = ModelAlias.objects.filter(origin=MANUAL_NAME, kind=ModelAlias.Kind.EXACT)
            self._providers_by_own_name = dict(
                exact.order_by("-id").values_list("text", "model__provider__slug")
            )
        return self._providers_by_own_name

    def _contract_names(self) -> dict[str, dict[str, int]]:
        if self._contracted is None:
            self._contracted = defaultdict(dict)
            rows = ModelAlias.objects.filter(origin=CONTRACT_NAME).order_by("id")
            for text, slug, pk in rows.values_list("text", "model__provider__slug", "model_id"):
                self._contracted[text][slug] = pk
        return self._contracted

    def _without_gateway(self, provider: str, name: str) -> tuple[str | None, str]:
        if provider == GATEWAY and "/" in name:
            prefix, rest = name.split("/", 1)
            if vendor := self.provider(prefix):
                return vendor, rest
        if provider and provider != GATEWAY:
            return self.provider(provider), name
        return self._by_model.find(name), name

    def _find(self, slug: str, name: str) -> _Found:
        manual: list[Meant] = []
        for spelling in dict.fromkeys((name, with_dashed_date(name))):
            named = self._of(slug).manual.find(spelling)
            if named is not None:
                manual.append(Meant(named))
            own = self._of(slug).listed.find(spelling)
            if own is not None:
                return _Found(tuple(manual), (Meant(own),))
            resold = next(self._resold(slug, spelling), None)
            if resold is not None:
                return _Found(tuple(manual), (Meant(resold, resold=True),))
        return _Found(tuple(manual))

    def _resold(self, slug: str, name: str) -> Iterator[int]:
        for other in self._fallbacks[slug]:
            if other in self._ids:
                found = self._of(other).listed.find(name)
                if found is not None:
                    yield found

    def _of(self, slug: str) -> _Models:
        known = self._models.get(slug)
        if known is None:
            known = self._models[slug] = _load_models(self._ids[slug])
        return known


def _known_by_contracts_only() -> QuerySet[Provider]:
    names = ModelAlias.objects.filter(model__provider=OuterRef("pk"))
    return Provider.objects.filter(
        Exists(names.filter(origin=CONTRACT_NAME)),
        ~Exists(names.exclude(origin=CONTRACT_NAME)),
        position=0,
        aliases=None,
    )


def _load_models(provider_id: int) -> _Models:
    manual: list[Rule[int]] = []
    listed: list[Rule[int]] = []
    aliases = ModelAlias.objects.filter(model__provider=provider_id).order_by("id")
    aliases = aliases.exclude(origin=CONTRACT_NAME)
    for position, kind, text, origin, model_id in aliases.values_list(
        "model__position", "kind", "text", "origin", "model_id"
    ):
        if origin == MANUAL_NAME or position == 0:
            manual.append(Rule(0, kind, text, model_id))
        else:
            listed.append(Rule(position, kind, text, model_id))
    return _Models(manual=Matcher(manual), listed=Matcher(listed))
