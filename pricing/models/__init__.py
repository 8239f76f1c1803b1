"""Tables of the pricing app."""

from pricing.models.changes import PriceChange
from pricing.models.exchange import ExchangeRate
from pricing.models.providers import AIModel, MatchRule, ModelAlias, Provider, ProviderAlias
from pricing.models.rates import Price, PriceTier, PriceVersion, RateCard
from pricing.models.state import CatalogueSource, Revision
from pricing.models.syncing import PriceReview, PriceSync

__all__ = [
    "AIModel",
    "CatalogueSource",
    "ExchangeRate",
    "MatchRule",
    "ModelAlias",
    "Price",
    "PriceChange",
    "PriceReview",
    "PriceSync",
    "PriceTier",
    "PriceVersion",
    "Provider",
    "ProviderAlias",
    "RateCard",
    "Revision",
]
