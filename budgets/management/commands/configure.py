"""`manage.py configure`: budgets, alerts and prices as a file says."""

from argparse import RawDescriptionHelpFormatter
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser

from budgets.configuring import ConfigurationError, apply_configuration, read_configuration
from budgets.targets import UnknownTargetError
from pricing.publishing import PriceError

EXAMPLE = """Example:
  manage.py configure tallyman.toml

tallyman.toml:
  organization = "acme"      # needed where there are several
  enabled = true             # false switches what is below off: budgets and channels
  [budget]
  daily = 20
  monthly = 400
  enforcement = "soft"       # or "hard"
  [budget.projects.web]
  monthly = 100
  [alert]
  threshold = 80             # percent
  email = "ops@example.org"  # or several: ["a@example.org", "b@example.org"]
  webhook = "https://hooks.example.org/in"
  [prices."ollama/llama3"]   # of 1,000,000 tokens
  input = 0
  output = 0
"""


class Command(BaseCommand):
    """Applying a file again changes nothing; what it does not name stays as it is."""

    help = "Set budgets, warnings, who is told, and prices to what a TOML file says."

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        """Keep the line breaks of the example in `--help`."""
        kwargs |= {"epilog": EXAMPLE, "formatter_class": RawDescriptionHelpFormatter}
        return super().create_parser(prog_name, subcommand, **kwargs)

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the file."""
        parser.add_argument("file", type=Path, help="TOML, in UTF-8")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print what changed; CommandError (exit 1) where the file cannot be applied."""
        path: Path = options["file"]
        try:
            changes = apply_configuration(read_configuration(path.read_text(encoding="utf-8")))
        except OSError as error:
            raise CommandError(f"{path}: {error.strerror or 'cannot be read'}") from None
        except ValidationError as error:
            raise CommandError(f"{path}: {' '.join(error.messages)}") from None
        except (ConfigurationError, UnknownTargetError, PriceError, UnicodeDecodeError) as error:
            raise CommandError(f"{path}: {error}") from None
        for change in changes or ["nothing to change"]:
            self.stdout.write(change)
