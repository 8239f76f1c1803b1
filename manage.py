#!/usr/bin/env python
"""Entry point of every management command; starts the embedded database where one is needed."""

import os
import sys

from django.core.management import execute_from_command_line

from config.embedded import attach_for_command


def main() -> None:
    """Run the management command named on the command line."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    attach_for_command(sys.argv[1:])
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
