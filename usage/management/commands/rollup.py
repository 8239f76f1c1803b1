"""`manage.py rollup`: sum up now what beat would sum up later, or everything anew."""

from argparse import ArgumentTypeError, RawDescriptionHelpFormatter
from datetime import date, timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from usage.rollups import RollupResult, rebuild, roll_up

EXAMPLES = """examples:
  manage.py rollup
  manage.py rollup --rebuild --from 2026-11-01 --to 2026-12-01
"""


class Command(BaseCommand):
    """Roll up what is dirty, or with `--rebuild` recompute from events."""

    help = "Roll up all that is dirty now, waiting for other roll-ups; or rebuild the sums."

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        """Keep the line breaks of the examples in `--help`."""
        kwargs |= {"epilog": EXAMPLES, "formatter_class": RawDescriptionHelpFormatter}
        return super().create_parser(prog_name, subcommand, **kwargs)

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument("--rebuild", action="store_true", help="recompute from events")
        for name, meaning in (("from", "first day to rebuild"), ("to", "day to stop before")):
            parser.add_argument(
                f"--{name}", dest=name, type=_day, metavar="YYYY-MM-DD",
                help=f"{meaning}, in each organization's time zone",
            )  # fmt: skip

    def handle(self, *args: Any, **options: Any) -> None:
        """Do it and print how much; CommandError (exit 2) for bounds that make no sense."""
        first, end = options["from"], options["to"]
        if (first or end) and not options["rebuild"]:
            raise CommandError("--from and --to need --rebuild", returncode=2)
        if first and end and first >= end:
            raise CommandError("--to must come after --from", returncode=2)
        done = RollupResult()
        if options["rebuild"]:
            done += rebuild(first, end - timedelta(days=1) if end else None)
        done += roll_up(wait=True)
        self.stdout.write(
            f"rolled up {done.buckets:,} buckets, {done.days:,} days, {done.months:,} months,"
            f" {done.sessions:,} sessions, {done.runs:,} runs"
        )


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise ArgumentTypeError(f"{text!r} is not a day such as 2026-11-01") from error
