"""`manage.py verify`: do stored events and their sums agree?"""

from argparse import RawDescriptionHelpFormatter
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.console import Console
from rich.table import Table

from usage.verification import PLACEMENT, Drift, Verification, verify


class Command(BaseCommand):
    """Exit 0 when everything agrees, 1 with a table of differences when not."""

    help = "Compare events, rollups and event keys in one snapshot of the database."
    example = "Example:\n  manage.py verify || manage.py rollup --rebuild"

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        """Keep the line breaks of the example in `--help`."""
        kwargs |= {"epilog": self.example, "formatter_class": RawDescriptionHelpFormatter}
        return super().create_parser(prog_name, subcommand, **kwargs)

    def handle(self, *args: Any, **options: Any) -> None:
        """Print what was found; CommandError (exit 1) on drift."""
        self.tell(verify())

    def tell(self, found: Verification, more: str = "") -> None:
        """Print what was found, with what else was compared; CommandError (exit 1) on drift."""
        if found.drifts:
            console = Console()
            with console.capture() as captured:
                console.print(_table(found.drifts))
            self.stdout.write(captured.get(), ending="")
            raise CommandError(f"{len(found.drifts)} figures differ{_pending(found)}")
        told = f"{found.events:,} events{more} and all their sums agree{_pending(found)}"
        self.stdout.write(told)


def _pending(found: Verification) -> str:
    if not found.pending_buckets:
        return ""
    return f"; {found.pending_buckets:,} buckets wait to be rolled up and were left out"


def _table(drifts: list[Drift]) -> Table:
    table = Table("check", "organization", "month", "figure", title="drift")
    table.add_column("expected", justify="right")
    table.add_column("found", justify="right")
    for drift in drifts:
        month = drift.month.strftime("%Y-%m") if drift.month else ""
        values = (
            ("", "under other names")
            if drift.figure == PLACEMENT
            else (f"{drift.expected:,f}", f"{drift.found:,f}")
        )
        table.add_row(drift.check, drift.organization or "", month, drift.figure, *values)
    return table
