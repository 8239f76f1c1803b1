#!/usr/bin/env python
"""Entry point of every management command; starts the embedded database where one is needed."""

import os
import sys
from importlib import import_module

from config.status_line import answered


def main() -> None:
    """Run the management command named on the command line.

    The command line loads Django, which takes longer than a prompt may wait.
    """
    if not answered(sys.argv[1:], os.environ):
        import_module("config.command_line").main()


if __name__ == "__main__":
    main()
