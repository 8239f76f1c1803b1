"""`manage.py prices`: sync, set and list the prices that usage is rated with."""

from argparse import ArgumentParser, RawDescriptionHelpFormatter
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from rich.console import Console

from pricing.management.prices_list import add_list_arguments, price_table
from pricing.management.prices_set import (
    add_alias_arguments,
    add_set_arguments,
    alias_lines,
    set_lines,
)
from pricing.management.prices_sync import add_sync_arguments, sync_lines

WIDTH_OF_FILES = 200
EXAMPLES = """examples:
  manage.py prices sync
  manage.py prices sync --source openrouter
  manage.py prices set --provider ollama --model llama3 --input 0 --output 0
  manage.py prices set --provider openai --model gpt-5 --input 1.25 --from 2026-11-01
  manage.py prices set --file prices.csv          (columns provider,model,meter,unit_price,currency)
  manage.py prices alias --provider openai --model gpt-5 --name our-deployment
  manage.py prices list --provider anthropic --model sonnet
"""


class Command(BaseCommand):
    """Prices are appended, never changed: setting the same ones again does nothing."""

    help = "Sync prices from a catalogue, set them by hand, or list those in force now."

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        """Keep the line breaks of the examples in `--help`."""
        kwargs |= {"epilog": EXAMPLES, "formatter_class": RawDescriptionHelpFormatter}
        return super().create_parser(prog_name, subcommand, **kwargs)

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare `sync`, `set`, `alias` and `list`."""
        actions = parser.add_subparsers(
            dest="action", metavar="{sync,set,alias,list}", required=True
        )
        for name, text, declare in (
            ("sync", "bring the stored prices up to date; repeatable", add_sync_arguments),
            ("set", "set prices of a model, or those of a file", add_set_arguments),
            ("alias", "give a model a further name", add_alias_arguments),
            ("list", "show the prices in force now", add_list_arguments),
        ):
            declare(actions.add_parser(name, help=text))

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the chosen action; CommandError (exit 1, or 2 for bad usage) where it fails."""
        match options["action"]:
            case "sync":
                lines = sync_lines(options["source"])
            case "set":
                lines = set_lines(options)
            case "alias":
                lines = alias_lines(options)
            case _:
                self._list(options["provider"], options["model"], options["card"])
                return
        for line in lines:
            self.stdout.write(line)

    def _list(self, provider: str, model: str, card: str) -> None:
        table = price_table(provider, model, card)
        console = Console(width=None if self.stdout.isatty() else WIDTH_OF_FILES)
        with console.capture() as captured:
            console.print(table)
        self.stdout.write(captured.get(), ending="")
