"""Admin pages of the pricing app; those of prices are registered where contracts are known."""

from pricing.admin.exchange import ExchangeRateAdmin
from pricing.admin.syncing import PriceReviewAdmin, PriceSyncAdmin

__all__ = [
    "ExchangeRateAdmin",
    "PriceReviewAdmin",
    "PriceSyncAdmin",
]
