"""Publishing prices and names: versions are appended, what they replace ends, all is recorded."""

from pricing.publishing.items import PriceError, PriceFault, PriceItem
from pricing.publishing.names import (
    add_alias,
    check_card_name,
    contracted_card,
    ensure_model,
    remove_alias,
    set_reported_cost_counts,
)
from pricing.publishing.planning import PlannedVersion, PricePlan, plan_prices
from pricing.publishing.setting import set_prices
from pricing.publishing.timelines import MeterDiff
from pricing.publishing.versions import (
    BATCH,
    Period,
    Provenance,
    append_versions,
    end_versions,
    record_change,
    refresh_statistics,
)

__all__ = [
    "BATCH",
    "MeterDiff",
    "Period",
    "PlannedVersion",
    "PriceError",
    "PriceFault",
    "PriceItem",
    "PricePlan",
    "Provenance",
    "add_alias",
    "append_versions",
    "check_card_name",
    "contracted_card",
    "end_versions",
    "ensure_model",
    "plan_prices",
    "record_change",
    "refresh_statistics",
    "remove_alias",
    "set_prices",
    "set_reported_cost_counts",
]
