"""Reading the stored calls a run is about, as a stream, with the rating each has now."""

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import Q

from usage.models import CallKind, RatingRun
from usage.rerating.ratings import (
    ADJUSTMENTS,
    IN_EFFECT,
    IN_WINDOW,
    IS_CALL,
    UNPRICED_IN_EFFECT,
)

CHUNK = 5_000
_COLUMNS = (
    "id", "occurred_at", "organization_id", "kind_id", "input_tokens", "output_tokens",
    "cache_read_tokens", "cache_write_tokens", "cache_write_1h_tokens", "reasoning_tokens",
    "meters", "reported_cost", "reported_currency",
)  # fmt: skip
_FROM = f"""
    FROM usage_usageevent e LEFT JOIN ({ADJUSTMENTS}) a ON a.adjusted_pk = e.id
    WHERE {{conditions}}
"""

Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Restriction:
    """What a run is about besides its own filters; None means anything.

    `received_before` is exclusive. `converted` events were rated at an exchange rate.
    """

    kind_ids: Collection[int] | None = None
    event_pks: Collection[int] | None = None
    received_before: datetime | None = None
    priced: bool = False
    converted: bool = False


UNRESTRICTED = Restriction()


@contextmanager
def stored_calls(run: RatingRun, restriction: Restriction) -> Iterator[Iterator[Sequence[Row]]]:
    """The counted events of `run` in chunks: the columns, then the six of the rating in effect.

    Runs in a transaction, whose other statements may go on between chunks; however many events
    there are, only one chunk is held at a time.
    """
    source, parameters = _source(run, restriction)
    columns = ", ".join(f"e.{name}" for name in _COLUMNS)
    with connection.chunked_cursor() as cursor:
        cursor.execute(f"SELECT {columns}, {IN_EFFECT} {source}", parameters)
        yield iter(lambda: cursor.fetchmany(CHUNK), [])


def has_calls(run: RatingRun, restriction: Restriction) -> bool:
    """Whether `stored_calls` would have anything to say."""
    source, parameters = _source(run, restriction)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT EXISTS (SELECT {source})", parameters)
        return bool(cursor.fetchone()[0])


def limits_of(run: RatingRun, restriction: Restriction) -> tuple[list[str], dict[str, Any]]:
    """Conditions on events `e` besides time and state, and the parameters of them and the time."""
    allowed: tuple[tuple[str, str, object | None], ...] = (
        ("organization", "e.organization_id = %(organization)s", run.organization_id),
        ("kinds", "e.kind_id = ANY(%(kinds)s::int[])", _kinds_of(run, restriction)),
        ("pks", "e.id = ANY(%(pks)s::bigint[])", _listed(restriction.event_pks)),
        ("received", "e.received_at < %(received)s", restriction.received_before),
    )
    given = [(name, condition, value) for name, condition, value in allowed if value is not None]
    parameters = {"start": run.start, "end": run.end, **{name: v for name, _, v in given}}
    return [condition for _, condition, _ in given], parameters


def _source(run: RatingRun, restriction: Restriction) -> tuple[str, dict[str, Any]]:
    limits, parameters = limits_of(run, restriction)
    conditions = [IN_WINDOW, IS_CALL, *limits]
    if run.only_unpriced:
        conditions.append(UNPRICED_IN_EFFECT)
    if restriction.priced:
        conditions.append(f"NOT ({UNPRICED_IN_EFFECT})")
    if restriction.converted:
        conditions.append("e.exchange_rate IS NOT NULL")
    return _FROM.format(conditions=" AND ".join(conditions)), parameters


def _listed(values: Collection[int] | None) -> list[int] | None:
    return None if values is None else list(values)


def _kinds_of(run: RatingRun, restriction: Restriction) -> list[int] | None:
    """The kinds of call that the run's provider and model name, ignoring case; None = any."""
    if not run.provider and not run.model:
        return _listed(restriction.kind_ids)
    kinds = CallKind.objects.all()
    if run.provider:
        kinds = kinds.filter(provider__iexact=run.provider)
    if run.model:
        kinds = kinds.filter(Q(model__iexact=run.model) | Q(response_model__iexact=run.model))
    found = set(kinds.values_list("pk", flat=True))
    return sorted(found if restriction.kind_ids is None else found & set(restriction.kind_ids))
