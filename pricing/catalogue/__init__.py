"""The synced catalogue: list prices that ship with the genai-prices package."""

from pricing.catalogue.loading import CatalogueResult, load_catalogue

__all__ = ["CatalogueResult", "load_catalogue"]
