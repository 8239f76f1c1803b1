"""`manage.py verify`: do stored events, their sums and the windows of budgets agree?"""

from typing import Any

from django.core.management.base import CommandParser

from budgets.setting import Actor
from budgets.verification import repair, verify_windows
from usage.management.commands.verify import Command as VerifyCommand
from usage.verification import Verification, snapshot, verify


class Command(VerifyCommand):
    """Exit 0 when everything agrees, 1 with a table of differences when not."""

    help = (
        "Compare events, rollups, event keys and the windows of budgets in one snapshot of the"
        " database."
    )
    example = (
        "Examples:\n  manage.py verify || manage.py rollup --rebuild\n  manage.py verify --repair"
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare `--repair`."""
        parser.add_argument(
            "--repair", action="store_true",
            help="count the windows of budgets anew that differ; rollups are never touched",
        )  # fmt: skip

    def handle(self, *args: Any, **options: Any) -> None:
        """Print what was found; CommandError (exit 1) on drift that is not repaired."""
        with snapshot():
            found, windows = verify(), verify_windows()
        if options["repair"] and windows.ids:
            if found.drifts:
                self.tell(found)
            changed = repair(windows.ids, Actor(name="manage.py verify"))
            self.stdout.write(f"{changed:,} windows of budgets counted anew")
            with snapshot():
                windows = verify_windows()
        both = Verification([*found.drifts, *windows.drifts], found.pending_buckets, found.events)
        self.tell(both, f", {windows.count:,} windows of budgets" if windows.count else "")
