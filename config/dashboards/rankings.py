"""Tables of a page that can be seen in more than one way."""

from dataclasses import replace

from config.dashboards.links import PAGES
from config.dashboards.names import also_called
from config.dashboards.panels import ROWS, Choice, Measure, Panel, read_panel
from config.dashboards.reading import Reading
from usage.models import CallKind
from usage.selectors.directories import names_of

SUBJECT = "subject"
MODELS_BY = "models"
"""The parameter that says what models are ranked by; a page that shows them keeps it."""
_MEASURES = {"": Measure.SPEND, "requests": Measure.REQUESTS, "tokens": Measure.TOKENS}
_PAYERS = (
    ("all", None),
    ("organization pays", CallKind.BillingScope.ORG.value),
    ("own key", CallKind.BillingScope.USER.value),
)


def read_models(reading: Reading, rows: int = ROWS) -> Panel:
    """The models most used, by spend, by requests or by tokens, as the address asks."""
    question = reading.question
    asked = question.kept.get(MODELS_BY, "")
    measure = _MEASURES.get(asked, Measure.SPEND)
    choices = [
        Choice(name or "spend", question.query_string(**{MODELS_BY: name}), found is measure)
        for name, found in _MEASURES.items()
    ]
    return read_panel(reading, "Models", "model", rows, measure=measure, choices=choices)


def read_people(reading: Reading, rows: int = ROWS) -> Panel:
    """Who spends most, with the name or address of each where somebody gave it.

    A switch leads from all calls to those that one side pays for and back.
    """
    question = reading.question
    payer = question.filters.get("billing_scope")
    choices = [
        Choice(label, question.query_string(billing_scope=value), value == payer)
        for label, value in _PAYERS
    ]
    panel = read_panel(reading, "People", SUBJECT, rows, choices=choices)
    people = [
        (row.group["organization"] or "", row.group[SUBJECT] or "")
        for row in reading.ranking(*PAGES[SUBJECT], limit=rows).rows
    ]
    known = names_of(reading.viewer, SUBJECT, [person for person in people if all(person)])
    named = [
        replace(row, told=_told(person[-1], *known.get(person, ("", ""))))
        for person, row in zip(people, panel.rows, strict=True)
    ]
    return replace(panel, rows=named)


def _told(key: str, email: str, display_name: str) -> str:
    return also_called(key, display_name or email)
