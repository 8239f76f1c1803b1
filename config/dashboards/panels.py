"""The ranked tables of the overview: who and what the spend went to."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from config.dashboards.colours import OTHER, SERIES
from config.dashboards.links import events_url
from config.dashboards.reading import Reading
from config.dashboards.spend import NOT_GIVEN_NAME
from usage.formats import NOT_GIVEN, share
from usage.selectors.questions import UsageSums

ROWS = 6


@dataclass(frozen=True, slots=True)
class PanelRow:
    """One name with its sums; `percent` is its share of all spend, None without spend.

    `bar` is that share as a whole number for the drawing, `unpriced` counts events that the cost
    leaves out.
    """

    name: str
    url: str
    tokens: int
    cost: Decimal | None
    percent: Decimal | None
    bar: int
    colour: int
    unpriced: int


@dataclass(frozen=True, slots=True)
class Panel:
    """A ranked table; `rest` are the names that it does not show."""

    title: str
    rows: list[PanelRow]
    rest: PanelRow | None
    totals: UsageSums


@dataclass(frozen=True, slots=True)
class UnpricedModel:
    """A model nobody knows the price of, with a link to its events."""

    name: str
    events: int
    url: str


def read_panels(reading: Reading) -> list[Panel]:
    """Read the four tables of a question; within one organization agents take its place."""
    ids = reading.viewer.organization_ids
    single = "organization" in reading.question.filters or (ids is not None and len(ids) == 1)
    owner: tuple[str, ...] = () if single else ("organization",)
    return [
        _panel(reading, "Agent types", ("agent_type",))
        if single
        else _panel(reading, "Organizations", ("organization",)),
        _panel(reading, "Models", ("model",), coloured=True),
        _panel(reading, "Projects", (*owner, "project")),
        _panel(reading, "People", (*owner, "subject")),
    ]


def read_unpriced(reading: Reading) -> list[UnpricedModel]:
    """The models with most unpriced events, most first."""
    answer = reading.ranking("provider", "model", by="-unpriced_events", limit=5)
    return [
        UnpricedModel(
            " / ".join(name for name in row.group.values() if name),
            row.sums.unpriced_events,
            events_url(reading.question, unpriced="1", **_filters(row.group)),
        )
        for row in answer.rows
        if row.sums.unpriced_events
    ]


def _panel(
    reading: Reading, title: str, group_by: tuple[str, ...], *, coloured: bool = False
) -> Panel:
    answer = reading.ranking(*group_by)
    names = [_name(row.group) for row in answer.rows]
    colours = reading.colours(group_by[0], names[:SERIES]) if coloured else dict.fromkeys(names, 1)
    whole = answer.totals
    rows = [
        _row(
            name,
            reading.question.query_string(**_filters(row.group)),
            row.sums,
            whole,
            colours.get(name, OTHER),
        )
        for name, row in zip(names, answer.rows, strict=True)
    ]
    return Panel(title, rows, _rest([row.sums for row in answer.rows], whole), whole)


def _name(group: Mapping[str, str | None]) -> str:
    return " / ".join(value or NOT_GIVEN_NAME for value in group.values())


def _filters(group: Mapping[str, str | None]) -> dict[str, str]:
    return {name: value or NOT_GIVEN for name, value in group.items()}


def _row(name: str, url: str, sums: UsageSums, whole: UsageSums, colour: int) -> PanelRow:
    unknown = not sums.cost and sums.events == sums.unpriced_events
    part = share(sums.cost, whole.cost)
    return PanelRow(
        name,
        url,
        sums.total_tokens,
        None if unknown else sums.cost,
        part,
        int(part or 0),
        colour,
        sums.unpriced_events,
    )


def _rest(shown: list[UsageSums], whole: UsageSums) -> PanelRow | None:
    if sum(sums.events for sums in shown) == whole.events:
        return None
    cost = whole.cost - sum((sums.cost for sums in shown), Decimal(0))
    part = share(cost, whole.cost)
    return PanelRow(
        "other",
        "",
        whole.total_tokens - sum(sums.total_tokens for sums in shown),
        cost,
        part,
        int(part or 0),
        OTHER,
        whole.unpriced_events - sum(sums.unpriced_events for sums in shown),
    )
