"""Reserving: all windows of a call admit it and hold its amount, or none does."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from hashlib import blake2b
from typing import Any
from uuid import UUID, uuid4

import msgspec
from django.db import connection

from budgets.asking import Ask
from budgets.book import Book, fresh_book, known_book
from budgets.checking import Matched, look, match, states_of
from budgets.deciding import BLOCK, WARN, Verdict, amount_taken, decide
from budgets.models import Decision, Reservation
from budgets.opening import key_arrays, open_windows
from budgets.recording import record, said_of
from budgets.reservations.ending import expire_due
from budgets.selectors.reservations import name_parts
from budgets.setting import refresh_limits
from usage.models import Organization

_RESERVE = """
    WITH answer AS MATERIALIZED (
        SELECT * FROM budgets_reserve(
            %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s::jsonb, %s, %s, %s,
            %s::bigint[], %s::bigint[], %s::timestamptz[], %s::numeric[])
    ), counted AS (
        INSERT INTO budgets_decisiontally (organization_id, outcome, decided_at, count)
        SELECT DISTINCT %s, 'allow', %s::timestamptz, 1 FROM answer WHERE outcome = 'held'
    )
    SELECT outcome, reservation, budget, "limit", spent, reserved, overage, unpriced_events
    FROM answer
"""
_encode = msgspec.json.Encoder(order="deterministic").encode


class KeyTaken(Exception):
    """The reservation key has been used for another call."""


class Denied(Exception):
    """A hard budget does not admit the call; nothing is held."""

    def __init__(self, verdict: Verdict) -> None:
        super().__init__("a budget does not admit the call")
        self.verdict = verdict


@dataclass(frozen=True, slots=True)
class Reserved:
    """A reservation with what was decided; `verdict` is None where it had been made earlier."""

    reservation: Reservation
    verdict: Verdict | None


def reserve(ask: Ask, now: datetime) -> Reserved:
    """Hold what a call may come to against every budget it counts against; commit before
    returning. The same key and question again find the same reservation.

    Raises Denied where a hard budget does not admit it, KeyTaken where the key was used for
    another call. `now` is an aware time.
    """
    row = _draft(ask, now)
    rows, book, matched = _attempt(ask, row, now)
    if rows[0][0] == "blocked" and expire_due(now, ask.organization_id):
        # What blocked may only have been waiting to be tidied away.
        rows, book, matched = _attempt(ask, row, now)
    outcome, reservation_id = rows[0][:2]
    if outcome == "known":
        return _known(reservation_id, ask)
    verdict = _verdict(rows, book, ask, matched, now)
    if outcome == "refused" or outcome == "blocked":
        record(ask, verdict, Decision.Source.RESERVATION, now)
        raise Denied(verdict)
    record(ask, verdict, Decision.Source.RESERVATION, now, reservation_id)
    return Reserved(row, verdict)


def _draft(ask: Ask, now: datetime) -> Reservation:
    """What is to be held, but for its amount: with its names, as nobody has to read it then."""
    event, scope, terms = ask.prepared.event, ask.scope, ask.terms
    row = Reservation(
        organization_id=ask.organization_id,
        reservation_key=terms.reservation_key or str(uuid4()),
        payload=_payload(ask),
        api_key_id=scope.api_key,
        project_id=scope.project,
        team_id=scope.team,
        subject_id=scope.subject,
        provider=scope.provider,
        model=scope.model,
        action=scope.action,
        agent_type=scope.agent_type,
        call=said_of(ask),
        tokens=ask.call.tokens,
        on_expiry=terms.on_expiry,
        held_at=now,
        expires_at=now + timedelta(seconds=terms.ttl_seconds),
    )
    owner = Organization(pk=ask.organization_id, slug=ask.prepared.tenant.slug)
    name_parts(row, owner, project=event.project, team=event.team, subject=ask.prepared.subject)
    return row


def _attempt(
    ask: Ask, row: Reservation, now: datetime
) -> tuple[list[tuple[Any, ...]], Book, list[Matched]]:
    book = known_book()
    while True:
        matched = list(match(book, ask, now))
        amounts = [amount_taken(ask.call, book.facts[one.budget.id]) for one in matched]
        if _is_refused(book, matched, amounts):
            rows = _find_known(row)
            return rows or [("refused", None)], book, matched
        row.amount = _expected_cost(ask, matched, amounts)
        rows = _call(book.edition, row, matched, amounts)
        outcome = rows[0][0]
        if outcome == "stale":
            book = fresh_book()
        elif outcome == "missing":
            open_windows([one.key for one in matched], now, book.edition)
        elif outcome == "outdated":
            refresh_limits(now)
        else:
            return rows, book, matched


def _is_refused(book: Book, matched: Sequence[Matched], amounts: Sequence[Decimal | None]) -> bool:
    return any(
        amount is None and book.facts[one.budget.id].is_hard
        for one, amount in zip(matched, amounts, strict=True)
    )


def _find_known(row: Reservation) -> list[tuple[Any, ...]]:
    rows = Reservation.objects.filter(
        organization_id=row.organization_id, reservation_key=row.reservation_key
    )
    return [("known", pk) for pk in rows.values_list("pk", flat=True)]


def _call(
    edition: int,
    row: Reservation,
    matched: Sequence[Matched],
    amounts: Sequence[Decimal | None],
) -> list[tuple[Any, ...]]:
    held = ",".join([str(amount or 0) for amount in amounts])
    with connection.cursor() as cursor:
        cursor.execute(
            _RESERVE,
            (
                edition, row.organization_id, row.pk, row.reservation_key, row.payload,
                row.held_at, row.expires_at, row.api_key_id, row.project_id, row.team_id,
                row.subject_id, row.provider, row.model, row.action, row.agent_type,
                _encode(row.call).decode(), row.amount, row.tokens, row.on_expiry,
                *key_arrays([one.key for one in matched]), f"{{{held}}}",
                row.organization_id, row.held_at,
            ),
        )  # fmt: skip
        return list(cursor.fetchall())


def _expected_cost(
    ask: Ask, matched: Sequence[Matched], amounts: Sequence[Decimal | None]
) -> Decimal | None:
    if ask.call.cost is not None:
        return ask.call.cost
    costs = (
        amount
        for one, amount in zip(matched, amounts, strict=True)
        if one.budget.measure == "cost" and amount
    )
    return max(costs, default=None)


def _verdict(
    rows: Sequence[tuple[Any, ...]],
    book: Book,
    ask: Ask,
    matched: Sequence[Matched],
    now: datetime,
) -> Verdict:
    if rows[0][0] == "refused":
        return look(ask, now)
    by_budget = {row[2]: (*row[3:8], False) for row in rows}
    figures = [by_budget[one.key.budget] for one in matched]
    found = decide(ask.call, states_of(book, ask, matched, figures, now))
    if rows[0][0] == "held" and found.outcome == BLOCK:
        # A budget that was being changed meanwhile: what its window has admitted is what counts.
        return replace(found, outcome=WARN)
    return found


def _payload(ask: Ask) -> int:
    text = _encode([ask.said, ask.terms])
    return int.from_bytes(blake2b(text, digest_size=8).digest(), "big", signed=True)


def _known(reservation_id: UUID, ask: Ask) -> Reserved:
    found = Reservation.objects.get(pk=reservation_id)
    if found.payload != _payload(ask):
        raise KeyTaken
    return Reserved(found, None)
