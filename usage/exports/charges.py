"""FOCUS charges as rows of a file."""

from usage.api.questions import FocusQuestion
from usage.exports.encoding import Table
from usage.focus import (
    COLUMNS,
    estimate_rows,
    focus_rows,
    freeze_closed_months,
    unpriced_events,
)
from usage.selectors.access import find_scope, report_zone
from usage.selectors.filters import ORGANIZATION
from usage.selectors.questions import UsageQuery
from usage.selectors.usage import query_usage


def keep_closed_months(question: FocusQuestion) -> None:
    """Keep what `open_focus` would keep as it begins to read, and hold its locks until its end."""
    scope = find_scope(question.viewer, question.organizations)
    freeze_closed_months([scoped.id for scoped in scope], question.start)


def open_focus(question: FocusQuestion) -> Table:
    """The charges of the days asked for."""
    rows = focus_rows(
        question.viewer, question.start, question.end, organizations=question.organizations
    )
    return Table(COLUMNS, rows)


def about_how_many_charges(question: FocusQuestion) -> int:
    """How many rows there will be, more or less."""
    return estimate_rows(
        question.viewer, question.start, question.end, organizations=question.organizations
    )


def events_without_charge(question: FocusQuestion) -> int:
    """How many events are left out because nobody knows their price."""
    return unpriced_events(
        question.viewer, question.start, question.end, organizations=question.organizations
    )


def events_behind(question: FocusQuestion) -> int:
    """How many events the charges are made of, about: all days as of one time zone."""
    slugs = question.organizations
    sums = UsageQuery(
        viewer=question.viewer,
        start=question.start,
        end=question.end,
        time_zone=report_zone(question.viewer, slugs),
        filters={} if slugs is None else {ORGANIZATION: slugs},
    )
    return query_usage(sums).totals.events
