"""What calls come to together, as far as budgets tell them apart."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, TypeAlias

from budgets.matching import BudgetIndex, CallScope, Era
from budgets.models import Budget
from budgets.opening import WindowKey
from budgets.spans import BEGINNING
from usage.ingest.corrections import Superseded
from usage.ingest.rows import Rated, is_reversal
from usage.models import CallKind, UsageEvent
from usage.models.events import BUCKET

UNITS = 10
"""Costs are summed in whole units of 10^-10."""
_WHOLE = 10**UNITS
_BUCKET_SECONDS = int(BUCKET.total_seconds())
_COST = Budget.Measure.COST.value
_TOKENS = Budget.Measure.TOKENS.value

_Like: TypeAlias = tuple[Any, ...]
"""A CallScope, or a plain tuple like it, which is made in half the time."""
Taken: TypeAlias = tuple[CallScope, Superseded]
"""An event that is counted no longer, with whose call it was."""


@dataclass(slots=True)
class _Sum:
    """What calls come to that count in the same windows; one of them, and its time."""

    call: _Like
    at: datetime
    cost: int = 0
    tokens: int = 0
    events: int = 0
    unpriced: int = 0


@dataclass(slots=True)
class Delta:
    """What is added to a window, in units of 10^-10 of its measure."""

    units: int = 0
    unpriced: int = 0


class _Sums:
    """Sums that grow, one for all that counts in the same windows."""

    def __init__(self, index: BudgetIndex) -> None:
        self.found: dict[tuple[Any, datetime], _Sum] = {}
        self._index = index
        self._era = index.era_at(BEGINNING)
        self._eras: dict[int, Era] = {}

    def of(self, call: _Like, at: datetime) -> _Sum:
        """The sum that a call counts in that was made at an aware time."""
        if not self._era.start <= at < self._era.end:
            self._era = self._find_era(at)
        key = self._index.parts_of(call), self._era.start
        found = self.found.get(key)
        if found is None:
            found = self.found[key] = _Sum(call, at)
        return found

    def _find_era(self, at: datetime) -> Era:
        bucket = int(at.timestamp()) // _BUCKET_SECONDS
        era = self._eras.get(bucket)
        if era is None:
            era = self._eras[bucket] = self._index.era_at(at)
        return era


def deltas_of(
    index: BudgetIndex, rated: Iterable[Rated], taken: Iterable[Taken]
) -> dict[WindowKey, Delta]:
    """What stored events add to windows, and `taken` takes from them."""
    sums = _Sums(index)
    _add_stored(sums, rated)
    _take(sums, taken)
    deltas: dict[WindowKey, Delta] = {}
    for found in sums.found.values():
        scope = CallScope(*found.call)
        for budget in index.match(scope):
            span = budget.span(found.at)
            member = budget.member_of(scope)
            if member is None or span.start < budget.counts_since or found.at < span.start:
                continue
            delta = deltas.setdefault(WindowKey(budget.id, member, span.start), Delta())
            delta.unpriced += found.unpriced
            if budget.measure == _COST:
                delta.units += found.cost
            else:
                count = found.tokens if budget.measure == _TOKENS else found.events
                delta.units += count * _WHOLE
    return deltas


def _add_stored(sums: _Sums, rated: Iterable[Rated]) -> None:
    for r in rated:
        prepared, words = r.prepared, r.words
        event = prepared.event
        if event.corrects is not None and is_reversal(event):
            # It counts nothing, but the organization's windows change by what it replaces.
            continue
        project, team, subject = prepared.place
        found = sums.of(
            (
                prepared.tenant.id, project, team, subject, prepared.api_key_id,
                words[0], words[1], words[4], words[5],
            ),
            event.occurred_at,
        )  # fmt: skip
        found.events += 1
        found.tokens += event.input_tokens + event.output_tokens
        if r.rating is None:
            found.unpriced += 1
        else:
            found.cost += r.rating.cost


def _take(sums: _Sums, taken: Iterable[Taken]) -> None:
    for call, former in taken:
        if former.state == UsageEvent.State.REVERSAL:
            continue
        found = sums.of(call, former.occurred_at)
        found.events -= former.state == UsageEvent.State.COUNTED
        found.tokens -= former.total_tokens
        found.unpriced -= former.cost is None
        found.cost -= int((former.cost or Decimal(0)).scaleb(UNITS))


def calls_of(superseded: Sequence[Superseded]) -> list[Taken]:
    """Superseded events with whose calls they were."""
    if not superseded:
        return []
    kinds = CallKind.objects.in_bulk({s.kind_id for s in superseded})
    return [(_scope(s, kinds[s.kind_id]), s) for s in superseded]


def _scope(s: Superseded, kind: CallKind) -> CallScope:
    return CallScope(
        s.organization_id,
        s.project_id,
        s.team_id,
        s.subject_id,
        s.api_key_id,
        kind.provider,
        kind.model,
        kind.action,
        kind.agent_type,
    )
