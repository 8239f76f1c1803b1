"""`manage.py replay`: do the recorded decisions follow from what had happened before them?"""

from argparse import RawDescriptionHelpFormatter
from datetime import date, timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from budgets.replay.history import Difference, replay_history
from usage.selectors.periods import bounds_of

EXAMPLE = "Example:\n  manage.py replay --from 2026-11-01 --to 2026-11-08"
SHOWN = 20


class Command(BaseCommand):
    """Exit 0 when every decision comes out as recorded, 1 when some do not."""

    help = (
        "Play reservations, refusals, warnings and usage of a period in their order against the"
        " budgets of the time, and compare the decisions with those recorded. Requests that ran"
        " at the same moment have no order, and may come out otherwise."
    )

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        """Keep the line breaks of the example in `--help`."""
        kwargs |= {"epilog": EXAMPLE, "formatter_class": RawDescriptionHelpFormatter}
        return super().create_parser(prog_name, subcommand, **kwargs)

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the period, in days of UTC."""
        parser.add_argument("--from", dest="first", type=date.fromisoformat, required=True)
        parser.add_argument(
            "--to", type=date.fromisoformat, help="exclusive; without it one day is played"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Print what differs; CommandError (exit 1) where something does."""
        first = options["first"]
        last = options["to"] or first + timedelta(days=1)
        if last <= first:
            raise CommandError("--to must come after --from", returncode=2)
        bounds = bounds_of(first, last, "UTC")
        played = replay_history(bounds.start, bounds.end)
        for difference in played.differences[:SHOWN]:
            self.stdout.write(_line(difference))
        if played.differences:
            total = played.same + len(played.differences)
            raise CommandError(f"{len(played.differences)} of {total:,} decisions differ")
        self.stdout.write(f"{played.same:,} decisions come out as recorded")


def _line(difference: Difference) -> str:
    at = f"{difference.asked.at:%Y-%m-%d %H:%M:%S}"
    return f"{at}  {difference.about}: recorded {difference.recorded}, found {difference.found}"
