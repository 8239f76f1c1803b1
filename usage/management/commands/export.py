"""`manage.py export`: events, sums or FOCUS charges as a file, written while they are read."""

import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Annotated, BinaryIO

from django.db import DatabaseError
from django_typer.management import command
from typer import Argument, Option

from usage.api.questions import FocusQuestion
from usage.exports.charges import events_without_charge, keep_closed_months
from usage.exports.encoding import Row, encode
from usage.exports.files import Question, about_how_many, check, open_table, read_parameters
from usage.exports.snapshot import snapshot_for_file
from usage.formats import quantity
from usage.importers.progress import count_progress
from usage.management.typed import TypedCommand
from usage.models import Export, Organization
from usage.selectors.access import EVERYTHING
from usage.selectors.questions import QuestionError

EPILOG = """\b
examples:
  manage.py export focus --from 2026-11-01 --to 2026-12-01 --output november.csv
  manage.py export focus --from 2026-11-01 --to 2026-12-01 --format parquet --output nov.parquet
  manage.py export usage --from 2026-11-01 --to 2026-12-01 --granularity day --group-by project
  manage.py export events --organization acme --format json | jq length
"""
STDOUT = "-"
_STEP = 1_000


class Command(TypedCommand, rich_markup_mode=None):
    """Write events, usage or FOCUS charges to a file, all as of one moment."""

    @command(epilog=EPILOG)
    def handle(
        self,
        kind: Annotated[Export.Kind, Argument(help="what to write")],
        start: Annotated[
            str,
            Option("--from", metavar="D", help="first day; events: else all, others: last 30 days"),
        ] = "",
        end: Annotated[str, Option("--to", metavar="D", help="day to stop before")] = "",
        organization: Annotated[
            list[str] | None, Option("--organization", metavar="SLUG", help="repeatable")
        ] = None,
        file_format: Annotated[
            Export.Format, Option("--format", help="of the file")
        ] = Export.Format.CSV,
        output: Annotated[
            str, Option("--output", metavar="F", help="a file instead of standard output")
        ] = STDOUT,
        time_zone: Annotated[
            str, Option("--timezone", metavar="Z", help="whose days are meant; not for focus")
        ] = "",
        group_by: Annotated[
            str, Option("--group-by", metavar="NAMES", help="for usage: comma list of dimensions")
        ] = "",
        granularity: Annotated[
            str, Option("--granularity", help="for usage: total, 15m, hour, day, week or month")
        ] = "",
    ) -> None:
        """Write events, usage or FOCUS charges to a file, all as of one moment."""
        given = {
            "from": start,
            "to": end,
            "timezone": time_zone,
            "group_by": group_by,
            "granularity": granularity,
        }
        slugs = organization or []
        self._check(file_format, output, slugs)
        parameters = {name: value for name, value in given.items() if value}
        try:
            question = read_parameters(
                kind, {**parameters, **({"organization": slugs} if slugs else {})}, EVERYTHING
            )
            check(question)
            self._write(kind, question, file_format, output)
        except QuestionError as error:
            self.refuse(error.message)
        except BrokenPipeError:
            # Else Python would complain once more when it closes standard output.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise SystemExit(1) from None
        except OSError as error:
            self.refuse(f"{output}: {error.strerror}", returncode=1)
        except DatabaseError as error:
            self.refuse(" ".join(str(error).split()), returncode=1)

    def _check(self, file_format: Export.Format, output: str, slugs: list[str]) -> None:
        if file_format == Export.Format.PARQUET and output == STDOUT and sys.stdout.isatty():
            self.refuse("Parquet is no text: use --output, or send it to a file")
        for slug in slugs:
            if not Organization.objects.filter(slug=slug).exists():
                self.refuse(f"there is no organization {slug!r}", returncode=1)

    def _write(
        self, kind: Export.Kind, question: Question, file_format: Export.Format, output: str
    ) -> None:
        if isinstance(question, FocusQuestion):
            keep_closed_months(question)
        makes_tables = isinstance(question, FocusQuestion)
        with snapshot_for_file(makes_tables=makes_tables), _opened(output) as out:
            table = open_table(question)
            rows = table.rows
            if output != STDOUT or not sys.stdout.isatty():
                rows = _counted(rows, kind.label, about_how_many(question))
            for piece in encode(file_format, table.columns, rows):
                out.write(piece)
            left_out = events_without_charge(question) if isinstance(question, FocusQuestion) else 0
        if left_out:
            events = "event" if left_out == 1 else "events"
            self.stderr.write(f"{quantity(left_out)} unpriced {events} left out")


@contextmanager
def _opened(output: str) -> Iterator[BinaryIO]:
    """Where the file goes; under its name only once it is whole."""
    if output == STDOUT:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    path = Path(output)
    unfinished = path.with_name(f"{path.name}.part")
    try:
        with unfinished.open("wb") as file:
            yield file
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def _counted(rows: Iterable[Row], label: str, total: int | None) -> Iterator[Row]:
    """The rows, with a bar on standard error where that is a terminal."""
    rest = iter(rows)
    with count_progress(label, total) as advance:
        while some := list(islice(rest, _STEP)):
            yield from some
            advance(len(some))
