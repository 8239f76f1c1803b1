"""From what was asked for to the rows of the file."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date

from django.http import QueryDict
from rest_framework.exceptions import ValidationError

from usage.api.parameters import ParameterReader
from usage.api.questions import (
    FocusQuestion,
    read_event_question,
    read_focus_question,
    read_usage_question,
)
from usage.exports.charges import about_how_many_charges, open_focus
from usage.exports.encoding import Table
from usage.exports.events import open_events
from usage.exports.sums import open_usage
from usage.models import Export
from usage.selectors.access import Viewer, find_scope
from usage.selectors.events import EventQuery, list_events
from usage.selectors.filters import ORGANIZATION
from usage.selectors.periods import FIRST_YEAR, LAST_YEAR
from usage.selectors.questions import QuestionError, UsageQuery
from usage.selectors.usage import check_usage, query_usage

Parameters = Mapping[str, str | Sequence[str]]
Question = EventQuery | UsageQuery | FocusQuestion


def read_parameters(kind: str, parameters: Parameters, viewer: Viewer) -> Question:
    """The question that `parameters`, named as in a query string, ask.

    Raises QuestionError about the first that is wrong.
    """
    reader = ParameterReader(_as_query_string(parameters))
    question: Question
    match kind:
        case Export.Kind.EVENTS:
            question = read_event_question(reader, viewer)
        case Export.Kind.USAGE:
            question = read_usage_question(reader, viewer)
        case Export.Kind.FOCUS:
            question = read_focus_question(reader, viewer)
        case _:
            raise QuestionError("kind", "unknown", f"There is no export of {kind!r}.")
    try:
        reader.finish()
    except ValidationError as error:
        raise _first_fault(error) from error
    return question


def check(question: Question) -> None:
    """Raise QuestionError if a question has no answer."""
    match question:
        case EventQuery():
            list_events(replace(question, limit=1))
        case UsageQuery():
            check_usage(question)


def settle(parameters: Parameters, question: Question) -> dict[str, str | list[str]]:
    """The parameters as they stay, whenever they are read: with their bounds and time zone."""
    settled = {
        name: value if isinstance(value, str) else list(value) for name, value in parameters.items()
    }
    for name, bound in (("from", question.start), ("to", question.end)):
        if bound is not None:
            settled[name] = bound.isoformat()
    if not isinstance(question, FocusQuestion):
        settled["timezone"] = question.time_zone
    return settled


def reach(question: Question) -> Viewer:
    """The organizations that are in the answer; None in it means all there are."""
    slugs = (
        question.organizations
        if isinstance(question, FocusQuestion)
        else question.filters.get(ORGANIZATION)
    )
    if slugs is None:
        return question.viewer
    return Viewer(frozenset(scoped.id for scoped in find_scope(question.viewer, slugs)))


def open_table(question: Question) -> Table:
    """The rows that answer. Raises QuestionError at once where there is no answer."""
    match question:
        case EventQuery():
            return open_events(question)
        case UsageQuery():
            return open_usage(question)
        case FocusQuestion():
            return open_focus(question)


def about_how_many(question: Question) -> int | None:
    """How many rows there will be, more or less: events that do not count are left out.

    None where that is not known before the rows are there.
    """
    if isinstance(question, FocusQuestion):
        return about_how_many_charges(question)
    if isinstance(question, UsageQuery):
        return None
    sums = UsageQuery(
        viewer=question.viewer,
        start=question.start or date(FIRST_YEAR, 1, 1),
        end=question.end or date(LAST_YEAR, 12, 31),
        time_zone=question.time_zone,
        filters=question.filters,
    )
    return query_usage(sums).totals.events


def _as_query_string(parameters: Parameters) -> QueryDict:
    found = QueryDict(mutable=True)
    for name, value in parameters.items():
        found.setlist(name, [value] if isinstance(value, str) else list(value))
    return found


def _first_fault(error: ValidationError) -> QuestionError:
    faults = error.detail if isinstance(error.detail, dict) else {}
    for name, details in faults.items():
        for detail in details if isinstance(details, list) else [details]:
            return QuestionError(name, getattr(detail, "code", "invalid"), str(detail))
    return QuestionError("parameters", "invalid", str(error))
