"""`python -m benchmarks`: measure, print a table, record it, publish it."""

import shlex
import sys
from collections.abc import Callable, Iterator, Sequence
from importlib import import_module

import torch

from benchmarks.machine import describe
from benchmarks.options import SECTIONS, Options, Section, defaults
from benchmarks.publish import publish
from benchmarks.record import Record, read
from benchmarks.rows import FLOAT32_LIMIT, HEADER, Missing, ResultsDiffer, Row, Unavailable, line
from dlv3.cli import BAD_INPUT, FAILED, INTERRUPTED, parse
from dlv3.training.distributed import choose_device

Rows = Callable[[Options, torch.device], Iterator[Row | Missing]]
_HOMES: dict[Section, tuple[str, str]] = {
    "inference": ("inference", "inference_rows"),
    "photos": ("photos", "photo_rows"),
    "memory": ("alone", "memory_rows"),
    "training": ("training", "training_rows"),
    "parts": ("parts", "part_rows"),
    "lessons": ("lessons", "lesson_rows"),
    "gpu": ("gpu", "gpu_rows"),
    "accuracy": ("accuracy", "accuracy_rows"),
    "metrics": ("metrics", "metrics_rows"),
    "data": ("loading", "data_rows"),
    "import": ("loading", "import_rows"),
    "explorers": ("explorers", "explorer_rows"),
}
PROG = "python -m benchmarks"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command.

    Returns:
        The exit status: 0; 1 if answers differ that should agree; 2 for bad input.
    """
    argv = list(sys.argv[1:] if argv is None else argv)
    try:
        options = parse(Options, argv, PROG, defaults(argv))
        if options.publish is not None:
            for path in publish(options.records, options.publish):
                print(path)
            return 0
        return measure(options, shlex.join([*PROG.split(), *argv]))
    except (ValueError, OSError) as error:
        print(f"benchmarks: error: {error}", file=sys.stderr)
        return BAD_INPUT
    except ResultsDiffer as error:
        print(f"benchmarks: error: {error}", file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        return INTERRUPTED


def measure(options: Options, command: str) -> int:
    """Measure the sections, and print each row when it is there. Returns the exit status.

    The record is written after each section, and where Ctrl-C stops one, so that an hour of measurements is not lost.
    """
    device = choose_device(options.device)
    machine = describe(device)
    print(machine.line(), HEADER, sep="\n\n", flush=True)
    rows: list[Row] = []
    skipped: dict[str, str] = {}

    earlier = read(options.json) if options.json is not None and options.json.exists() else None

    def record() -> None:
        if options.json is not None and not any(row.wrong for row in rows):
            now = Record(machine, command, rows, skipped)
            (now if earlier is None else now.beside(earlier)).write(options.json)

    for section in options.sections or SECTIONS:
        print(f"\n{section}", flush=True)
        try:
            _measure(section, options, device, rows, skipped)
        except Unavailable as reason:
            skipped[section] = str(reason)
            print(f"left out: {reason}", flush=True)
        except KeyboardInterrupt:
            record()
            raise
        if wrong := [row for row in rows if row.wrong]:
            return _refuse(wrong)
        record()
    return 0


def _measure(
    section: Section, options: Options, device: torch.device, rows: list[Row], skipped: dict[str, str]
) -> None:
    """Add a section's rows, and the reasons of those that cannot be measured."""
    for row in rows_of(section)(options, device):
        if isinstance(row, Missing):
            skipped[f"{section}, {row.what}"] = row.reason
            print(f"{row.what:28} left out: {row.reason}", flush=True)
        else:
            rows.append(row)
            print(line(row), flush=True)


def _refuse(wrong: Sequence[Row]) -> int:
    for row in wrong:
        print(
            f"benchmarks: error: {row.section}, {row.what}, {row.case}: differs from torchvision by "
            f"{row.difference:.1e}, more than {FLOAT32_LIMIT:.0e}",
            file=sys.stderr,
        )
    return FAILED


def rows_of(section: Section) -> Rows:
    """Return the function that measures a section, and load its module."""
    module, name = _HOMES[section]
    rows: Rows = getattr(import_module(f"benchmarks.{module}"), name)
    return rows


if __name__ == "__main__":
    sys.exit(main())
