"""Tables of the pricing app."""

from pricing.models.providers import AIModel, MatchRule, ModelAlias, Provider, ProviderAlias
from pricing.models.rates import Price, PriceTier, PriceVersion, RateCard
from pricing.models.state import CatalogueSource, Revision

__all__ = [
    "AIModel",
    "CatalogueSource",
    "MatchRule",
    "ModelAlias",
    "Price",
    "PriceTier",
    "PriceVersion",
    "Provider",
    "ProviderAlias",
    "RateCard",
    "Revision",
]
