"""`manage.py rerate`: what other prices would mean for stored events, and making it so."""

from argparse import ArgumentTypeError, RawDescriptionHelpFormatter
from datetime import date
from decimal import Decimal
from typing import Any, Literal

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich import box
from rich.console import Console
from rich.table import Table

from usage.formats import money, rounded
from usage.models import Organization, RatingRun
from usage.rerating import (
    RatingRefused,
    apply_run,
    finish_run,
    plan_run,
    request_run,
    roll_back_run,
)
from usage.rollups.calendar import start_of
from usage.selectors.rating_runs import RunTotal, totals_by

EXAMPLES = """examples:
  manage.py rerate --from 2026-10-01 --to 2026-11-01
  manage.py rerate --from 2026-10-01 --to 2026-11-01 --model gpt-4o --reason "price fix" --apply
  manage.py rerate --run 12 --apply
  manage.py rerate --roll-back 12
"""
LISTED = 50
_Status = RatingRun.Status
_WINDOW = ("from", "to", "model", "provider", "organization", "unpriced", "reason")


class Command(BaseCommand):
    """Plan a re-rating (a dry run), apply one, roll one back, or list them."""

    help = "Rate stored events by the present prices: a dry run unless --apply is given."

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        """Keep the line breaks of the examples in `--help`."""
        kwargs |= {"epilog": EXAMPLES, "formatter_class": RawDescriptionHelpFormatter}
        return super().create_parser(prog_name, subcommand, **kwargs)

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        for name, meaning in (("from", "first day"), ("to", "day to stop before")):
            parser.add_argument(
                f"--{name}", type=_day, metavar="YYYY-MM-DD",
                help=f"{meaning}, in TALLYMAN_TIME_ZONE ({settings.TALLYMAN_TIME_ZONE})",
            )  # fmt: skip
        parser.add_argument("--model", default="", help="only this model, as events name it")
        parser.add_argument("--provider", default="", help="only this provider")
        parser.add_argument("--organization", metavar="SLUG", help="only this organization")
        parser.add_argument("--unpriced", action="store_true", help="only events without a price")
        parser.add_argument("--reason", default="", help="kept with the run")
        parser.add_argument("--apply", action="store_true", help="make the difference real")
        which = parser.add_mutually_exclusive_group()
        which.add_argument("--run", type=int, metavar="N", help="show or apply this dry run")
        which.add_argument("--roll-back", type=int, metavar="N", help="undo this run exactly")
        which.add_argument("--list", action="store_true", help="show the latest runs")

    def handle(self, *args: Any, **options: Any) -> None:
        """Do what was asked; CommandError 2 for bad usage, 1 when it cannot be done."""
        if options["list"] or options["run"] or options["roll_back"]:
            _refuse_window(options)
        try:
            if options["list"]:
                self._show(_list())
            elif options["roll_back"]:
                self._finish(roll_back_run(_find(options["roll_back"])))
            else:
                run = _find(options["run"]) if options["run"] else _planned(options)
                self._report(run)
                if options["apply"]:
                    self._apply(run)
        except RatingRefused as refused:
            raise CommandError(str(refused)) from refused

    def _apply(self, run: RatingRun) -> None:
        if not run.changed and run.status == _Status.PLANNED:
            self.stdout.write("nothing to apply")
            return
        run = apply_run(run)
        if run.status == _Status.AWAITING:
            self.stdout.write(f"re-rating {run.pk} waits for a second person's approval")
            return
        self._finish(run)

    def _finish(self, run: RatingRun) -> None:
        run = finish_run(run)
        if run.error:
            raise CommandError(run.error)
        self.stdout.write(
            f"re-rating {run.pk}: {run.get_status_display().lower()};"
            f" {run.changed:,} events changed, {run.adjusted:,} adjusted, {run.skipped:,} skipped"
        )

    def _report(self, run: RatingRun) -> None:
        if run.status == _Status.FAILED:
            raise CommandError(f"re-rating {run.pk} failed: {run.error}")
        for what in ("organization", "model", "day"):
            totals = totals_by(run, what)
            if totals:
                self._show(_differences(what, totals))
        currency = settings.TALLYMAN_CURRENCY
        self.stdout.write(
            f"re-rating {run.pk} ({run.get_status_display().lower()}): {run.examined:,} events"
            f" examined, {run.changed:,} would change,"
            f" {money(run.before_cost, currency, 4)} before, {money(run.after_cost, currency, 4)}"
            f" after; unpriced {run.before_unpriced:,} before, {run.after_unpriced:,} after"
        )

    def _show(self, table: Table) -> None:
        console = Console()
        with console.capture() as captured:
            console.print(table)
        self.stdout.write(captured.get(), ending="")


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise ArgumentTypeError(f"{text!r} is not a day such as 2026-11-01") from error


def _refuse_window(options: dict[str, Any]) -> None:
    given = [name for name in _WINDOW if options[name]]
    if given:
        raise CommandError(
            f"--{given[0]} asks for a new run; leave it out with --run, --roll-back and --list",
            returncode=2,
        )
    if options["apply"] and not options["run"]:
        raise CommandError("--apply goes with --run or with --from and --to", returncode=2)


def _planned(options: dict[str, Any]) -> RatingRun:
    first, end = options["from"], options["to"]
    if not first or not end:
        raise CommandError("--from and --to are needed", returncode=2)
    if first >= end:
        raise CommandError("--to must come after --from", returncode=2)
    organization = None
    if options["organization"]:
        organization = Organization.objects.filter(slug=options["organization"]).first()
        if organization is None:
            raise CommandError(f"there is no organization {options['organization']!r}")
    zone = settings.TALLYMAN_TIME_ZONE
    return plan_run(
        request_run(
            start=start_of(first, zone),
            end=start_of(end, zone),
            organization=organization,
            provider=options["provider"],
            model=options["model"],
            only_unpriced=options["unpriced"],
            reason=options["reason"],
        )
    )


def _find(number: int) -> RatingRun:
    run = RatingRun.objects.filter(pk=number).first()
    if run is None:
        raise CommandError(f"there is no re-rating {number}")
    return run


def _differences(what: Literal["organization", "model", "day"], totals: list[RunTotal]) -> Table:
    table = Table(what, box=box.SIMPLE_HEAD)
    for heading in ("events", "before", "after", "difference"):
        table.add_column(heading, justify="right", no_wrap=True)
    for total in totals:
        table.add_row(
            total.name, f"{total.events:,}", _amount(total.before), _amount(total.after),
            f"{rounded(total.difference, 4):+,f}",
        )  # fmt: skip
    return table


def _amount(value: Decimal) -> str:
    return f"{rounded(value, 4):,f}"


def _list() -> Table:
    table = Table("run", "status", "from", "to", "organization", "why", box=box.SIMPLE_HEAD)
    for heading in ("changed", "difference"):
        table.add_column(heading, justify="right", no_wrap=True)
    for run in RatingRun.objects.select_related("organization")[:LISTED]:
        table.add_row(
            str(run.pk), run.get_status_display(), f"{run.start:%Y-%m-%d %H:%M}",
            f"{run.end:%Y-%m-%d %H:%M}", run.organization.slug if run.organization else "all",
            run.reason or run.get_cause_display(), f"{run.changed:,}",
            f"{rounded(run.after_cost - run.before_cost, 4):+,f}",
        )  # fmt: skip
    return table
