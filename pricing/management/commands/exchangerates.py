"""`manage.py exchangerates`: import, list and set the rates between currencies."""

from argparse import ArgumentParser, ArgumentTypeError, RawDescriptionHelpFormatter
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich import box
from rich.console import Console
from rich.table import Table

from pricing.exchange import DatedRate, check_rate, set_rates
from pricing.exchange_files import read_rates
from pricing.exchange_rates import recorded_rates
from pricing.models import ExchangeRate, PriceChange
from pricing.publishing import Provenance

COMMAND = "manage.py exchangerates"
EXAMPLES = """examples:
  manage.py exchangerates import eurofxref-hist.zip
  manage.py exchangerates import rates.csv        (columns day,base,quote,rate)
  manage.py exchangerates set USD EUR 0.9208 --day 2026-11-01
  manage.py exchangerates list --base EUR --quote USD
"""


class Command(BaseCommand):
    """Keep the rates that prices in another currency, and reports in one, are converted by."""

    help = "Import, list or set exchange rates. A rate holds until the next day that has one."

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        """Keep the line breaks of the examples in `--help`."""
        kwargs |= {"epilog": EXAMPLES, "formatter_class": RawDescriptionHelpFormatter}
        return super().create_parser(prog_name, subcommand, **kwargs)

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare `import`, `list` and `set`."""
        actions = parser.add_subparsers(dest="action", metavar="{import,list,set}", required=True)
        importing = actions.add_parser("import", help="store the rates of a file; repeatable")
        importing.add_argument("file", type=Path, help="XML, CSV or ZIP of the ECB, or our CSV")
        listing = actions.add_parser("list", help="show stored rates, the latest first")
        listing.add_argument("--base", default="", type=str.upper, metavar="EUR")
        listing.add_argument("--quote", default="", type=str.upper, metavar="USD")
        listing.add_argument("--limit", default=50, type=_count, help="rates shown (50)")
        setting = actions.add_parser("set", help="store one rate")
        setting.add_argument("base", type=str.upper, metavar="BASE")
        setting.add_argument("quote", type=str.upper, metavar="QUOTE")
        setting.add_argument("rate", type=_amount, metavar="RATE", help="what one BASE buys")
        setting.add_argument("--day", type=_day, help="from when on it holds (UTC); today")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the chosen action; CommandError (exit 1, or 2 for a bad rate) where it fails."""
        if options["action"] == "import":
            self._import(options["file"])
        elif options["action"] == "set":
            day = options["day"] or datetime.now(UTC).date()
            self._set(DatedRate(options["base"], options["quote"], day, options["rate"]))
        else:
            self._list(options["base"], options["quote"], options["limit"])

    def _import(self, path: Path) -> None:
        try:
            rates = read_rates(path.read_bytes(), path.name)
        except OSError as error:
            raise CommandError(f"{path}: {error.strerror or 'cannot be read'}") from None
        except ValueError as error:
            raise CommandError(str(error)) from None
        source = Provenance("file", source_version=path.name[:100], actor=COMMAND)
        self._tell(set_rates(rates, source), len(rates))

    def _set(self, rate: DatedRate) -> None:
        try:
            check_rate(rate)
        except ValueError as error:
            raise CommandError(str(error), returncode=2) from None
        self._tell(set_rates([rate], Provenance("manual", actor=COMMAND)), 1)

    def _tell(self, change: PriceChange, given: int) -> None:
        self.stdout.write(
            f"exchange rates: {change.count:,} stored, {given - change.count:,} known before"
        )

    def _list(self, base: str, quote: str, limit: int) -> None:
        rates = recorded_rates(base=base, quote=quote)[:limit]
        if not rates:
            raise CommandError("no exchange rates match; `exchangerates import` loads a file")
        console = Console()
        with console.capture() as captured:
            console.print(_table(list(rates)))
        self.stdout.write(captured.get(), ending="")


def _table(rates: list[ExchangeRate]) -> Table:
    table = Table("day", "one", "buys", box=box.SIMPLE_HEAD)
    table.add_column("of", no_wrap=True)
    table.add_column("origin", overflow="fold")
    table.columns[2].justify = "right"
    for rate in rates:
        amount = f"{rate.rate.normalize():f}"
        table.add_row(rate.day.isoformat(), rate.base, amount, rate.quote, rate.origin)
    return table


def _amount(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        raise ArgumentTypeError(f"{text!r} is not a rate such as 0.9208") from None


def _count(text: str) -> int:
    if text.isascii() and text.isdigit() and int(text[:9]) > 0:
        return int(text[:9])
    raise ArgumentTypeError(f"{text!r} is not a count")


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is not a day such as 2026-11-01") from None
