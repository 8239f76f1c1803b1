"""The rows of a directory: every name of a dimension with what it used."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from budgets.selectors.scopes import usage_filters
from budgets.selectors.states import BudgetState, read_states
from config.dashboards.cards import moved, priced
from config.dashboards.colours import OTHER, SERIES
from config.dashboards.links import PAGES, group_events_url, page_url
from config.dashboards.names import also_called
from config.dashboards.panels import PanelRow, panel_row
from config.dashboards.reading import Reading, unless_unrated
from usage.formats import UNKNOWN, money, share
from usage.selectors.directories import Key, find_names, names_of, unused_names
from usage.selectors.questions import QuestionError, UsageAnswer, UsageQuery, UsageRow, UsageSums
from usage.selectors.sums import known_cost
from usage.selectors.usage import query_usage

ROWS = 50
UNUSED_ROWS = 100
BUDGETED = ("organization", "project")
"""What appears without usage as well, and with the budget that is used most."""
_CALL_PLACES = 4


@dataclass(frozen=True, slots=True)
class Figures:
    """What sums come to: percentages, None without a whole, and the cost of a priced request."""

    sums: UsageSums
    cost: Decimal | None
    failed: Decimal | None
    cached: Decimal | None
    per_request: str


@dataclass(frozen=True, slots=True)
class DirectoryRow:
    """One name: `told` is what else it is called, `change` its spend against the period before."""

    row: PanelRow
    told: str
    figures: Figures
    change: str
    errors_url: str
    budget: BudgetState | None


@dataclass(frozen=True, slots=True)
class UnusedRow:
    """A name without usage in the range."""

    name: str
    url: str
    told: str
    budget: BudgetState | None


@dataclass(frozen=True, slots=True)
class Directory:
    """A page of names with the totals of all of them, whichever page they are on.

    The last page ends with names that nobody used; `more_unused` counts those left out.
    """

    rows: list[DirectoryRow]
    unused: list[UnusedRow]
    more_unused: int
    totals: Figures
    next_cursor: str | None


def read_directory(
    reading: Reading, kind: str, *, order: str, text: str = "", cursor: str = ""
) -> Directory:
    """The names of `kind` that hold `text`, ROWS of them from `cursor` on.

    `order` is as in UsageQuery. A cursor of another question starts over.
    """
    only = narrowed(reading, kind, text)
    query = reading.query(
        group_by=PAGES[kind], only=only, order_by=order, limit=ROWS, cursor=cursor
    )
    answer = _answer(query)
    unused = _unused(reading, kind, answer, query, only)
    keys = [_key(row) for row in answer.rows]
    told = names_of(reading.viewer, kind, [key for key in keys if all(key)] + unused[:UNUSED_ROWS])
    budgets = _budgets(reading, kind)
    before = _before(reading, kind, answer.rows, only)
    colours = _colours(reading, kind)
    rows = []
    for key, row in zip(keys, answer.rows, strict=True):
        colour = colours.get(row.group[kind] or "", OTHER)
        shown = panel_row(reading, kind, row.group, row.sums, whole=answer.totals, colour=colour)
        rows.append(
            DirectoryRow(
                shown,
                also_called(key[-1], row.group.get("provider"), *told.get(key, ())),
                _figures(row.sums, answer.currency),
                UNKNOWN if before is None else _change(row.sums, before.get(key)),
                group_events_url(reading.question, row.group, status="error"),
                budgets.get(key),
            )
        )
    return Directory(
        rows,
        [
            UnusedRow(
                " / ".join(key),
                page_url(reading.question, kind, dict(zip(PAGES[kind], key, strict=True))),
                also_called(key[-1], *told.get(key, ())),
                budgets.get(key),
            )
            for key in unused[:UNUSED_ROWS]
        ],
        max(len(unused) - UNUSED_ROWS, 0),
        _figures(answer.totals, answer.currency),
        answer.next_cursor,
    )


def narrowed(reading: Reading, kind: str, text: str) -> dict[str, list[str]]:
    """The filters by which a question keeps only names of `kind` that hold `text`."""
    if not text:
        return {}
    asked = reading.question.allowed.get(kind)
    found = find_names(reading.viewer, kind, text)
    return {kind: [name for name in found if asked is None or name in asked]}


def lists_unused(reading: Reading, kind: str) -> bool:
    """Whether names without usage belong to the directory: no filter is about what they used."""
    return kind in BUDGETED and not set(reading.question.filters) - set(PAGES[kind])


def _answer(query: UsageQuery) -> UsageAnswer:
    try:
        return query_usage(query)
    except QuestionError as error:
        if error.field != "cursor":
            raise
        return query_usage(replace(query, cursor=""))


def _unused(
    reading: Reading, kind: str, answer: UsageAnswer, query: UsageQuery,
    only: Mapping[str, list[str]],
) -> list[Key]:  # fmt: skip
    if answer.next_cursor or not lists_unused(reading, kind):
        return []
    rows = answer.rows
    if query.cursor:
        rows = query_usage(replace(query, cursor="", limit=None)).rows
    allowed = {**reading.question.allowed, **only}
    return unused_names(reading.viewer, kind, {_key(row) for row in rows}, allowed)


def _before(
    reading: Reading, kind: str, rows: Sequence[UsageRow], only: Mapping[str, list[str]]
) -> dict[Key, UsageSums] | None:
    """The sums of the period before, None where its costs have no exchange rate."""
    names = {name: sorted({row.group[name] or "" for row in rows}) for name in PAGES[kind]}
    query = reading.query(
        bounds=reading.question.before, group_by=PAGES[kind], only={**only, **names}
    )
    answer = unless_unrated(lambda: query_usage(query))
    return None if answer is None else {_key(row): row.sums for row in answer.rows}


def _change(now: UsageSums, before: UsageSums | None) -> str:
    if not priced(now, *([before] if before else [])):
        return ""
    was = before.cost if before else Decimal(0)
    return moved(now.cost, was) if now.cost or was else ""


def _budgets(reading: Reading, kind: str) -> dict[Key, BudgetState]:
    if kind not in BUDGETED:
        return {}
    question = reading.question
    organization = question.filters.get("organization")
    states = read_states(reading.viewer, question.now, organization=organization)
    found: dict[Key, BudgetState] = {}
    for state in states:
        if state.whole == kind:
            parts = usage_filters(state.budget)
            found.setdefault(tuple(parts[name][0] for name in PAGES[kind]), state)
    return found


def _colours(reading: Reading, kind: str) -> dict[str, int]:
    """Those of the chart beside the table, where it shows the same names."""
    if reading.question.group != kind:
        return {}
    leaders = [row.group[kind] or "" for row in reading.ranking(kind).rows[:SERIES]]
    return reading.colours(kind, leaders)


def _figures(sums: UsageSums, currency: str) -> Figures:
    cost, priced = known_cost(sums), sums.events - sums.unpriced_events
    return Figures(
        sums,
        cost,
        share(sums.errors, sums.events),
        share(sums.cache_read_tokens, sums.input_tokens),
        money(sums.cost / priced, currency, _CALL_PLACES) if cost is not None and priced else "",
    )


def _key(row: UsageRow) -> Key:
    return tuple(value or "" for value in row.group.values())
