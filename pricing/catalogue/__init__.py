"""The synced catalogues: genai-prices, as shipped or fetched, and OpenRouter's list of models."""

from pricing.catalogue.loading import GENAI_PRICES, load_catalogue
from pricing.catalogue.openrouter_loading import OPENROUTER
from pricing.catalogue.storing import CatalogueResult
from pricing.catalogue.sync import sync_prices

__all__ = ["GENAI_PRICES", "OPENROUTER", "CatalogueResult", "load_catalogue", "sync_prices"]
