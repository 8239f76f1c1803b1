"""`manage.py prices`: load the price catalogue, list prices."""

from argparse import ArgumentParser, RawDescriptionHelpFormatter
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from rich import box
from rich.console import Console
from rich.table import Table

from pricing.catalogue import load_catalogue
from pricing.rating import MeterPrice
from pricing.selectors import StoredVersion, price_list

EXAMPLES = """examples:
  manage.py prices sync
  manage.py prices list --provider anthropic --model sonnet
"""


class Command(BaseCommand):
    """Sync and list the prices that usage is rated with."""

    help = "Load the price catalogue, or list the prices in force now."

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        """Keep the line breaks of the examples in `--help`."""
        kwargs |= {"epilog": EXAMPLES, "formatter_class": RawDescriptionHelpFormatter}
        return super().create_parser(prog_name, subcommand, **kwargs)

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare `sync` and `list`."""
        actions = parser.add_subparsers(dest="action", metavar="{sync,list}", required=True)
        sync = actions.add_parser("sync", help="bring the stored prices up to date; repeatable")
        sync.add_argument("--source", choices=["genai-prices"], default="genai-prices")
        listing = actions.add_parser("list", help="show the prices in force now")
        listing.add_argument("--provider", default="", help="a provider's slug, such as openai")
        listing.add_argument("--model", default="", help="part of a model's name")
        listing.add_argument("--card", default="", help="a rate card's name, such as manual")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the chosen action; CommandError (exit 1) when nothing matches."""
        if options["action"] == "sync":
            self._sync()
        else:
            self._list(options["provider"], options["model"], options["card"])

    def _sync(self) -> None:
        result = load_catalogue()
        self.stdout.write(
            f"prices: {result.added:,} added, {result.closed:,} closed,"
            f" {result.unchanged:,} unchanged"
        )

    def _list(self, provider: str, model: str, card: str) -> None:
        versions = price_list(timezone.now(), provider=provider, model=model, rate_card=card)
        if not versions:
            raise CommandError("no prices match; `prices sync` loads the catalogue")
        console = Console()
        with console.capture() as captured:
            console.print(_table(versions))
        self.stdout.write(captured.get(), ending="")


def _table(versions: list[StoredVersion]) -> Table:
    table = Table(box=box.SIMPLE_HEAD)
    for heading in ("provider", "model", "tier", "meter"):
        table.add_column(heading, overflow="fold")
    for heading in ("price", "per"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("since", no_wrap=True)
    for version in versions:
        for price in version.prices:
            table.add_row(
                version.provider,
                version.model,
                _tier(version),
                price.meter,
                _amount(price, version.currency),
                f"{price.per:,}",
                _since(version),
            )
    return table


def _tier(version: StoredVersion) -> str:
    if version.utc_from is None or version.utc_until is None:
        return version.service_tier
    return f"{version.service_tier} {version.utc_from:%H:%M}-{version.utc_until:%H:%M} UTC"


def _amount(price: MeterPrice, currency: str) -> str:
    steps = (f"; above {above:,}: {unit.normalize():f}" for above, unit in price.tiers)
    return f"{price.unit_price.normalize():f} {currency}" + "".join(steps)


def _since(version: StoredVersion) -> str:
    return f"{version.effective_from:%Y-%m-%d}" if version.effective_from.year > 1970 else "always"
