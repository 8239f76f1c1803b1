"""`manage.py import`: files of Claude Code, of native events, and of providers' bills."""

import getpass
from argparse import RawDescriptionHelpFormatter
from contextlib import ExitStack
from pathlib import Path
from typing import Any, TextIO

import msgspec
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser, OutputWrapper
from django.utils import timezone

from usage.bill_updates import take_files, told_files
from usage.bills.files import BillFile
from usage.bills.values import BillFault
from usage.importers.claude_code import Origin
from usage.importers.claude_code_import import ImportSummary, import_claude_code
from usage.importers.files import find_files, size_of
from usage.importers.native_files import HeaderError
from usage.importers.native_import import READERS, FileSummary, Refused, import_files
from usage.importers.progress import byte_progress
from usage.ingest.identities import find_tenants, tenant_of
from usage.ingest.pipeline import Caller
from usage.ingest.prepare import Tenancy, Tenant
from usage.models import BillSource, Organization
from usage.organizations import ensure_organization

DEFAULT_LOGS = "~/.claude/projects"
DEFAULT_ORGANIZATION = "default"
SHOWN = 20
EXAMPLES = """examples:
  manage.py import claude-code
  manage.py import claude-code ~/.claude/projects/-srv-shop --organization acme --team web
  manage.py import events usage.jsonl.gz july.csv --organization acme --errors refused.jsonl
  zcat old.csv.gz | manage.py import events - --format csv --site
  manage.py import bill --source "OpenAI account" costs.json usage.json
"""


