"""The browser-drawn explorers as scripts of a page: the same programs as in JupyterLab, on plain values."""

from pathlib import Path

import dlv3.course  # noqa: F401  the import defines the explorers
from dlv3.course.kit import javascript
from dlv3.course.kit.explorer import explorers
from dlv3.files import write_atomically


def write_scripts(folder: Path) -> None:
    """Write a script for each explorer; it mounts the explorer in the place above it.

    They are ordinary scripts: a browser does not load modules into a page that was opened from a folder.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name, explorer in explorers().items():
        mount = f"(model, place) => mount({javascript.variable(name)}, model, place)"
        program = f"(() => {{\n{explorer.program}\ndlv3.explorer({name!r}, {mount});\n}})();\n"
        write_atomically(folder / f"{name}.js", program.encode())
    write_atomically(folder / "explorers.css", javascript.style().encode())
