"""Admin pages of the usage app, one module per topic."""

from usage.admin.bill_lines import BillLineAdmin
from usage.admin.bills import BillSourceAdmin
from usage.admin.closed_months import ClosedMonthAdmin
from usage.admin.cost_centres import CostCentreAdmin
from usage.admin.events import UsageEventAdmin
from usage.admin.exports import ExportAdmin
from usage.admin.identity import (
    MembershipAdmin,
    OrganizationAdmin,
    ProjectAdmin,
    SubjectAdmin,
    TeamAdmin,
)
from usage.admin.keys import APIKeyAdmin
from usage.admin.mapping import AttributeRuleAdmin
from usage.admin.prices import (
    VisibleModelAdmin,
    VisiblePriceVersionAdmin,
    VisibleRateCardAdmin,
)
from usage.admin.rating_runs import RatingRunAdmin
from usage.admin.reconciliations import ReconciliationAdmin
from usage.admin.rollups import (
    DailyRollupAdmin,
    MonthlyRollupAdmin,
    RunRollupAdmin,
    SessionRollupAdmin,
    UsageRollupAdmin,
)

__all__ = [
    "APIKeyAdmin",
    "AttributeRuleAdmin",
    "BillLineAdmin",
    "BillSourceAdmin",
    "ClosedMonthAdmin",
    "CostCentreAdmin",
    "DailyRollupAdmin",
    "ExportAdmin",
    "MembershipAdmin",
    "MonthlyRollupAdmin",
    "OrganizationAdmin",
    "ProjectAdmin",
    "RatingRunAdmin",
    "ReconciliationAdmin",
    "RunRollupAdmin",
    "SessionRollupAdmin",
    "SubjectAdmin",
    "TeamAdmin",
    "UsageEventAdmin",
    "UsageRollupAdmin",
    "VisibleModelAdmin",
    "VisiblePriceVersionAdmin",
    "VisibleRateCardAdmin",
]
