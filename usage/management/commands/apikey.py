"""`manage.py apikey`: make, list and revoke API keys."""

import re
from argparse import ArgumentTypeError, RawDescriptionHelpFormatter
from datetime import UTC, datetime, timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich import box
from rich.console import Console
from rich.table import Table

from usage.keys import create_key, revoke_key
from usage.models import APIKey
from usage.models.keys import KEY_MARK
from usage.selectors.keys import ListedKey, list_keys

EXAMPLES = """examples:
  manage.py apikey create --organization acme --scope ingest --scope read --expires 90d
  manage.py apikey create --organization acme --scope ingest --provider openrouter
  manage.py apikey create --site --scope read --name dashboards
  manage.py apikey revoke tm_AbCd1234
"""
WIDTH_OF_FILES = 200
LONGEST = timedelta(days=36_500)
_UNITS = {"d": timedelta(days=1), "h": timedelta(hours=1), "m": timedelta(minutes=1)}


class Command(BaseCommand):
    """`create` prints the key alone on stdout, once; only its digest is kept."""

    help = "Make, list and revoke API keys."

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        """Keep the line breaks of the examples in `--help`."""
        kwargs |= {"epilog": EXAMPLES, "formatter_class": RawDescriptionHelpFormatter}
        return super().create_parser(prog_name, subcommand, **kwargs)

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare `create`, `list` and `revoke`."""
        actions = parser.add_subparsers(dest="action", required=True)
        create = actions.add_parser("create", help="make a key and print it, this once")
        owner = create.add_mutually_exclusive_group(required=True)
        owner.add_argument("--organization", metavar="SLUG", help="made if it is missing")
        owner.add_argument("--site", action="store_true", help="valid for every organization")
        create.add_argument(
            "--scope", action="append", required=True, choices=APIKey.Scope.values,
            help="what the key may do; repeatable",
        )  # fmt: skip
        create.add_argument("--name", default="default", help="what the key is for")
        create.add_argument(
            "--provider", default="", metavar="NAME", help="the provider of events that name none"
        )
        create.add_argument("--expires", type=_period, help="from now, such as 90d or 12h")
        listing = actions.add_parser("list", help="show keys, newest first, never their secrets")
        listing.add_argument("--organization", metavar="SLUG", default="", help="only its keys")
        revoke = actions.add_parser("revoke", help="end a key for ever")
        revoke.add_argument("prefix", help="the visible beginning of the key")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the chosen action."""
        if options["action"] == "create":
            self._create(options)
        elif options["action"] == "list":
            self._list(options["organization"])
        else:
            self._revoke(options["prefix"])

    def _create(self, options: dict[str, Any]) -> None:
        try:
            _, secret = create_key(
                options["organization"],
                options["scope"],
                options["name"],
                options["expires"],
                options["provider"],
            )
        except ValidationError as error:
            raise CommandError(" ".join(error.messages), returncode=2) from error
        self.stdout.write(secret)

    def _list(self, organization: str) -> None:
        console = Console(width=None if self.stdout.isatty() else WIDTH_OF_FILES)
        with console.capture() as captured:
            console.print(_table(list_keys(organization)))
        self.stdout.write(captured.get(), ending="")

    def _revoke(self, prefix: str) -> None:
        try:
            key = revoke_key(prefix)
        except APIKey.DoesNotExist as error:
            raise CommandError(f"there is no key {prefix!r}") from error
        self.stdout.write(f"revoked {KEY_MARK}{key.prefix} ({key.name})")


def _period(text: str) -> timedelta:
    match = re.fullmatch(r"(\d{1,9})([dhm])", text)
    length = int(match[1]) * _UNITS[match[2]] if match else timedelta()
    if not timedelta() < length <= LONGEST:
        raise ArgumentTypeError(f"{text!r} is no period such as 90d, 12h or 30m")
    return length


def _table(keys: list[ListedKey]) -> Table:
    headings = (
        "key", "name", "organization", "scopes", "provider", "created", "last used", "expires",
        "state",
    )  # fmt: skip
    table = Table(box=box.SIMPLE_HEAD)
    for heading in headings:
        table.add_column(heading, no_wrap=heading == headings[0], overflow="fold")
    for key in keys:
        table.add_row(
            f"{KEY_MARK}{key.prefix}…",
            key.name,
            key.organization or "(site)",
            " ".join(key.scopes),
            key.provider,
            _time(key.created),
            _time(key.last_used_at),
            _time(key.expires_at),
            key.state(datetime.now(UTC)),
        )
    return table


def _time(instant: datetime | None) -> str:
    return instant.astimezone(UTC).strftime("%Y-%m-%d %H:%M") if instant else ""
