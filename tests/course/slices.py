"""The part of a lesson that an answer reaches: the cells that use it, and those that these need.

Names are followed from statement to statement, as the kernel has them: what a statement stores depends on what it
loads, and a method call, an assignment to a part or `+=` changes the object it names.
"""

import ast
import contextlib
import io
import linecache
import re
import symtable
from dataclasses import dataclass
from functools import cache
from unittest import mock

import matplotlib.pyplot as plt
from IPython.core.formatters import DisplayFormatter
from IPython.core.interactiveshell import InteractiveShell
from nbformat import NotebookNode

from dlv3.course.kit import notebooks


@dataclass(frozen=True)
class Uses:
    """The global names that a statement loads, stores, and whose objects it changes."""

    loads: frozenset[str]
    stores: frozenset[str]
    changes: frozenset[str]


@cache
def uses(source: str) -> tuple[Uses, ...]:
    """Return the uses of each statement of a cell."""
    return tuple(map(_of_statement, ast.parse(notebooks.plain(source)).body))


def _of_statement(statement: ast.stmt) -> Uses:
    loads, stores = set(), set()

    def walk(table: symtable.SymbolTable, top: bool) -> None:
        for symbol in table.get_symbols():
            if symbol.is_referenced() and (top or symbol.is_global()):
                loads.add(symbol.get_name())
            if top and (symbol.is_assigned() or symbol.is_imported() or symbol.is_namespace()):
                stores.add(symbol.get_name())
        for child in table.get_children():
            walk(child, False)

    walk(symtable.symtable(ast.unparse(statement), "cell", "exec"), True)
    # Stored before the body loads it.
    targets = [statement.target] if isinstance(statement, ast.For) else []
    if isinstance(statement, ast.With):
        targets = [item.optional_vars for item in statement.items if item.optional_vars]
    loads -= {name.id for target in targets for name in ast.walk(target) if isinstance(name, ast.Name)}
    return Uses(frozenset(loads), frozenset(stores), frozenset(_changed(statement)))


def _changed(statement: ast.stmt) -> set[str]:
    parts: list[ast.expr] = []
    for node in ast.walk(statement):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            parts.append(node.func.value)
        elif isinstance(node, ast.Assign):
            parts += [target for target in node.targets if isinstance(target, ast.Attribute | ast.Subscript)]
        elif isinstance(node, ast.AugAssign):
            parts.append(node.target)
    names = set()
    for part in parts:
        while isinstance(part, ast.Attribute | ast.Subscript):
            part = part.value
        if isinstance(part, ast.Name):
            names.add(part.id)
    return names


def reached(notebook: NotebookNode, starts: set[int]) -> set[int]:
    """Return the given cells, and all whose outcome may depend on what they store."""
    modules = _modules(notebook)
    held: set[str] = set()
    found = set()
    for index, cell in enumerate(notebook.cells):
        if cell.cell_type != "code":
            continue
        for statement in uses(cell.source):
            if index in starts or statement.loads & held:
                found.add(index)
                held |= statement.stores | (statement.changes - modules)
            else:
                held -= statement.stores
    return found | starts


def needed(notebook: NotebookNode, wanted: set[int]) -> list[int]:
    """Return the wanted cells and all above that they need, in order."""
    modules = _modules(notebook)
    cells, missing = set(wanted), set()
    for index in range(max(wanted, default=-1), -1, -1):
        cell = notebook.cells[index]
        if cell.cell_type != "code":
            continue
        statements = uses(cell.source)
        makes = {name for each in statements for name in each.stores | each.changes - modules}
        if index in cells or makes & missing:
            cells.add(index)
            for statement in reversed(statements):
                missing -= statement.stores - statement.changes
                missing |= statement.loads
    return sorted(cells)


def _modules(notebook: NotebookNode) -> frozenset[str]:
    """Return the names that imports give: what a call on them changes is not in the lesson."""
    return frozenset(
        (alias.asname or alias.name).partition(".")[0]
        for cell in notebook.cells
        if cell.cell_type == "code"
        for node in ast.walk(ast.parse(notebooks.plain(cell.source)))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    )


class _Shell:
    """What IPython's `display` asks of a shell: a formatter, and where to publish."""

    def __init__(self) -> None:
        self.display_formatter = DisplayFormatter()
        self.display_pub = self.events = self

    def register(self, *_: object) -> None:
        """Take what a real shell would call after each cell."""

    def publish(self, data: dict[str, object], **_: object) -> None:
        print(data.get("text/plain", ""))

    def show(self, value: object) -> None:
        data, _ = self.display_formatter.format(value)
        self.publish(data)


def run(source: str, space: dict[str, object]) -> list[str]:
    """Run a cell as a kernel would, and return the lines that it prints, displays and gives, sorted."""
    body = ast.parse(notebooks.plain(source)).body
    last = (
        body.pop() if body and isinstance(body[-1], ast.Expr) and not source.rstrip().endswith(";") else None
    )
    said, shell = io.StringIO(), _Shell()
    # As IPython does, so that the source of what the cell defines is found.
    name = f"<cell {hash(source)}>"
    linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
    with (
        contextlib.redirect_stdout(said),
        mock.patch.object(InteractiveShell, "initialized", return_value=True),
        mock.patch.object(InteractiveShell, "instance", return_value=shell),
    ):
        exec(compile(ast.Module(body, []), name, "exec"), space)
        if last:
            result = eval(compile(ast.Expression(last.value), name, "eval"), space)
            if result is not None:
                shell.show(result)
    plt.close("all")
    return _lines(said.getvalue())


def stored(cell: NotebookNode) -> list[str]:
    """Return the lines of a cell's stored outputs, as `run` returns them."""
    texts = [output.get("text") or output.get("data", {}).get("text/plain", "") for output in cell.outputs]
    return _lines("\n".join(texts))


def _lines(text: str) -> list[str]:
    return sorted(
        re.sub(r"\d+(\.\d+)? (s|ms|seconds)\b", "TIME", " ".join(line.split()))
        for line in text.splitlines()
        if line.strip()
    )
