"""The command line, one file a command."""

from dlv3.cli.main import BAD_INPUT, FAILED, INTERRUPTED, main, parse

__all__ = ["BAD_INPUT", "FAILED", "INTERRUPTED", "main", "parse"]
