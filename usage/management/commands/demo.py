"""`manage.py demo`: a believable year of three organizations, to look at the product with."""

import time
from argparse import RawDescriptionHelpFormatter
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from usage.demo.cast import COMPANIES
from usage.demo.stage import NoPrices, fill, is_filled, settle
from usage.demo.year import Plan
from usage.importers.progress import count_progress

EXAMPLES = """examples:
  manage.py demo
  manage.py demo --days 30 --scale 0.1 --seed 7
"""


class Command(BaseCommand):
    """Fill the installation with demonstration data, once."""

    help = "Fill the installation with a year of demonstration data, unless it has some."

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        """Keep the line breaks of the examples in `--help`."""
        kwargs |= {"epilog": EXAMPLES, "formatter_class": RawDescriptionHelpFormatter}
        return super().create_parser(prog_name, subcommand, **kwargs)

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument("--seed", type=int, default=1, help="another seed, another year")
        parser.add_argument("--days", type=int, default=365, help="days up to today")
        parser.add_argument("--scale", type=float, default=1.0, help="1 = some 300,000 events")
        parser.add_argument(
            "--force", action="store_true", help="add what is missing though there is some"
        )

    def handle(self, *_: Any, **options: Any) -> None:
        """Make, store and sum up the events; CommandError (exit 2 or 1) when that cannot be."""
        if not 1 <= options["days"] <= 2_000 or not 0 < options["scale"] <= 100:
            raise CommandError("--days is 1 to 2,000, --scale above 0 to 100", returncode=2)
        if is_filled() and not options["force"]:
            self.stdout.write("demo: the demonstration data is already there")
            return
        plan = Plan(options["seed"], datetime.now(UTC), options["days"], options["scale"])
        began = time.monotonic()
        try:
            with count_progress("demo data", plan.days + 1) as advance:
                filled = fill(plan, advance)
        except NoPrices as error:
            raise CommandError(str(error)) from error
        settle()
        names = ", ".join(company.slug for company in COMPANIES)
        self.stdout.write(
            f"demo: {filled.accepted:,} events for {names} ({filled.unpriced:,} unpriced),"
            f" {filled.repeated:,} were there before, in {time.monotonic() - began:.0f} s"
        )
