"""The columns of a FOCUS file, and how a charge fills them."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

import msgspec

from pricing.compiled import DECIMALS, EXACT
from usage.exports.encoding import Column, ColumnType

CONSUMED_DECIMALS = 10
PRICING_DECIMALS = 16
UNIT_PRICE_DECIMALS = 12
_PRODUCT_DECIMALS = PRICING_DECIMALS + UNIT_PRICE_DECIMALS
CORRECTION = "Correction"

_TEXT, _INSTANT, _JSON = ColumnType.TEXT, ColumnType.INSTANT, ColumnType.JSON


def _texts(*names: str) -> tuple[Column, ...]:
    return tuple(Column(name, _TEXT) for name in names)


def _decimal(name: str, scale: int) -> Column:
    return Column(name, ColumnType.DECIMAL, scale)


COLUMNS: Final[tuple[Column, ...]] = (
    _decimal("BilledCost", DECIMALS),
    *_texts("BillingAccountId", "BillingAccountName", "BillingAccountType", "BillingCurrency"),
    Column("BillingPeriodStart", _INSTANT),
    Column("BillingPeriodEnd", _INSTANT),
    *_texts("ChargeCategory", "ChargeClass", "ChargeDescription", "ChargeFrequency"),
    Column("ChargePeriodStart", _INSTANT),
    Column("ChargePeriodEnd", _INSTANT),
    *_texts(
        "CapacityReservationId", "CapacityReservationStatus", "CommitmentDiscountCategory",
        "CommitmentDiscountId", "CommitmentDiscountName",
    ),
    _decimal("CommitmentDiscountQuantity", CONSUMED_DECIMALS),
    *_texts("CommitmentDiscountStatus", "CommitmentDiscountType", "CommitmentDiscountUnit"),
    _decimal("ConsumedQuantity", CONSUMED_DECIMALS),
    Column("ConsumedUnit", _TEXT),
    _decimal("ContractedCost", _PRODUCT_DECIMALS),
    _decimal("ContractedUnitPrice", UNIT_PRICE_DECIMALS),
    _decimal("EffectiveCost", DECIMALS),
    *_texts("InvoiceId", "InvoiceIssuerName"),
    _decimal("ListCost", _PRODUCT_DECIMALS),
    _decimal("ListUnitPrice", UNIT_PRICE_DECIMALS),
    *_texts("PricingCategory", "PricingCurrency"),
    _decimal("PricingCurrencyContractedUnitPrice", UNIT_PRICE_DECIMALS),
    _decimal("PricingCurrencyEffectiveCost", DECIMALS),
    _decimal("PricingCurrencyListUnitPrice", UNIT_PRICE_DECIMALS),
    _decimal("PricingQuantity", PRICING_DECIMALS),
    *_texts(
        "PricingUnit", "ProviderName", "PublisherName", "ServiceProviderName", "HostProviderName",
        "AvailabilityZone", "RegionId", "RegionName", "ResourceId", "ResourceName", "ResourceType",
        "ServiceCategory", "ServiceName", "ServiceSubcategory", "SkuId", "SkuMeter", "SkuPriceId",
    ),
    Column("SkuPriceDetails", _JSON),
    *_texts("SubAccountId", "SubAccountName", "SubAccountType"),
    Column("Tags", _JSON),
    *_texts(
        "x_Model", "x_ReportedModel", "x_TokenType", "x_ServiceTier", "x_BillingScope",
        "x_Project", "x_CostCentre", "x_AdjustedMonth",
    ),
    _decimal("x_ExchangeRate", UNIT_PRICE_DECIMALS),
    Column("x_RequestCount", ColumnType.INTEGER),
)  # fmt: skip
"""The 57 columns of 1.2, the two provider names of 1.3 and our own, which begin with x_."""

CONSTANT = {
    "BillingAccountType": "Organization",
    "ChargeCategory": "Usage",
    "ChargeFrequency": "Usage-Based",
    "ServiceCategory": "AI and Machine Learning",
    "ServiceSubcategory": "Generative AI",
}
"""What is the same in every row."""

Cell = str | int | Decimal | datetime | msgspec.Raw | None
Texts = dict[str, str]


@dataclass(frozen=True, slots=True)
class Charge:
    """A row of a FOCUS file: `texts` has every column that is not null but the figures.

    Numbers and instants in `texts` are spelled out, so that a kept charge comes back to the
    letter. `day` is one of the organization's time zone, `effective_cost` in the ledger currency.
    """

    day: date
    texts: Texts
    consumed_quantity: Decimal
    pricing_quantity: Decimal
    effective_cost: Decimal
    request_count: int


def rounded(value: Decimal, decimals: int) -> Decimal:
    """`value` with at most `decimals` decimals, half up."""
    return value.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP, EXACT)


def plain(value: Decimal) -> Decimal:
    """The same number without trailing zeros and without an exponent."""
    shortest = value.normalize(EXACT)
    _, _, exponent = shortest.as_tuple()
    if isinstance(exponent, int) and exponent > 0:
        return shortest.quantize(Decimal(1), context=EXACT)
    return shortest


def row_of(charge: Charge) -> tuple[Cell, ...]:
    """The cells of a charge in the order of COLUMNS.

    List and contracted cost are exactly what the unit prices make of the pricing quantity;
    without a unit price they are the effective cost.
    """
    texts = charge.texts
    cost, quantity = charge.effective_cost, charge.pricing_quantity
    figures: dict[str, Decimal | int | None] = {
        "BilledCost": cost,
        "EffectiveCost": cost,
        "ListCost": _product(texts.get("ListUnitPrice"), quantity, cost),
        "ContractedCost": _product(texts.get("ContractedUnitPrice"), quantity, cost),
        "ConsumedQuantity": charge.consumed_quantity if "ConsumedUnit" in texts else None,
        "PricingQuantity": quantity if "PricingUnit" in texts else None,
        "PricingCurrencyEffectiveCost": _unconverted(cost, texts.get("x_ExchangeRate")),
        "x_RequestCount": charge.request_count,
    }
    cells: list[Cell] = [None] * len(COLUMNS)
    for name, text in texts.items():
        position, read = _PLACES[name]
        cells[position] = text if read is None else read(text)
    for name, figure in figures.items():
        position, _ = _PLACES[name]
        cells[position] = plain(figure) if isinstance(figure, Decimal) else figure
    return tuple(cells)


def _json(text: str) -> msgspec.Raw:
    return msgspec.Raw(text.encode())


_READ: dict[ColumnType, Callable[[str], Cell]] = {
    ColumnType.JSON: _json,
    ColumnType.INSTANT: datetime.fromisoformat,
    ColumnType.DECIMAL: Decimal,
}
_PLACES = {
    column.name: (position, _READ.get(column.type)) for position, column in enumerate(COLUMNS)
}


def _product(unit_price: str | None, quantity: Decimal, otherwise: Decimal) -> Decimal:
    return otherwise if unit_price is None else EXACT.multiply(Decimal(unit_price), quantity)


def _unconverted(cost: Decimal, exchange_rate: str | None) -> Decimal:
    if exchange_rate is None:
        return cost
    return rounded(EXACT.divide(cost, Decimal(exchange_rate)), DECIMALS)
