"""`/prices/`: what calls cost, and setting it."""

from dataclasses import replace
from datetime import UTC, date, datetime, time
from typing import Any

import msgspec
from django.db import transaction
from django.http import HttpResponse
from rest_framework.request import Request
from rest_framework.views import APIView

from pricing.api.bodies import MAX_PRICES, MalformedBody, read_prices
from pricing.api.rendering import page_as_json
from pricing.models import PriceChange, RateCard
from pricing.publishing import PriceError, Provenance, set_prices
from pricing.selectors import (
    MANUAL,
    PriceFilters,
    PricePage,
    PriceQuestion,
    list_prices,
    named_card,
)
from pricing.selectors.listing import Place
from usage.api.authentication import (
    HasScope,
    KeyAuthentication,
    StaffSession,
    actor_name,
    holder_of,
)
from usage.api.bodies import read_body
from usage.api.parameters import OwnFormat, ParameterReader, page_link
from usage.api.problems import problem
from usage.api.schema.prices import GET_PRICES, PUT_PRICES
from usage.contracts import own_card
from usage.ingest.values import FieldError
from usage.keys import KeyHolder
from usage.models import APIKey
from usage.selectors.access import viewer_of
from usage.selectors.cursors import bad_cursor, fingerprint, pack, unpack
from usage.selectors.rate_cards import visible_cards

ORIGIN = "api"
_AFTER, _BEFORE = "after", "before"
_encode = msgspec.json.encode


class PricesView(APIView):
    """The prices in force, as far as the caller may see them; PUT sets some.

    A site key sets prices by hand for everybody, an organization's key those of its contract.
    """

    authentication_classes = (KeyAuthentication, StaffSession)
    permission_classes = (HasScope,)
    content_negotiation_class = OwnFormat
    filterset_class = PriceFilters

    @property
    def scope(self) -> str:
        """PUT needs `manage`, everything else `read`."""
        return APIKey.Scope.MANAGE if self.request.method == "PUT" else APIKey.Scope.READ

    @GET_PRICES
    def get(self, request: Request) -> HttpResponse:
        """List prices."""
        question, print_of = read_question(request)
        return _answer(request, list_prices(question), print_of)

    @PUT_PRICES
    def put(self, request: Request) -> HttpResponse:
        """Set prices, all or none; answers with the list of everything the caller sees."""
        body = read_body(request)
        holder = holder_of(request)
        try:
            items = read_prices(body)
            with transaction.atomic():
                change = set_prices(_card_of(holder), items, _source(holder))
        except MalformedBody as error:
            return problem(400, "malformed_json", str(error))
        except PriceError as error:
            return _refusal(error)
        question = PriceQuestion(datetime.now(UTC), visible_cards(viewer_of(holder)))
        return _answer(request, list_prices(question), _fingerprint(question, None), change)


def read_question(request: Request) -> tuple[PriceQuestion, str]:
    """What a list asks for and its fingerprint. Raises ValidationError and QuestionError."""
    reader = ParameterReader(request.GET)
    at = reader.bound("at")
    question = PriceQuestion(
        at=_instant(at) or datetime.now(UTC),
        cards=visible_cards(viewer_of(request.user)),
        filters=_read_filters(reader),
        limit=reader.number("limit", MAX_PRICES, MAX_PRICES),
    )
    cursor = reader.one("cursor")
    reader.finish()
    question_print = _fingerprint(question, at)
    if not cursor:
        return question, question_print
    way, *place = unpack(cursor, question_print, 6)
    if way == _AFTER:
        return replace(question, after=_place(place)), question_print
    return replace(question, before=_place(place)), question_print


def _read_filters(reader: ParameterReader) -> dict[str, str]:
    filters = {name: reader.one(name) for name in PriceFilters.base_filters}
    for name, code, message in PriceFilters(filters).faults():
        reader.fault(name, code, message)
    return filters


def _instant(bound: date | datetime | None) -> datetime | None:
    if bound is None or isinstance(bound, datetime):
        return bound
    return datetime.combine(bound, time(), tzinfo=UTC)


def _fingerprint(question: PriceQuestion, at: object) -> str:
    return fingerprint(str(at), sorted(given for given in question.filters.items() if given[1]))


def _place(words: list[str]) -> Place:
    provider, model, tier, version, number = words
    try:
        return provider, model, tier, int(version), int(number)
    except ValueError as error:
        raise bad_cursor() from error


def _card_of(holder: KeyHolder) -> RateCard:
    return named_card(MANUAL) if holder.tenant is None else own_card(holder.tenant.id)


def _source(holder: KeyHolder) -> Provenance:
    return Provenance(ORIGIN, actor=actor_name(holder))


def _answer(
    request: Request, page: PricePage, question: str, change: PriceChange | None = None
) -> HttpResponse:
    body: dict[str, Any] = {
        "results": list(page_as_json(page)),
        "next": page_link(request, _cursor(question, _AFTER, page.following)),
        "previous": page_link(request, _cursor(question, _BEFORE, page.preceding)),
    }
    if change is not None:
        body["changed"] = change.count
        body["warnings"] = change.details["warnings"]
    return HttpResponse(_encode(body), content_type="application/json")


def _cursor(question: str, way: str, place: Place | None) -> str | None:
    return None if place is None else pack(question, [way, *map(str, place)])


def _refusal(error: PriceError) -> HttpResponse:
    faults = [
        FieldError(fault.field, fault.code, fault.message, fault.index) for fault in error.faults
    ]
    return problem(422, "invalid_prices", "No price was set.", faults)
