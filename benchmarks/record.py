"""A run of the benchmarks as one JSON file, and the recorded runs as tables in a Markdown page."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.machine import Machine
from benchmarks.rows import Row, milliseconds, percent, remarks, times
from dlv3.files import write_atomically

OPENING, CLOSING = "<!-- speed: written by python -m benchmarks --publish -->", "<!-- end of speed -->"


@dataclass(frozen=True)
class Record:
    """One run."""

    machine: Machine
    command: str
    rows: list[Row]
    skipped: dict[str, str]
    """Sections that could not run, with the reason."""

    def write(self, path: Path) -> None:
        """Write the file, and its folder where there is none.

        Raises:
            OSError: it cannot be written.
        """
        content: dict[str, Any] = {
            "machine": self.machine.to_json(),
            "command": self.command,
            "rows": [row.to_json() for row in self.rows],
            "skipped": self.skipped,
        }
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, (json.dumps(content, indent=1, ensure_ascii=False) + "\n").encode())


def read(path: Path) -> Record:
    """The run that `Record.write` wrote.

    Raises:
        ValueError: the file is no such record.
    """
    try:
        content = json.loads(path.read_text())
        rows = [Row.from_json(row) for row in content["rows"]]
        return Record(Machine(**content["machine"]), content["command"], rows, content["skipped"])
    except (KeyError, TypeError, json.JSONDecodeError) as error:
        raise ValueError(f"{path}: is no record of python -m benchmarks ({error!r})") from error


def published(folder: Path) -> str:
    """All records of a folder as Markdown, those of a CPU first.

    Raises:
        ValueError: there are none, or a file is no record.
    """
    records = [read(path) for path in sorted(folder.glob("*.json"))]
    if not records:
        raise ValueError(f"{folder}: nothing is recorded; run python -m benchmarks --json {folder}/cpu.json")
    return "\n\n".join(page(record) for record in records)


def page(record: Record) -> str:
    """A record's machine and tables."""
    parts = [f"`{record.command}` on {record.machine.line()}:"]
    for section, title in (("inference", "inference"), ("training", "training step")):
        ratios = [row for row in record.rows if row.section == section and row.ratio is not None]
        if ratios:
            parts.append(_ratios(title, ratios, record.rows))
    rest = [row for row in record.rows if row.section not in ("inference", "training")]
    if rest:
        names = ", ".join(dict.fromkeys(row.section for row in rest))
        parts.append(f"<details><summary>{names}</summary>\n\n{_rest(rest)}\n\n</details>")
    parts += [f"Not measured, {section}: {reason}" for section, reason in record.skipped.items()]
    return "\n\n".join(parts)


def _ratios(title: str, rows: Sequence[Row], all_rows: Sequence[Row]) -> str:
    """Ours, and torchvision's in bfloat16, each beside torchvision's as a user gets it."""
    where = "threads" if any("threads" in row.case for row in rows) else "memory"
    names = [title, "output stride", "batch", where, "torchvision ms", "ms", "times as fast", "of the limit"]
    lines = [_line([*names, "differs"]), _line(["---"] * (len(names) + 1))]
    for row in rows:
        case = row.case
        last = case["threads"] if where == "threads" else f"{(row.memory or 0) / 2**20:.0f} MiB"
        theirs = "" if row.baseline_seconds is None else milliseconds(row.baseline_seconds)
        limit = percent(row.share)
        baseline = [r for r in all_rows if r.section == row.section and r.case == case and r.ratio is None]
        if baseline and baseline[0].share is not None:
            limit += f" (torchvision {percent(baseline[0].share)})"
        name = row.what + " (emulated)" * row.emulated
        differs = "" if row.difference is None else f"{row.difference:.0e}"
        parts = [name, f"{case['os']}", f"{case['batch']} × {case['size']}²", f"{last}", theirs]
        lines.append(_line([*parts, milliseconds(row.seconds), f"**{times(row.ratio)}**", limit, differs]))
    return "\n".join(lines)


def _rest(rows: Sequence[Row]) -> str:
    lines = [_line(["", "", "case", "ms", "times as fast", ""]), _line(["---"] * 6)]
    for row in rows:
        case = ", ".join(f"{name} {value}" for name, value in row.case.items())
        cells = [row.section, row.what, case, milliseconds(row.seconds), times(row.ratio), remarks(row)]
        lines.append(_line(cells))
    return "\n".join(lines)


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def with_tables(front_page: Path, text: str) -> str:
    """The page's text with the tables in their place.

    Raises:
        ValueError: it has no such place.
    """
    before, opening, rest = front_page.read_text().partition(OPENING)
    _, closing, after = rest.partition(CLOSING)
    if not closing:
        raise ValueError(
            f"{front_page}: has no lines {OPENING!r} and {CLOSING!r} to write the tables between"
        )
    return f"{before}{opening}\n{text}\n{closing}{after}"
