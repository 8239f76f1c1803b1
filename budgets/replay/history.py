"""Playing the past against the budgets of the time: what was decided must come out again.

Requests are played one after the other, as they were recorded. Of requests that ran at the same
moment nobody can tell which came first; nor when an organization changed its time zone or week,
or when a price was entered for days that had passed. What differs for that reason is told as
different like anything else. Allowed checks leave nothing to be played, only counts.
"""

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec

from budgets.asking import Ask, read_ask
from budgets.checking import Figures, Matched, match, states_of
from budgets.deciding import ALLOW, BLOCK, Verdict, decide
from budgets.limits import allowed_at
from budgets.models import Decision, Reservation
from budgets.recording import tested_as_json
from budgets.replay.editions import Edition, raises_by_budget, read_editions
from budgets.replay.records import Asked, Ended, Record, Stored, read_records
from budgets.replay.sums import Sums
from budgets.reservations.naming import estimate_id_of
from usage.ingest.identities import tenant_of
from usage.ingest.prepare import Tenancy
from usage.models import APIKey, Organization

_FIGURES = ("limit", "spent", "reserved", "overage", "amount", "unpriced_events")
_WORDS = ("member", "enforcement", "measure", "period", "start", "end", "decision")
_encode = msgspec.json.Encoder(decimal_format="number").encode


@dataclass(frozen=True, slots=True)
class Difference:
    """A request that comes out otherwise: what about it was recorded, and what is found."""

    asked: Asked
    about: str
    recorded: Any
    found: Any


@dataclass(slots=True)
class Played:
    """How many requests came out as recorded, and the others."""

    same: int = 0
    differences: list[Difference] = field(default_factory=list)


def replay_history(start: datetime, end: datetime) -> Played:
    """Play what was asked from `start` to before `end`, aware times, of all organizations.

    It needs all usage since the windows of that time began.
    """
    return _History(start, end).play()


class _History:
    """The past as far as it has been played."""

    def __init__(self, start: datetime, end: datetime) -> None:
        self.start, self.end = start, end
        self.editions = read_editions(end)
        self.begins = [edition.since for edition in self.editions]
        self.raises = raises_by_budget()
        self.owners = Organization.objects.in_bulk()
        self.providers = dict(APIKey.objects.values_list("pk", "provider"))
        self.place = 0
        self.played = Played()
        self.early: set[str] = set()

    def play(self) -> Played:
        """Play every record."""
        if not self.editions:
            return self.played
        records = read_records(self._first(), self.end)
        self.estimates = {
            record.event_id: record for record in records if isinstance(record, Stored)
        }
        self.sums = Sums(self.editions[0])
        for record in records:
            self._turn_to(record.at)
            self._play(record)
        return self.played

    def _first(self) -> datetime:
        """When the earliest window began that is asked about."""
        place = max(bisect_right(self.begins, self.start) - 1, 0)
        versions = [v for edition in self.editions[place:] for v in edition.versions.values()]
        starts = [v.value.span(max(v.since, self.start)).start for v in versions]
        return min(starts, default=self.start)

    def _turn_to(self, at: datetime) -> None:
        place = max(bisect_right(self.begins, at) - 1, 0)
        if place != self.place:
            self.place = place
            self.sums.turn_to(self.editions[place])

    def _play(self, record: Record) -> None:
        if isinstance(record, Stored):
            if record.event_id not in self.early:
                self.sums.store(record)
        elif isinstance(record, Ended):
            self.sums.free(record.reservation)
        else:
            self._ask(record)

    def _ask(self, asked: Asked) -> None:
        ask = self._question(asked)
        verdict = self._decide(ask, asked.at)
        if asked.source == Decision.Source.RESERVATION and _wants_room(verdict):
            # As reserving does: what is due is ended first where it is in the way.
            self._expire(asked)
            verdict = self._decide(ask, asked.at)
        if asked.at >= self.start:
            self._compare(asked, verdict)
        if asked.reservation is not None:
            amounts = {one.state.facts.id: one.amount or Decimal(0) for one in verdict.tested}
            self.sums.hold(asked.reservation, amounts)

    def _question(self, asked: Asked) -> Ask:
        said = {name: value for name, value in asked.call.items() if name != "tokens"}
        return read_ask(
            _encode(said),
            Tenancy(tenant_of(self.owners[asked.organization_id]), {}),
            asked.at,
            api_key_id=asked.api_key_id,
            provider=self.providers.get(asked.api_key_id or 0, ""),
            known_only=True,
        )

    def _decide(self, ask: Ask, at: datetime) -> Verdict:
        edition = self.editions[self.place]
        if at < edition.since:
            return decide(ask.call, [])
        matched = list(match(edition.book, ask, at))
        figures = [self._figures(edition, one, at) for one in matched]
        return decide(ask.call, states_of(edition.book, ask, matched, figures, at))

    def _figures(self, edition: Edition, matched: Matched, at: datetime) -> Figures:
        """A window as its row said then."""
        key, found = matched.key, self.sums.at(matched.key)
        budget = edition.versions[key.budget].budget
        raises = self.raises.get(key.budget, [])
        limit = allowed_at(budget, raises, key.member, at, key.start).limit
        spent = found.used
        is_over = False
        if budget.is_hard and limit is not None:
            spent = min(found.used, max(limit - found.reserved, Decimal(0)))
            is_over = found.reserved > limit
        return limit, spent, found.reserved, found.used - spent, found.unpriced, is_over

    def _expire(self, asked: Asked) -> None:
        """End the reservations of the organization that were due."""
        due = [
            held.row
            for held in self.sums.held.values()
            if held.row.organization_id == asked.organization_id and held.row.expires_at <= asked.at
        ]
        for row in due:
            self.sums.free(row)
            settles = row.on_expiry == Reservation.OnExpiry.SETTLE
            estimate = self.estimates.get(estimate_id_of(row.pk)) if settles else None
            if estimate is not None and estimate.at > asked.at:
                self.sums.store(estimate)
                self.early.add(estimate.event_id)

    def _compare(self, asked: Asked, verdict: Verdict) -> None:
        found = list(_differences(asked, verdict))
        self.played.differences += found
        self.played.same += not found


def _wants_room(verdict: Verdict) -> bool:
    """Whether a call is blocked, and not for want of a price."""
    unknown = (one.amount is None and one.state.facts.is_hard for one in verdict.tested)
    return verdict.outcome == BLOCK and not any(unknown)


def _differences(asked: Asked, verdict: Verdict) -> Iterator[Difference]:
    decision = asked.decision
    outcome = decision.outcome if decision else ALLOW
    if outcome != verdict.outcome:
        yield Difference(asked, "outcome", outcome, verdict.outcome)
    if decision is None:
        return
    binding = verdict.binding
    bound = binding.state.facts.id if binding else None
    if decision.binding_id != bound:
        yield Difference(asked, "binding budget", decision.binding_id, bound)
    recorded = {one["id"]: one for one in decision.tested}
    found = {one.state.facts.id: tested_as_json(one) for one in verdict.tested}
    if set(recorded) != set(found):
        yield Difference(asked, "budgets tested", sorted(recorded), sorted(found))
    for pk in sorted(recorded.keys() & found.keys()):
        for name in (*_FIGURES, *_WORDS):
            was, now = _plain(name, recorded[pk][name]), _plain(name, found[pk][name])
            if was != now:
                yield Difference(asked, f"{name} of budget {pk}", was, now)


def _plain(name: str, value: Any) -> Any:
    """A figure as a number, whatever its zeros."""
    return Decimal(value) if name in _FIGURES and value is not None else value
