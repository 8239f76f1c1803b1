"""What the page of a reconciliation shows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, cast
from urllib.parse import urlencode

from django.urls import reverse

from usage.formats import bar, dated, day, money, percent, share, signed_money
from usage.ingest.partitions import next_month
from usage.models import CallKind, Reconciliation, ReconciliationLine
from usage.models.reconciliations import CLASSES
from usage.reconciling.describing import DESCRIPTIONS, Described
from usage.reconciling.working import allowance
from usage.selectors.reconciliations import (
    Grouping,
    LineGroup,
    groups_of,
    has_changed,
    lines_of,
    other_months,
    same_days,
)

_State = Reconciliation.State
STATE_BADGES = {_State.OPEN: "", _State.WITHIN: "k", _State.LOOK: "o", _State.SIGNED: "k"}
"""How the badge of each state is drawn: plain, in order, out of tolerance."""
ROWS = 100
LINE = "line"
_GROUPINGS = (("model", "Models"), ("project", "Projects"), ("day", "Days"), (LINE, "Lines"))
_NO_MODEL = "no model"
_NO_PROJECT = "not matched to a project"


@dataclass(frozen=True, slots=True)
class View:
    """What the page's URL asks for: a grouping, or the lines of one model, project or day."""

    row: Reconciliation
    by: str
    only: Mapping[str, str]

    @property
    def days(self) -> str:
        """The days compared, by the name of the month where they are a whole one."""
        first, last = self.row.first_day, self.row.last_day
        if first.day == 1 and last == next_month(first) - timedelta(days=1):
            return f"{first:%B %Y}"
        return dated(first, last)

    def url(self, by: str, **only: str) -> str:
        """The same page by another grouping, or narrowed down."""
        return f"?{urlencode({'by': by, **only})}"

    def events_url(self, models: Sequence[str], project: str, on: date | None) -> str:
        """The events behind a recorded amount; empty means any, and so do several models."""
        parts = {
            "from": (on or self.row.first_day).isoformat(),
            "through": (on or self.row.last_day).isoformat(),
            "tz": "UTC",
            "organization": self.row.organization.slug,
            "project": project,
            "model": models[0] if len(models) == 1 else "",
            "billing_scope": CallKind.BillingScope.ORG.value,
        }
        chosen = {name: value for name, value in parts.items() if value}
        return f"{reverse('admin:usage_usageevent_changelist')}?{urlencode(chosen)}"


