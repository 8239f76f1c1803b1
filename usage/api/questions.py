"""Questions as query parameters ask them; exports understand the same ones."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from usage.api.parameters import ParameterReader, default_start
from usage.selectors.access import Viewer, report_zone
from usage.selectors.event_filters import FACTS
from usage.selectors.events import EventQuery
from usage.selectors.filters import ORGANIZATION
from usage.selectors.questions import Granularity, UsageQuery


@dataclass(frozen=True, slots=True)
class FocusQuestion:
    """Which charges: `start` inclusive, `end` exclusive, days of each organization's zone;
    `organizations` by slug, None for all that are visible."""

    viewer: Viewer
    start: date
    end: date
    organizations: tuple[str, ...] | None


def read_usage_question(reader: ParameterReader, viewer: Viewer) -> UsageQuery:
    """What `GET /usage/` asks, but for `limit` and `cursor`; faults are left in `reader`.

    Without `to` a question ends with today, without `from` it starts 30 days earlier.
    """
    filters = reader.filters()
    zone = reader.zone(lambda: report_zone(viewer, filters.get(ORGANIZATION)))
    end = reader.bound("to") or datetime.now(ZoneInfo(zone)).date() + timedelta(days=1)
    return UsageQuery(
        viewer=viewer,
        start=reader.bound("from") or default_start(end),
        end=end,
        time_zone=zone,
        granularity=Granularity(reader.choice("granularity", list(Granularity), Granularity.TOTAL)),
        group_by=reader.names("group_by"),
        filters=filters,
        order_by=reader.one("order_by"),
        currency=reader.one("currency"),
    )


def read_event_question(reader: ParameterReader, viewer: Viewer) -> EventQuery:
    """What `GET /events/` asks, but for `limit` and `cursor`; faults are left in `reader`."""
    filters = reader.filters()
    return EventQuery(
        viewer=viewer,
        time_zone=reader.zone(lambda: report_zone(viewer, filters.get(ORGANIZATION))),
        start=reader.bound("from"),
        end=reader.bound("to"),
        filters=filters,
        facts=reader.several(FACTS),
    )


def read_focus_question(reader: ParameterReader, viewer: Viewer) -> FocusQuestion:
    """What `GET /exports/focus/` asks; faults are left in `reader`.

    Without `to` it ends with today, without `from` it starts 30 days earlier.
    """
    organizations = reader.many(ORGANIZATION)
    zone = ZoneInfo(report_zone(viewer, organizations or None))
    end = reader.day("to") or datetime.now(zone).date() + timedelta(days=1)
    start = reader.day("from") or end - timedelta(days=30)
    if start >= end:
        reader.fault("to", "empty_range", "`to` must come after `from`.")
    return FocusQuestion(viewer, start, end, organizations or None)
