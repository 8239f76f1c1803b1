"""Tables of the usage app, one module per topic."""

from usage.models.bills import BillDay, BillLine, BillProject, BillSource
from usage.models.cost_centres import CostCentre, CostCentreAssignment
from usage.models.events import CallKind, DirtyMark, EventKey, UsageEvent
from usage.models.exports import Export, ExportPart
from usage.models.facets import DailyFacet, HourlyFacet, MonthlyFacet
from usage.models.focus import FrozenCharge
from usage.models.identity import Membership, Organization, Project, Subject, Team
from usage.models.keys import APIKey
from usage.models.mapping import AttributeRule
from usage.models.rating import ClosedMonth, PriceWatch, RatingChange, RatingRun
from usage.models.reconciliations import Reconciliation, ReconciliationLine
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
    "AttributeRule",
    "BillDay",
    "BillLine",
    "BillProject",
    "BillSource",
    "CallKind",
    "CallName",
    "ClosedMonth",
    "CostCentre",
    "CostCentreAssignment",
    "DailyFacet",
    "DailyRollup",
    "DirtyMark",
    "EventKey",
    "Export",
    "ExportPart",
    "FrozenCharge",
    "HourlyFacet",
    "Membership",
    "MonthlyFacet",
    "MonthlyRollup",
    "Organization",
    "PriceWatch",
    "Project",
    "RatingChange",
    "RatingRun",
    "Reconciliation",
    "ReconciliationLine",
    "RunRollup",
    "SessionRollup",
    "Subject",
    "Team",
    "UsageEvent",
    "UsageRollup",
]
