"""Reads of prices: for the price book and for syncing, as lists, and along time."""

from pricing.selectors.comparing import change_text, is_far, percent_text, rise
from pricing.selectors.filters import PriceFilters
from pricing.selectors.history import HistoryRow, MeterStep, price_history
from pricing.selectors.listing import (
    ListedPrice,
    PricePage,
    PriceQuestion,
    list_prices,
)
from pricing.selectors.records import price_text
from pricing.selectors.versions import (
    CATALOGUE,
    MANUAL,
    StoredVersion,
    live_versions,
    named_card,
    stored_versions,
)

__all__ = [
    "CATALOGUE",
    "MANUAL",
    "HistoryRow",
    "ListedPrice",
    "MeterStep",
    "PriceFilters",
    "PricePage",
    "PriceQuestion",
    "StoredVersion",
    "change_text",
    "is_far",
    "list_prices",
    "live_versions",
    "named_card",
    "percent_text",
    "price_history",
    "price_text",
    "rise",
    "stored_versions",
]
