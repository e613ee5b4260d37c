"""A run of the benchmarks as one JSON file."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.machine import Machine
from benchmarks.rows import Row
from dlv3.files import write_atomically

COMMANDS = "; "
"""Between the commands of a record that several runs made."""


@dataclass(frozen=True)
class Record:
    """One run."""

    machine: Machine
    command: str
    rows: list[Row]
    skipped: dict[str, str]
    """Sections that could not run, with the reason."""

    def beside(self, earlier: "Record") -> "Record":
        """Return this run with the rows of an earlier one on the same machine, commit and versions that it lacks."""
        if earlier.machine != self.machine:
            return self
        measured = {row.identity for row in self.rows}
        rows = [row for row in earlier.rows if row.identity not in measured] + self.rows
        sections = {row.section for row in self.rows}
        skipped = {name: why for name, why in earlier.skipped.items() if name not in sections} | self.skipped
        commands = dict.fromkeys([*earlier.command.split(COMMANDS), self.command])
        return Record(self.machine, COMMANDS.join(commands), rows, skipped)

    def write(self, path: Path) -> None:
        """Write the file, and its folder if there is none.

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
    """Return the run that `Record.write` wrote.

    Raises:
        ValueError: the file is not such a record.
    """
    try:
        content = json.loads(path.read_text())
        rows = [Row.from_json(row) for row in content["rows"]]
        return Record(Machine(**content["machine"]), content["command"], rows, content["skipped"])
    except (KeyError, TypeError, json.JSONDecodeError) as error:
        raise ValueError(f"{path}: not a record of python -m benchmarks ({error!r})") from error