class Command(BaseCommand):
    """Bring usage in from files; repeating an import changes nothing."""

    help = "Import usage from files. Safe to repeat: what is already stored is not counted again."

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        """Keep the line breaks of the examples in `--help`."""
        kwargs |= {"epilog": EXAMPLES, "formatter_class": RawDescriptionHelpFormatter}
        return super().create_parser(prog_name, subcommand, **kwargs)

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare `claude-code`, `events` and `bill`."""
        sources = parser.add_subparsers(
            dest="source", metavar="{claude-code,events,bill}", required=True
        )
        logs = sources.add_parser("claude-code", help="session logs that Claude Code writes")
        logs.add_argument("paths", nargs="*", metavar="PATH", help="files, folders or patterns")
        logs.add_argument("--organization", default=DEFAULT_ORGANIZATION, metavar="SLUG")
        logs.add_argument("--project", help="count all under this project, not each folder's own")
        logs.add_argument("--subject", help="who worked; the user of this computer if not given")
        logs.add_argument("--team", help="the team that worked")
        events = sources.add_parser("events", help="native events, JSON lines or CSV")
        events.add_argument("paths", nargs="+", metavar="FILE", help="files, - = standard input")
        whose = events.add_mutually_exclusive_group()
        whose.add_argument("--organization", default=DEFAULT_ORGANIZATION, metavar="SLUG")
        whose.add_argument(
            "--site", action="store_true", help="each event names its own organization"
        )
        events.add_argument("--format", choices=sorted(READERS), help="told by the file's name")
        events.add_argument("--errors", metavar="FILE", help="write all refused rows here, as JSON")
        bill = sources.add_parser("bill", help="a provider's usage and cost reports, JSON or CSV")
        bill.add_argument("paths", nargs="+", metavar="FILE", help="files of one report each")
        bill.add_argument("--source", required=True, metavar="NAME", dest="bill",
                          help="the provider bill, as it is named in the admin")  # fmt: skip
        bill.add_argument("--organization", metavar="SLUG", help="whose, where several have it")

    def handle(self, *_: Any, **options: Any) -> None:
        """Run the chosen import; CommandError (exit 1) when rows were refused or files fail."""
        ways = {
            "claude-code": self._import_logs,
            "events": self._import_events,
            "bill": self._import_bill,
        }
        try:
            ways[options["source"]](options)
        except (OSError, EOFError, HeaderError, BillFault) as error:
            raise CommandError(str(error)) from error

    def _import_logs(self, options: dict[str, Any]) -> None:
        files = find_files(options["paths"] or [DEFAULT_LOGS], (".jsonl", ".jsonl.gz"))
        origin = Origin(
            options["subject"] or getpass.getuser(), options["team"], options["project"]
        )
        caller = Caller(Tenancy(_tenant(options["organization"]), {}))
        with byte_progress("importing", size_of(files)) as advance:
            summary = import_claude_code(files, caller, origin, advance)
        for fault in summary.faults[:SHOWN]:
            self.stderr.write(f"{fault.place}: {fault.message}")
        self._more(summary.malformed + summary.refused - SHOWN)
        self.stdout.write(_tell_logs(summary))

    def _import_events(self, options: dict[str, Any]) -> None:
        paths: list[str] = options["paths"]
        with ExitStack() as stack:
            errors = options["errors"]
            file = stack.enter_context(Path(errors).open("w", encoding="utf-8")) if errors else None
            refused = _Refusals(self.stderr, file)
            advance = stack.enter_context(byte_progress("importing", size_of(paths)))
            caller = _caller(options)
            summary = import_files(paths, caller, refused.take, advance, options["format"])
        self._more(refused.count - SHOWN)
        self.stdout.write(_tell_events(summary))
        if refused.count:
            raise CommandError(f"{refused.count:,} of {summary.rows:,} rows were not stored")

    def _import_bill(self, options: dict[str, Any]) -> None:
        source = _bill_source(options["bill"], options["organization"])
        files = [BillFile(path, Path(path).read_bytes()) for path in options["paths"]]
        self.stdout.write(told_files(take_files(source, files, timezone.now())))

    def _more(self, count: int) -> None:
        if count > 0:
            self.stderr.write(f"… and {count:,} more")


class _Refusals:
    """Shows the first refused rows and writes all of them to a file, when one is wanted."""

    def __init__(self, shown_on: OutputWrapper, file: TextIO | None) -> None:
        self._shown_on, self._file, self.count = shown_on, file, 0

    def take(self, refused: Refused) -> None:
        """Note one row."""
        self.count += 1
        if self.count <= SHOWN:
            for error in refused.receipt.errors:
                self._shown_on.write(
                    f"{refused.file}:{refused.line}: {error.field or '-'} {error.code}:"
                    f" {error.message}"
                )
        if self._file is not None:
            self._file.write(msgspec.json.encode(refused.as_json()).decode() + "\n")


def _tenant(slug: str) -> Tenant:
    try:
        organization = ensure_organization(slug)
    except ValidationError as error:
        raise CommandError("; ".join(error.messages), returncode=2) from error
    if organization.archived_at is not None:
        raise CommandError(f"the organization {slug} is archived")
    return tenant_of(organization)


def _caller(options: dict[str, Any]) -> Caller:
    if not options["site"]:
        return Caller(Tenancy(_tenant(options["organization"]), {}))
    slugs = Organization.objects.values_list("slug", flat=True)
    return Caller(Tenancy(None, find_tenants(slugs)))


def _bill_source(name: str, slug: str | None) -> BillSource:
    named = BillSource.objects.filter(name=name, **({"organization__slug": slug} if slug else {}))
    found = list(named[:2])
    if not found:
        raise CommandError(f"there is no provider bill {name!r}", returncode=2)
    if len(found) > 1:
        raise CommandError(f"several have a bill {name!r}: add --organization", returncode=2)
    return found[0]


def _tell_logs(summary: ImportSummary) -> str:
    text = (
        f"{summary.files:,} files, {summary.lines:,} lines,"
        f" {summary.answers:,} answers with usage\n"
        f"{summary.new:,} events new, {summary.corrected:,} corrected,"
        f" {summary.duplicates:,} repeats, {summary.unpriced:,} unpriced\n"
        f"added {summary.input_tokens:,} input and {summary.output_tokens:,} output tokens,"
        f" {summary.cost:f} {settings.TALLYMAN_CURRENCY}"
    )
    if summary.malformed or summary.refused:
        text += (
            f"\nleft out: {summary.malformed:,} malformed lines, {summary.refused:,} refused events"
        )
    return text


def _tell_events(summary: FileSummary) -> str:
    return (
        f"{summary.rows:,} rows: {summary.accepted:,} accepted, {summary.duplicates:,} repeats,"
        f" {summary.conflicts:,} conflicts, {summary.rejected:,} rejected\n"
        f"added {summary.cost:f} {settings.TALLYMAN_CURRENCY}, {summary.unpriced:,} unpriced"
    )
