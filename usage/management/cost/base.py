"""What subcommands of `cost` have in common."""

from collections.abc import Iterator
from contextlib import contextmanager

from usage.management.cost.options import Format
from usage.management.typed import TypedCommand
from usage.reports.as_data import as_csv, as_json
from usage.reports.as_text import as_line, as_text
from usage.reports.comparisons import NotComparableError
from usage.reports.documents import Document
from usage.reports.episodes import UnknownEpisodeError
from usage.reports.scope import UnknownOrganizationError
from usage.selectors.questions import QuestionError


class CostCommand(TypedCommand):
    """Prints documents, and ends in one line when a question has no answer."""

    @contextmanager
    def told(self) -> Iterator[None]:
        """End with exit 2 for a question that makes no sense, 1 for what there is not."""
        try:
            yield
        except QuestionError as error:
            self.refuse(error.message)
        except (UnknownOrganizationError, UnknownEpisodeError, NotComparableError) as error:
            self.refuse(str(error), returncode=1)

    def print_document(self, document: Document, output: Format, zone: str) -> None:
        """Print a document; times are shown in `zone`, data has them in UTC."""
        match output:
            case Format.JSON:
                self.stdout.write(as_json(document))
            case Format.CSV:
                for piece in as_csv(document):
                    self.stdout.write(piece, ending="")
            case Format.SUMMARY:
                self.say(f"{as_line(document, zone)}\n")
            case Format.TABLE:
                self.show(*as_text(document, zone, unicode=self.writes_unicode))
