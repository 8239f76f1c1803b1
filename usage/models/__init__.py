"""Tables of the usage app, one module per topic."""

from usage.models.cost_centres import CostCentre, CostCentreAssignment
from usage.models.events import CallKind, DirtyMark, EventKey, UsageEvent
from usage.models.exports import Export, ExportPart
from usage.models.focus import FrozenCharge
from usage.models.identity import Membership, Organization, Project, Subject, Team
from usage.models.keys import APIKey
from usage.models.rating import ClosedMonth, PriceWatch, RatingChange, RatingRun
from usage.models.rollups import (
    DailyRollup,
    MonthlyRollup,
    RunRollup,
    SessionRollup,
    UsageRollup,
)
from usage.models.sightings import CallName

__all__ = [
    "APIKey",
    "CallKind",
    "CallName",
    "ClosedMonth",
    "CostCentre",
    "CostCentreAssignment",
    "DailyRollup",
    "DirtyMark",
    "EventKey",
    "Export",
    "ExportPart",
    "FrozenCharge",
    "Membership",
    "MonthlyRollup",
    "Organization",
    "PriceWatch",
    "Project",
    "RatingChange",
    "RatingRun",
    "RunRollup",
    "SessionRollup",
    "Subject",
    "Team",
    "UsageEvent",
    "UsageRollup",
]
