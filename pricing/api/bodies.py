"""The body of `PUT /prices/` → price items, every fault named by item and field."""

import re
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import Annotated

import msgspec

from pricing.publishing import PriceError, PriceFault, PriceItem

MAX_PRICES = 10_000
_MOST = f"A request sets at most {MAX_PRICES} prices."
_PLACE = re.compile(r"(?P<what>.*?) - at `\$\.?(?P<path>[^`]*)`\Z")
_MISSING = re.compile(r"Object missing required field `(.+)`\Z")
_UNKNOWN = re.compile(r"Object contains unknown field `(.+)`\Z")

_Aware = Annotated[datetime, msgspec.Meta(tz=True)]


class TierBody(msgspec.Struct, forbid_unknown_fields=True):
    """What units beyond `above` cost."""

    above: int
    unit_price: Decimal


class PriceBody(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """One price to set, of `per` units, from `effective_from` on: by default from now, or for
    all time where it is the first of its model."""

    provider: str
    model: str
    meter: str
    unit_price: Decimal
    currency: str
    per: int = 1_000_000
    service_tier: str = "standard"
    effective_from: _Aware | None = None
    tiers: list[TierBody] = []
    graduated: bool = False
    reason: str = ""


class _Body(msgspec.Struct, forbid_unknown_fields=True):
    prices: list[msgspec.Raw]


_body = msgspec.json.Decoder(_Body)
_price = msgspec.json.Decoder(PriceBody)


class MalformedBody(ValueError):
    """The body is no JSON at all; the message tells where it breaks."""


def read_prices(body: bytes) -> list[PriceItem]:
    """The items of `{"prices": […]}`, amounts exactly as written.

    Raises MalformedBody, or PriceError naming each item that is not understood; the rules prices
    must keep are checked when they are set.
    """
    try:
        raws = _body.decode(body).prices
    except msgspec.ValidationError as error:
        raise PriceError(fault_of(str(error))) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise MalformedBody(f"The body is not valid JSON: {error}.") from error
    if len(raws) > MAX_PRICES:
        raise PriceError(PriceFault("prices", "too_many", _MOST))
    faults: list[PriceFault] = []
    items = list(_items(raws, faults))
    if faults:
        raise PriceError(*faults)
    return items


def _items(raws: list[msgspec.Raw], faults: list[PriceFault]) -> Iterator[PriceItem]:
    for index, raw in enumerate(raws):
        try:
            price = _price.decode(raw)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            faults.append(fault_of(str(error), index))
            continue
        yield PriceItem(
            provider=price.provider,
            model=price.model,
            meter=price.meter,
            unit_price=price.unit_price,
            currency=price.currency,
            per=price.per,
            service_tier=price.service_tier,
            effective_from=price.effective_from,
            tiers=tuple((tier.above, tier.unit_price) for tier in price.tiers),
            graduated=price.graduated,
            reason=price.reason,
        )


def fault_of(message: str, index: int | None = None, root: str = "prices") -> PriceFault:
    """What msgspec says is wrong with a body, by field; `root` where that is all of it."""
    found = _PLACE.match(message)
    what, path = (found["what"], found["path"]) if found else (message, "")
    for pattern, code, text in (
        (_MISSING, "required", "This field is required."),
        (_UNKNOWN, "unknown_field", "There is no such field."),
    ):
        if named := pattern.match(what):
            field = f"{path}.{named[1]}" if path else named[1]
            return PriceFault(field, code, text, index)
    return PriceFault(path or root, "invalid", f"{what}.", index)
