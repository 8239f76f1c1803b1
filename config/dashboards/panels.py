"""Ranked tables: who and what the spend went to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from config.dashboards.colours import OTHER, SERIES
from config.dashboards.links import (
    DIRECTORIES,
    PAGES,
    directory_url,
    events_url,
    group_events_url,
    page_url,
)
from config.dashboards.names import OTHER_NAME, value_name
from config.dashboards.reading import Reading
from usage.formats import NOT_GIVEN, bar, share
from usage.selectors.questions import UsageAnswer, UsageSums
from usage.selectors.sums import difference, known_cost, total_of

ROWS = 6


class Measure(StrEnum):
    """What a table ranks by, as UsageSums names it."""

    SPEND = "cost"
    REQUESTS = "events"
    TOKENS = "total_tokens"

    def of(self, sums: UsageSums) -> Decimal | int:
        """The figure of these sums that is ranked by."""
        found: Decimal | int = getattr(sums, self)
        return found


@dataclass(frozen=True, slots=True)
class PanelRow:
    """One name with its sums; `percent` is its share of the whole, None without any.

    `url` leads to its page, or to this view filtered for it; `events_url` to the events behind
    its figures, "" for the rest. `bar` is the share as a whole number for the drawing, `cost` is
    None where nobody knows any of it. `told` is what else is known of the name.
    """

    name: str
    url: str
    events_url: str
    sums: UsageSums
    cost: Decimal | None
    percent: Decimal | None
    bar: int
    colour: int
    told: str = ""


@dataclass(frozen=True, slots=True)
class Choice:
    """One of the ways to see a table; `url` is this page seen that way."""

    label: str
    url: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class Panel:
    """A table ranked by `measure`; `rest` are the names that it does not show.

    `choices` are the ways to see it, if there are several; `all_url` leads to all its names and
    `events_url` to the events behind the totals.
    """

    title: str
    rows: list[PanelRow]
    rest: PanelRow | None
    totals: UsageSums
    measure: Measure = Measure.SPEND
    choices: Sequence[Choice] = ()
    all_url: str = ""
    events_url: str = ""

    @property
    def cost(self) -> Decimal | None:
        """The spend of all names, None where nobody knows any of it."""
        return known_cost(self.totals)

    @property
    def counts_requests(self) -> bool:
        """Whether requests stand beside the spend, and not tokens."""
        return self.measure is Measure.REQUESTS


@dataclass(frozen=True, slots=True)
class UnpricedModel:
    """A model nobody knows the price of, with a link to its events."""

    name: str
    events: int
    url: str


def read_unpriced(reading: Reading) -> list[UnpricedModel]:
    """The models with most unpriced events, most first."""
    answer = reading.ranking("provider", "model", by="-unpriced_events", limit=5)
    return [
        UnpricedModel(
            " / ".join(name for name in row.group.values() if name),
            row.sums.unpriced_events,
            group_events_url(reading.question, row.group, unpriced="1"),
        )
        for row in answer.rows
        if row.sums.unpriced_events
    ]


def read_panel(
    reading: Reading, title: str, kind: str, rows: int = ROWS, *,
    measure: Measure = Measure.SPEND, choices: Sequence[Choice] = (),
) -> Panel:  # fmt: skip
    """The first `rows` values of the dimension `kind` by a measure, and what is left."""
    answer = reading.ranking(*PAGES.get(kind, (kind,)), by=f"-{measure}", limit=rows)
    keys = [row.group[kind] or "" for row in answer.rows]
    colours = reading.colours(kind, keys[:SERIES]) if kind in ("model", "provider") else {}
    whole = answer.totals
    plain = OTHER if colours else 1
    found = [
        panel_row(
            reading,
            kind,
            row.group,
            row.sums,
            whole=whole,
            colour=colours.get(key, plain),
            measure=measure,
        )
        for key, row in zip(keys, answer.rows, strict=True)
    ]
    rest = _rest(answer, measure)
    all_url = directory_url(reading.question, kind) if kind in DIRECTORIES else ""
    events = events_url(reading.question)
    return Panel(title, found, rest, whole, measure, choices, all_url, events)


def is_single(reading: Reading) -> bool:
    """Whether only one organization can be in question."""
    ids = reading.viewer.organization_ids
    return "organization" in reading.question.filters or (ids is not None and len(ids) == 1)


def panel_row(
    reading: Reading, kind: str, group: Mapping[str, str | None], sums: UsageSums, *,
    whole: UsageSums, colour: int = 1, measure: Measure = Measure.SPEND,
) -> PanelRow:  # fmt: skip
    """One row of a table whose rows are `kind`, as its share of `whole`."""
    question = reading.question
    value = group[kind]
    here = question.query_string(**{kind: value or NOT_GIVEN})
    url = page_url(question, kind, group) if kind in PAGES else ""
    part = _part(sums, whole, measure)
    return PanelRow(
        _name(reading, kind, group),
        url or here,
        group_events_url(question, group),
        sums,
        known_cost(sums),
        part,
        bar(part),
        colour,
    )


def _part(sums: UsageSums, whole: UsageSums, measure: Measure) -> Decimal | None:
    if measure is Measure.SPEND and known_cost(sums) is None:
        return None
    return share(measure.of(sums), measure.of(whole))


def _name(reading: Reading, kind: str, group: Mapping[str, str | None]) -> str:
    name = value_name(kind, group[kind])
    owner = group.get("organization") if kind != "organization" else None
    return f"{owner} / {name}" if owner and not is_single(reading) else name


def _rest(answer: UsageAnswer, measure: Measure) -> PanelRow | None:
    if answer.next_cursor is None:
        return None
    rest = difference(answer.totals, total_of(row.sums for row in answer.rows))
    part = _part(rest, answer.totals, measure)
    return PanelRow(OTHER_NAME, "", "", rest, known_cost(rest), part, bar(part), OTHER)
