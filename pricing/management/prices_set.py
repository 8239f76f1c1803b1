"""`manage.py prices set` and `prices alias`: their arguments and what they print."""

from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError

from pricing.directory import ModelDirectory
from pricing.models import MatchRule, PriceChange, PriceVersion, RateCard
from pricing.models.rates import BEGINNING
from pricing.price_files import read_price_file
from pricing.publishing import PriceError, PriceItem, Provenance, add_alias, set_prices
from pricing.publishing.names import known_models
from pricing.selectors import MANUAL, named_card

ORIGIN = "command"
METER_OPTIONS = {
    "input": "input_tokens",
    "output": "output_tokens",
    "cache_read": "cache_read_tokens",
    "cache_write": "cache_write_tokens",
    "cache_write_1h": "cache_write_1h_tokens",
    "reasoning": "reasoning_tokens",
}


def add_set_arguments(parser: ArgumentParser) -> None:
    """Declare the options of `set`."""
    parser.add_argument(
        "--file", type=Path, metavar="PRICES", help="a .json or .csv file of prices; repeatable"
    )
    parser.add_argument("--provider", metavar="NAME", help="who bills for the calls")
    parser.add_argument("--model", metavar="NAME", help="made if it is missing")
    for name, meter in METER_OPTIONS.items():
        parser.add_argument(
            f"--{name.replace('_', '-')}",
            type=_amount,
            metavar="PRICE",
            help=f"of 1,000,000 {meter.replace('_', ' ')}",
        )
    parser.add_argument(
        "--meter",
        action="append",
        default=[],
        type=_meter,
        metavar="NAME=PRICE",
        help="of 1,000,000 units of any other meter; repeatable",
    )
    parser.add_argument(
        "--currency", default=settings.TALLYMAN_CURRENCY, help="(default: %(default)s)"
    )
    parser.add_argument(
        "--tier", default="standard", choices=PriceVersion.ServiceTier.values, help="service tier"
    )
    parser.add_argument(
        "--from",
        dest="since",
        type=_instant,
        metavar="DAY",
        help="when they begin to hold: a day (UTC) or a time with offset (default: now, or always"
        " for the first price of a model)",
    )
    parser.add_argument(
        "--card", default=MANUAL, metavar="NAME", help="rate card (default: %(default)s)"
    )
    parser.add_argument("--reason", default="", help="kept with the prices")


def add_alias_arguments(parser: ArgumentParser) -> None:
    """Declare the options of `alias`."""
    parser.add_argument("--provider", required=True, metavar="NAME")
    parser.add_argument("--model", required=True, metavar="NAME", help="a model that is known")
    parser.add_argument("--name", required=True, help="what calls report")
    parser.add_argument(
        "--kind",
        default=MatchRule.Kind.EXACT,
        choices=[MatchRule.Kind.EXACT, MatchRule.Kind.PREFIX, MatchRule.Kind.PATTERN],
        help="how the name is compared, in lower case (default: %(default)s)",
    )
    parser.add_argument("--reason", default="", help="kept in the record")


def set_lines(options: Mapping[str, Any]) -> Iterator[str]:
    """Set the prices asked for and tell what changed. Raises CommandError."""
    items = _items(options)
    source = Provenance(ORIGIN, reason=options["reason"], actor="prices set")
    try:
        change = set_prices(_card(options["card"]), items, source)
    except PriceError as error:
        raise CommandError(str(error)) from None
    yield _told(change)
    for warning in change.details["warnings"]:
        yield f"warning: {warning}"


def alias_lines(options: Mapping[str, Any]) -> Iterator[str]:
    """Give a known model a further name and tell so. Raises CommandError."""
    name = (options["provider"], options["model"])
    model = known_models([name], ModelDirectory())[name].row
    if model is None:
        raise CommandError(f"there is no model {name[1]!r} of {name[0]!r}; `prices set` makes it")
    source = Provenance(ORIGIN, reason=options["reason"], actor="prices alias")
    try:
        change = add_alias(model, options["kind"], options["name"], source)
    except PriceError as error:
        raise CommandError(str(error)) from None
    known = "now means" if change.count else "means already"
    yield f"{options['kind']} {options['name']} {known} {model.provider}/{model}"


def _items(options: Mapping[str, Any]) -> list[PriceItem]:
    prices = {
        meter: options[name] for name, meter in METER_OPTIONS.items() if options[name] is not None
    }
    prices.update(options["meter"])
    if options["file"] is not None:
        if prices or options["provider"] or options["model"]:
            raise CommandError("give either --file or prices, not both", returncode=2)
        return _read(options["file"])
    if not (options["provider"] and options["model"] and prices):
        raise CommandError(
            "give --provider, --model and a price such as --input 3, or --file", returncode=2
        )
    return [
        PriceItem(
            provider=options["provider"],
            model=options["model"],
            meter=meter,
            unit_price=unit_price,
            currency=options["currency"],
            service_tier=options["tier"],
            effective_from=options["since"],
        )
        for meter, unit_price in prices.items()
    ]


def _read(path: Path) -> list[PriceItem]:
    try:
        return read_price_file(path)
    except OSError as error:
        raise CommandError(f"{path}: {error.strerror or 'cannot be read'}") from None
    except ValueError as error:
        raise CommandError(f"{path}: {error}") from None


def _card(name: str) -> RateCard:
    if name == MANUAL:
        return named_card(MANUAL)
    card = RateCard.objects.filter(name=name).first()
    if card is None:
        raise CommandError(f"there is no rate card {name!r}; the admin makes contracted ones")
    return card


def _told(change: PriceChange) -> str:
    if not change.count:
        return "prices: unchanged"
    always = change.holds_from == BEGINNING
    since = "for all time" if always else f"from {change.holds_from:%Y-%m-%d %H:%M} UTC on"
    return f"prices: {change.count:,} set {since}"


def _amount(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        raise ArgumentTypeError(f"{text!r} is no number") from None


def _meter(text: str) -> tuple[str, Decimal]:
    name, _, amount = text.partition("=")
    return name.strip(), _amount(amount.strip())


def _instant(text: str) -> datetime:
    try:
        if len(text) == len("2026-11-01"):
            return datetime.combine(date.fromisoformat(text), time(), tzinfo=UTC)
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is neither a day nor a time") from None
    if instant.utcoffset() is None:
        raise ArgumentTypeError("a time needs an offset, as in 2026-11-01T00:00:00+01:00")
    return instant