@dataclass(frozen=True, slots=True)
class ClassRow:
    """A class of the gap, with the length of its bar against the largest one."""

    name: str
    told: Described
    amount: Decimal
    length: int
    is_far: bool


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the table: its name, both sides, and why they differ.

    `url` leads to the lines behind it, "" for a line; `events_url` to what was recorded.
    """

    name: str
    url: str
    note: str
    billed: Decimal
    recorded: Decimal
    events_url: str
    gap: Decimal
    reasons: Sequence[str]
    length: int


def read_view(row: Reconciliation, parameters: Mapping[str, str]) -> View:
    """The view that a query string asks for; what is not understood is as if not given."""
    by = parameters.get("by", "")
    names = [name for name, _ in _GROUPINGS]
    only = {name: parameters[name] for name in ("model", "project", "day") if name in parameters}
    if "day" in only and not _as_day(only["day"]):
        del only["day"]
    only = {name: value for name, value in only.items() if "\0" not in value}
    return View(row, by if by in names else names[0], only if by == LINE else {})


def figures_of(row: Reconciliation, view: View) -> dict[str, Any]:
    """What the template is given."""
    rows, more = _lines(view) if view.by == LINE else _groups(view)
    return {
        "row": row,
        "view": view,
        "cards": _cards(row),
        "classes": _classes(row),
        "rows": rows,
        "more": more,
        "groupings": [(label, view.url(name), name == view.by) for name, label in _GROUPINGS],
        "only": ", ".join(_shown(name, value) for name, value in view.only.items()),
        "months": [
            (read_view(other, {}).days, other.pk, other.pk == row.pk) for other in other_months(row)
        ],
        "others": same_days(row),
        "badge": STATE_BADGES[_State(row.state)],
        "is_signed": row.state == _State.SIGNED,
        "is_open": row.state == _State.OPEN,
        "needs_note": row.state == _State.LOOK,
        "has_changed": row.state == _State.SIGNED and has_changed(row),
    }


def _cards(row: Reconciliation) -> list[dict[str, object]]:
    allowed = allowance(row)
    days = (row.last_day - row.first_day).days + 1
    far = [name for name in CLASSES if abs(getattr(row, name)) > allowed]
    names = ", ".join(DESCRIPTIONS[name].label.lower() for name in far)
    within = not far and abs(row.gap) <= allowed
    limit = f"{money(allowed, row.currency)} allowed"
    return [
        _card("Billed", money(row.billed, row.currency), row.billed,
              f"{row.days_compared} of {days} days compared"),
        _card("Recorded", money(row.recorded, row.currency), row.recorded,
              "paid by the organization") | {"unpriced": row.unpriced_events},
        _card("Gap", signed_money(row.gap, row.currency), row.gap,
              f"{percent(share(row.gap, row.billed), 1)} of the bill"),
        _card("Tolerance", "Within" if within else "Exceeded", allowed,
              limit if within or not names else f"{limit}; over it: {names}"),
    ]  # fmt: skip


def _card(label: str, value: str, exact: Decimal, context: str) -> dict[str, object]:
    return {"label": label, "value": value, "exact": exact, "context": context}


def _classes(row: Reconciliation) -> list[ClassRow]:
    amounts = {name: getattr(row, name) for name in CLASSES}
    largest, allowed = max(abs(amount) for amount in amounts.values()), allowance(row)
    return [
        ClassRow(
            name,
            DESCRIPTIONS[name],
            amount,
            bar(share(abs(amount), largest)),
            abs(amount) > allowed,
        )
        for name, amount in amounts.items()
    ]


def _groups(view: View) -> tuple[list[Row], int]:
    by = cast("Grouping", view.by)
    groups = groups_of(view.row, by)
    largest = max((abs(group.gap) for group in groups), default=Decimal(0))
    return [_group(view, by, group, largest) for group in groups[:ROWS]], len(groups[ROWS:])


def _group(view: View, by: str, group: LineGroup, largest: Decimal) -> Row:
    value = group.name.isoformat() if isinstance(group.name, date) else group.name or ""
    note = "recorded as " + ", ".join(group.recorded_models) if group.recorded_models else ""
    events_url = view.events_url(
        group.recorded_models,
        value if by == "project" else "",
        group.name if isinstance(group.name, date) else None,
    )
    return Row(
        _shown(by, value), view.url(LINE, **{by: value}), note, group.billed, group.recorded,
        events_url, group.gap, _reasons(view, group), bar(share(abs(group.gap), largest)),
    )  # fmt: skip


def _lines(view: View) -> tuple[list[Row], int]:
    only = view.only
    found = lines_of(
        view.row,
        model=only.get("model"),
        project=only.get("project"),
        day=_as_day(only.get("day", "")),
    )
    lines = list(found[:ROWS])
    largest = max((abs(line.gap) for line in lines), default=Decimal(0))
    return [_line(view, line, largest) for line in lines], found.count() - len(lines)


def _line(view: View, line: ReconciliationLine, largest: Decimal) -> Row:
    project = line.project.slug if line.project else ""
    names = [day(line.day), _shown("model", line.model), *([project] if project else [])]
    events_url = view.events_url(line.recorded_models, project, line.day)
    return Row(
        " · ".join(names), "", _tokens(line) or line.description, line.billed, line.recorded,
        events_url, line.gap, _reasons(view, line), bar(share(abs(line.gap), largest)),
    )  # fmt: skip


def _tokens(line: ReconciliationLine) -> str:
    """The parts of which the sides have different counts."""
    billed, recorded = line.billed_tokens, line.recorded_tokens
    return "; ".join(
        f"{part.removesuffix('_tokens').replace('_', ' ')} {billed.get(part, 0):,} billed, "
        f"{recorded.get(part, 0):,} recorded"
        for part in {**billed, **recorded}
        if billed.get(part, 0) != recorded.get(part, 0)
    )


def _reasons(view: View, row: LineGroup | ReconciliationLine) -> list[str]:
    amounts = {name: getattr(row, name) for name in CLASSES}
    return [
        f"{DESCRIPTIONS[name].label.lower()} {signed_money(amount, view.row.currency)}"
        for name, amount in sorted(amounts.items(), key=lambda item: -abs(item[1]))
        if amount
    ]


def _shown(by: str, value: str) -> str:
    if by == "day":
        found = _as_day(value)
        return day(found) if found else value
    return value or (_NO_MODEL if by == "model" else _NO_PROJECT)


def _as_day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
