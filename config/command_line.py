"""Every management command, on a database that runs."""

import gc
import os
import sys

from django.core.management import execute_from_command_line
from django.db import DatabaseError

from config.embedded import attach_for_command


def main() -> None:
    """Run the management command named on the command line."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    # Nearly all that is made while Django loads stays: looking for garbage is a sixth of the time.
    gc.set_threshold(50_000, 20, 20)
    attach_for_command(sys.argv[1:])
    try:
        execute_from_command_line(sys.argv)
    except DatabaseError as error:
        if "--traceback" in sys.argv:
            raise
        reason = str(error).strip().partition("\n")[0]
        sys.stderr.write(f"database: {reason}\n")
        sys.exit(1)
