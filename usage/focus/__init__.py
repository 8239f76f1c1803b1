"""FOCUS 1.2 columns plus 1.3's ServiceProviderName/HostProviderName: charges at meter grain.

A row is one organization's usage of one local day, project, team, model, meter, price, service
tier, billing scope and set of tags. EffectiveCost and BilledCost add up charges that were rounded
call by call, so that a file's total is the ledger's to the last digit; both are estimates of the
provider's bill. Billing periods are months of the organization's time zone.
"""

from usage.focus.columns import COLUMNS
from usage.focus.freezing import closed_and_not_frozen, freeze_closed_months
from usage.focus.rows import estimate_rows, focus_rows, unpriced_events

__all__ = [
    "COLUMNS",
    "closed_and_not_frozen",
    "estimate_rows",
    "focus_rows",
    "freeze_closed_months",
    "unpriced_events",
]
