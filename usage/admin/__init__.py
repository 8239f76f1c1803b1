"""Admin pages of the usage app, one module per topic."""

from usage.admin.events import UsageEventAdmin
from usage.admin.identity import (
    MembershipAdmin,
    OrganizationAdmin,
    ProjectAdmin,
    SubjectAdmin,
    TeamAdmin,
)
from usage.admin.keys import APIKeyAdmin
from usage.admin.rollups import (
    DailyRollupAdmin,
    MonthlyRollupAdmin,
    RunRollupAdmin,
    SessionRollupAdmin,
    UsageRollupAdmin,
)

__all__ = [
    "APIKeyAdmin",
    "DailyRollupAdmin",
    "MembershipAdmin",
    "MonthlyRollupAdmin",
    "OrganizationAdmin",
    "ProjectAdmin",
    "RunRollupAdmin",
    "SessionRollupAdmin",
    "SubjectAdmin",
    "TeamAdmin",
    "UsageEventAdmin",
    "UsageRollupAdmin",
]
