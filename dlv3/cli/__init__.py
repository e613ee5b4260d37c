"""The command line, one file a command. A new command is a file with `main(argv)` and a line in `main.COMMANDS`."""

from dlv3.cli.errors import BAD_INPUT, FAILED, INTERRUPTED
from dlv3.cli.main import main
from dlv3.cli.parsing import ArgumentsError, parse

__all__ = ["BAD_INPUT", "FAILED", "INTERRUPTED", "ArgumentsError", "main", "parse"]
