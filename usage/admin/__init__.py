"""Admin pages of the usage app, one module per topic."""

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
from usage.admin.prices import (
    VisibleModelAdmin,
    VisiblePriceVersionAdmin,
    VisibleRateCardAdmin,
)
from usage.admin.rating_runs import RatingRunAdmin
from usage.admin.rollups import (
    DailyRollupAdmin,
    MonthlyRollupAdmin,
    RunRollupAdmin,
    SessionRollupAdmin,
    UsageRollupAdmin,
)

__all__ = [
    "APIKeyAdmin",
    "ClosedMonthAdmin",
    "CostCentreAdmin",
    "DailyRollupAdmin",
    "ExportAdmin",
    "MembershipAdmin",
    "MonthlyRollupAdmin",
    "OrganizationAdmin",
    "ProjectAdmin",
    "RatingRunAdmin",
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
