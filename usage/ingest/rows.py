"""Prepared events → rated rows in PostgreSQL's COPY text format."""

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal

import msgspec

from pricing.price_book import PriceBook
from pricing.rating import Units
from usage.ingest.identities import KindWords
from usage.ingest.prepare import Place, Prepared
from usage.ingest.rating import MAX_UNITS, rate_call
from usage.ingest.validate import MAX_COST, counts_of
from usage.ingest.values import EventValue, FieldError, Rejection
from usage.models import UsageEvent

COLUMNS = (
    "occurred_at", "organization_id", "kind_id", "project_id", "team_id", "subject_id",
    "api_key_id", "price_version_id", "duration_ms", "input_tokens", "output_tokens",
    "cache_read_tokens", "cache_write_tokens", "cache_write_1h_tokens", "reasoning_tokens",
    "status", "state", "estimated", "cost", "input_cost", "output_cost", "cache_cost",
    "exchange_rate", "event_id", "session_id", "run_id", "corrects", "reported_cost",
    "reported_currency", "meters", "tags",
)  # fmt: skip
STATUS = {status.label: status.value for status in UsageEvent.Status}
_NULL = "\\N"
_UNPRICED = "\t".join([_NULL] * 5)
_NO_RARE = "\t".join([_NULL] * 5)
_COUNTED = UsageEvent.State.COUNTED.value
_REVERSAL = UsageEvent.State.REVERSAL.value
_encode = msgspec.json.Encoder(decimal_format="number").encode


class Rated(msgspec.Struct, gc=False):
    """A prepared event with its rating (None = unpriced) and kind of call.

    `exchange_rate` turned the currency of its price into the ledger's; None where they are one.
    """

    prepared: Prepared
    rating: Units | None
    words: KindWords
    exchange_rate: Decimal | None = None


def rate_event(prepared: Prepared, book: PriceBook, currency: str) -> Rated:
    """Rate one event in the ledger's `currency`; see `rate_call`."""
    event = prepared.event
    rating, exchange_rate, price = rate_call(
        event, prepared.tenant.rate_card_id, counts_of(event), book, currency
    )
    words = (
        event.provider or (price.provider if price else ""),
        event.model,
        event.response_model,
        event.operation,
        event.action,
        event.agent_type,
        event.run_trigger,
        event.billing_scope,
        event.service_tier,
        event.free_tier,
    )
    return Rated(prepared, rating, words, exchange_rate)


def refuse_excessive(rated: Iterable[Rated]) -> dict[int, Rejection]:
    """By index, events whose meters cost more than a column of money holds."""
    message = f"What the event counts would cost over {MAX_COST:f}."
    return {
        r.prepared.index: Rejection(
            [FieldError("meters", "out_of_range", message)], r.prepared.event.event_id
        )
        for r in rated
        if r.rating is not None and r.rating.cost > MAX_UNITS
    }


def is_reversal(event: EventValue) -> bool:
    """Whether a correction says that nothing was used at all."""
    return (
        event.corrects is not None
        and not (event.input_tokens or event.output_tokens)
        and not any((event.meters or {}).values())
    )


def _text(value: str | None) -> str:
    if value is None:
        return _NULL
    return value.replace("\\", "\\\\") if "\\" in value else value


def _json(value: object) -> str:
    return _encode(value).decode().replace("\\", "\\\\") if value else _NULL


def copy_rows(rated: Iterable[Rated], kinds: Mapping[KindWords, int]) -> Iterator[str]:
    """One line for COPY for each event, in the order of COLUMNS."""
    ids: dict[tuple[Place, int | None], str] = {}
    for r in rated:
        p = r.prepared
        owner = p.place, p.api_key_id
        text = ids.get(owner)
        if text is None:
            text = ids[owner] = "\t".join([_id(pk) for pk in (*p.place, p.api_key_id)])
        yield _copy_row(r, kinds[r.words], text)


def _id(pk: int | None) -> str:
    return _NULL if pk is None else str(pk)


def _copy_row(rated: Rated, kind_id: int, ids: str) -> str:
    p = rated.prepared
    e = p.event
    version, costs = _NULL, _UNPRICED
    if rated.rating is not None:
        version_id, cost, input_cost, output_cost, cache_cost = rated.rating
        version = str(version_id or _NULL)
        rate = _NULL if rated.exchange_rate is None else rated.exchange_rate
        costs = f"{cost}e-10\t{input_cost}e-10\t{output_cost}e-10\t{cache_cost}e-10\t{rate}"
    rare, state = _NO_RARE, _COUNTED
    if e.corrects or e.reported_cost is not None or e.meters or e.tags:
        state = _REVERSAL if is_reversal(e) else _COUNTED
        reported = _NULL if e.reported_cost is None else e.reported_cost
        rare = (
            f"{_text(e.corrects)}\t{reported}\t{_text(e.currency)}"
            f"\t{_json(e.meters)}\t{_json(e.tags)}"
        )
    return (
        f"{p.occurred}\t{p.tenant.id}\t{kind_id}\t{ids}\t{version}"
        f"\t{_NULL if e.duration_ms is None else e.duration_ms}\t{e.input_tokens}"
        f"\t{e.output_tokens}\t{e.cache_read_tokens}\t{e.cache_write_tokens}"
        f"\t{e.cache_write_1h_tokens}\t{e.reasoning_tokens}\t{STATUS[e.status]}"
        f"\t{state}\t{'t' if e.estimated else 'f'}\t{costs}"
        f"\t{_text(e.event_id)}\t{_text(e.session_id)}\t{_text(e.run_id)}\t{rare}\n"
    )
