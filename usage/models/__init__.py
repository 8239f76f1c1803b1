"""Tables of the usage app, one module per topic."""

from usage.models.events import CallKind, DirtyMark, EventKey, UsageEvent
from usage.models.identity import Membership, Organization, Project, Subject, Team
from usage.models.keys import APIKey
from usage.models.rollups import (
    DailyRollup,
    MonthlyRollup,
    RunRollup,
    SessionRollup,
    UsageRollup,
)

__all__ = [
    "APIKey",
    "CallKind",
    "DailyRollup",
    "DirtyMark",
    "EventKey",
    "Membership",
    "MonthlyRollup",
    "Organization",
    "Project",
    "RunRollup",
    "SessionRollup",
    "Subject",
    "Team",
    "UsageEvent",
    "UsageRollup",
]
