"""`POST /prices/quote/`: what a call costs, charge by charge. Nothing is stored."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec
from django.conf import settings
from django.http import HttpResponse
from rest_framework.request import Request
from rest_framework.views import APIView

from pricing.models import PriceVersion
from pricing.price_book import current_book
from pricing.rating import Charge
from usage.api.authentication import HasScope, KeyAuthentication, StaffSession, first_held
from usage.api.bodies import read_body
from usage.api.parameters import OwnFormat
from usage.api.problems import problem
from usage.api.schema.quote import QUOTE
from usage.ingest.decode import Decoded, decode_partial, is_plain
from usage.ingest.identities import find_tenants
from usage.ingest.prepare import Tenancy, Tenant, prepare
from usage.ingest.rows import rate_event, refuse_excessive
from usage.ingest.values import EventValue, Rejection
from usage.keys import KeyHolder
from usage.models import APIKey
from usage.selectors.access import viewer_of
from usage.selectors.quotes import Quote, quote_call

NOBODY = Tenant(0, "", known_subjects_only=False, rate_card_id=None)
"""Whom list prices are quoted to when no organization is named."""

_encode = msgspec.json.Encoder(decimal_format="number").encode


class QuoteView(APIView):
    """The cost of an event body; `event_id` and `occurred_at` (now) may be left out.

    A key needs the scope read or check. Prices are those of the organization, which site keys
    and staff may name; without one they are the list's.
    """

    authentication_classes = (KeyAuthentication, StaffSession)
    permission_classes = (HasScope,)
    content_negotiation_class = OwnFormat

    @property
    def scope(self) -> str:
        """`check` will do for a key that may not `read`."""
        return first_held(self.request, APIKey.Scope.READ, APIKey.Scope.CHECK)

    @QUOTE
    def post(self, request: Request) -> HttpResponse:
        """Quote the price of one call."""
        body = read_body(request)
        now = datetime.now(UTC)
        item = decode_partial(body, {"event_id": "quote", "occurred_at": now})
        prepared, rejected = prepare(
            [item],
            _tenancy(request, item),
            plain=is_plain(body),
            now=now,
            provider=request.user.provider if isinstance(request.user, KeyHolder) else "",
        )
        if rejected:
            return _refusal(rejected[0])
        book, ledger = current_book(), settings.TALLYMAN_CURRENCY
        excessive = refuse_excessive([rate_event(p, book, ledger) for p in prepared])
        if excessive:
            return _refusal(excessive[0])
        call, *advice = (quote_as_json(quote_call(p, book, ledger), ledger) for p in prepared)
        return HttpResponse(_encode(call | {"advice": advice}), content_type="application/json")


def _tenancy(request: Request, item: Decoded) -> Tenancy:
    if isinstance(request.user, KeyHolder) and request.user.tenant is not None:
        return Tenancy(request.user.tenant, {})
    slug = item.organization if isinstance(item, EventValue) else None
    if slug is None:
        return Tenancy(NOBODY, {})
    viewer = viewer_of(request.user)
    tenants = find_tenants((slug,))
    return Tenancy(None, {name: t for name, t in tenants.items() if viewer.may_see(t.id)})


def _refusal(rejection: Rejection) -> HttpResponse:
    return problem(422, "invalid", "The call cannot be priced as it is.", rejection.errors)


def quote_as_json(quote: Quote, ledger: str) -> dict[str, Any]:
    """A quote by the names of the interface; money as strings, quantities as numbers."""
    why = quote.explanation
    return {
        "event_id": quote.event.event_id,
        "occurred_at": quote.event.occurred_at,
        "provider": quote.event.provider or None,
        "model": quote.event.model,
        "cost": None if quote.cost is None else f"{quote.cost:f}",
        "currency": ledger,
        "exchange_rate": None if why.exchange_rate is None else _plain(why.exchange_rate),
        "estimated": quote.event.estimated,
        "basis": why.basis,
        "charges": [_charge(charge, why.price_currency) for charge in why.charges],
        "price": _price(quote.version) if quote.version else None,
        "fallback_meters": why.fallback_meters,
        "unpriced_meters": why.unpriced_meters,
        "reason": quote.reason,
    }


def _charge(charge: Charge, currency: str) -> dict[str, Any]:
    return {
        "meter": charge.meter,
        "side": charge.side,
        "quantity": charge.quantity,
        "unit_price": _plain(charge.unit_price),
        "per": charge.per,
        "currency": currency,
        "amount": f"{charge.amount:f}",
    }


def _price(version: PriceVersion) -> dict[str, Any]:
    return {
        "id": version.pk,
        "provider": version.model.provider.slug,
        "model": version.model.name,
        "service_tier": version.service_tier,
        "rate_card": version.rate_card.name,
        "currency": version.currency,
        "effective_from": version.effective_from,
        "effective_to": version.effective_to,
        "origin": version.origin,
    }


def _plain(value: Decimal) -> str:
    return f"{value.normalize():f}"
