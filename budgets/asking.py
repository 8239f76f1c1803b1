"""What a caller asks before a call: a JSON body → whose call it is and what it may come to."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any, Literal

import msgspec
from django.conf import settings

from budgets.deciding import Call
from budgets.matching import CallScope
from pricing.dearest import dearest_cost
from pricing.price_book import PriceBook, current_book
from usage.ingest import identities
from usage.ingest.decode import BodyError, decode_one
from usage.ingest.explain import faults_of
from usage.ingest.prepare import Prepared, Tenancy, prepare
from usage.ingest.rows import Rated, rate_event, refuse_excessive
from usage.ingest.validate import MAX_COST, counts_of
from usage.ingest.values import EventValue, FieldError, Name, Rejection

NO_MODEL = "unspecified"
"""The model of a call that names none: no budget limits it."""
_DECIMALS = 10
NOT_ASKED = ("event_id", "occurred_at", "corrects", "reservation", "reported_cost", "currency")
"""Fields of events that only settling tells."""
_decoder = msgspec.json.Decoder(float_hook=Decimal)
_encode = msgspec.json.Encoder(decimal_format="number").encode
_TERMS = ("amount", "reservation_key", "ttl_seconds", "on_expiry")


class Terms(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """What is asked besides the call. `amount` is in the ledger currency and wins over what the
    token estimates come to; the others are for reservations."""

    amount: Decimal | None = None
    reservation_key: Name | None = None
    ttl_seconds: Annotated[int, msgspec.Meta(ge=1, le=86_400)] = 300
    on_expiry: Literal["release", "settle"] = "release"


class AskRefused(Exception):
    """A question that cannot be answered, and every fault found."""

    def __init__(self, errors: list[FieldError]) -> None:
        super().__init__("the question cannot be answered")
        self.errors = errors


@dataclass(frozen=True, slots=True)
class Ask:
    """A sound question. `said` is the call as JSON values, without what only settling tells."""

    prepared: Prepared
    scope: CallScope
    call: Call
    terms: Terms
    said: Mapping[str, Any]

    @property
    def organization_id(self) -> int:
        """Whose call it is."""
        return self.prepared.tenant.id

    def name_of(self, per: str) -> str:
        """What the caller calls its project, team or subject."""
        if per == "subject":
            return self.prepared.subject or ""
        if per == "organization":
            return self.prepared.tenant.slug
        return str(getattr(self.prepared.event, per, None) or "")


def read_ask(
    body: bytes,
    tenancy: Tenancy,
    now: datetime,
    *,
    api_key_id: int | None,
    provider: str = "",
    price_revision: int | None = None,
    known_only: bool,
) -> Ask:
    """The question in a JSON body. Raises BodyError for what is no object, AskRefused otherwise.

    With `known_only` names are looked up; without it they are made known as events do.
    `price_revision` is the present one of the prices, None where nobody has read it yet.
    """
    fields = read_object(body)
    terms = _read_terms({name: fields.pop(name) for name in _TERMS if name in fields})
    refused = [name for name in NOT_ASKED if name in fields]
    if refused:
        raise AskRefused(
            [_fault(name, "unknown_field", "This is told when settling.") for name in refused]
        )
    said = dict(fields)
    prepared = _prepare(fields, tenancy, now, provider)
    if known_only:
        ids = identities.look_up(prepared)
    else:
        unknown = identities.resolve([prepared])
        _raise_refused(unknown)
        ids = prepared.place
    book = current_book(price_revision)
    rated = rate_event(prepared, book, settings.TALLYMAN_CURRENCY)
    _raise_refused(refuse_excessive([rated]))
    words = rated.words
    model = "" if words[1] == NO_MODEL else words[1]
    scope = CallScope(prepared.tenant.id, *ids, api_key_id, words[0], model, words[4], words[5])
    return Ask(prepared, scope, _call(rated, terms, book, now), terms, said)


def read_object(body: bytes) -> dict[str, Any]:
    """A JSON object, its numbers exactly as written. Raises BodyError for anything else."""
    try:
        fields = _decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ValueError) as error:
        raise BodyError(400, "not_json", f"The body is not JSON: {error}.") from error
    except InvalidOperation as error:
        message = "A number in the body is larger than any that is known."
        raise BodyError(400, "not_json", message) from error
    if not isinstance(fields, dict):
        raise BodyError(400, "wrong_shape", "Send one JSON object.")
    if rb"\u0000" in body and _holds_nul(fields):
        # The database has no way to keep it.
        raise BodyError(400, "nul_character", "The body holds a NUL character.")
    return fields


def _holds_nul(value: object) -> bool:
    left = [value]
    while left:
        each = left.pop()
        if isinstance(each, str) and "\0" in each:
            return True
        if isinstance(each, dict):
            left += [*each, *each.values()]
        elif isinstance(each, list):
            left += each
    return False


def _read_terms(fields: dict[str, Any]) -> Terms:
    try:
        terms = msgspec.json.decode(_encode(fields), type=Terms)
    except msgspec.ValidationError as error:
        raise AskRefused(faults_of(Terms, fields)) from error
    amount = terms.amount
    if amount is None:
        return terms
    if not amount.is_finite() or not 0 <= amount <= MAX_COST:
        raise AskRefused(
            [_fault("amount", "out_of_range", f"An amount lies between 0 and {MAX_COST:f}.")]
        )
    if amount != amount.quantize(Decimal(1).scaleb(-_DECIMALS)):
        raise AskRefused(
            [_fault("amount", "too_precise", f"An amount has up to {_DECIMALS} decimals.")]
        )
    return terms


def _prepare(fields: dict[str, Any], tenancy: Tenancy, now: datetime, provider: str) -> Prepared:
    defaults: dict[str, Any] = {"event_id": "ask", "occurred_at": now}
    if "input_tokens" not in fields and "max_output_tokens" not in fields:
        defaults["model"] = NO_MODEL
    item = decode_one(_encode({**defaults, **fields}))
    if isinstance(item, EventValue):
        item = _expecting(item)
    prepared, rejected = prepare([item], tenancy, plain=False, now=now, provider=provider)
    _raise_refused(rejected)
    return prepared[0]


def _expecting(event: EventValue) -> EventValue:
    """An event that uses all that the call may use."""
    if event.max_output_tokens is None or event.output_tokens:
        return event
    return msgspec.structs.replace(
        event, output_tokens=event.max_output_tokens, max_output_tokens=None
    )


def _call(rated: Rated, terms: Terms, book: PriceBook, now: datetime) -> Call:
    event = rated.prepared.event
    tokens = event.input_tokens + event.output_tokens
    if terms.amount is not None:
        return Call(terms.amount, tokens)
    if event.model == NO_MODEL:
        return Call(Decimal(0))
    if rated.rating is not None:
        return Call(rated.rating.in_currency().cost, tokens)
    dearest = dearest_cost(
        book,
        rated.words[0],
        counts_of(event),
        now,
        settings.TALLYMAN_CURRENCY,
        rated.prepared.tenant.rate_card_id,
    )
    return Call(None, tokens, dearest)


def _raise_refused(rejected: Mapping[int, Rejection]) -> None:
    for rejection in rejected.values():
        raise AskRefused(rejection.errors)


def _fault(field: str, code: str, message: str) -> FieldError:
    return FieldError(field, code, message)
