"""Which models a reported provider and model name mean: aliases of the database, compiled."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from pricing.matching import MAX_NAME_LENGTH, Matcher, Rule, with_dashed_date
from pricing.models import ModelAlias, Provider, ProviderAlias

GATEWAY = "litellm"
"""A provider name that only tells that the model name begins with the real provider's."""


@dataclass(frozen=True, slots=True)
class _Models:
    """The models of one provider, those not (or not yet) in a catalogue apart."""

    manual: Matcher[int]
    listed: Matcher[int]


class ModelDirectory:
    """Finds models by reported names; reads a provider's aliases when first asked for them."""

    def __init__(self) -> None:
        """Read the providers and their aliases (one query each)."""
        providers = Provider.objects.order_by("position", "slug")
        self._fallbacks = {provider.slug: provider.fallbacks for provider in providers}
        self._ids = {provider.slug: provider.pk for provider in providers}
        self._models: dict[str, _Models] = {}
        rules: dict[str, list[Rule[str]]] = defaultdict(list)
        for alias in ProviderAlias.objects.select_related("provider").order_by("id"):
            vendor = alias.provider
            rules[alias.subject].append(Rule(vendor.position, alias.kind, alias.text, vendor.slug))
        self._by_name = Matcher(rules[ProviderAlias.Subject.PROVIDER])
        self._by_model = Matcher(rules[ProviderAlias.Subject.MODEL])

    def models(self, provider: str, model: str) -> tuple[tuple[int, ...], bool]:
        """Ids of the models that the names mean, best first, and whether a fallback sells them."""
        name = model.lower()
        if not name or len(name) > MAX_NAME_LENGTH or len(provider) > MAX_NAME_LENGTH:
            return (), False
        slug, name = self._without_gateway(provider.strip().lower(), name)
        found = self._find(slug, name) if slug else ((), False)
        if found[0] or "/" not in name:
            return found
        prefix, rest = name.split("/", 1)
        vendor = self.provider(prefix)
        named = bool(provider.strip()) and provider.strip().lower() != GATEWAY
        if vendor is None or (named and vendor != slug):
            return found
        return self._find(vendor, rest)

    def provider(self, name: str) -> str | None:
        """The slug of the provider that `name` (lower case) means."""
        return name if name in self._ids else self._by_name.find(name)

    def _without_gateway(self, provider: str, name: str) -> tuple[str | None, str]:
        if provider == GATEWAY and "/" in name:
            prefix, rest = name.split("/", 1)
            if vendor := self.provider(prefix):
                return vendor, rest
        if provider and provider != GATEWAY:
            return self.provider(provider), name
        return self._by_model.find(name), name

    def _find(self, slug: str, name: str) -> tuple[tuple[int, ...], bool]:
        for spelling in dict.fromkeys((name, with_dashed_date(name))):
            manual = self._of(slug).manual.find(spelling)
            own = self._of(slug).listed.find(spelling)
            resold = next(self._resold(slug, spelling), None) if own is None else None
            found = tuple(pk for pk in (manual, own, resold) if pk is not None)
            if found:
                return found, manual is None and own is None
        return (), False

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


def _load_models(provider_id: int) -> _Models:
    aliases = ModelAlias.objects.filter(model__provider=provider_id).order_by("id")
    rules = [
        Rule(position, kind, text, model_id)
        for position, kind, text, model_id in aliases.values_list(
            "model__position", "kind", "text", "model_id"
        )
    ]
    return _Models(
        manual=Matcher(rule for rule in rules if rule.position == 0),
        listed=Matcher(rule for rule in rules if rule.position > 0),
    )
