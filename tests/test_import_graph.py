"""Imports go one way only: paper ← fast; paper, config ← data ← training, evaluation ← ablations ← cli, course.

The graph is read from the source: imports inside functions count, and those for the type checker too. Only the circles
between single modules are about what is imported when a module is first loaded.
"""

import ast
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

PAPER = (
    "aspp",
    "atrous",
    "checksum",
    "deeplab",
    "receptive_field",
    "resnet",
    "skeleton",
    "state_dicts",
    "torchvision_weights",
    "weights",
)

# From the lowest to the highest: a package may import those of lower rows.
TIERS = (
    ("fields", "figure_style", "files", "moved", "printed", "typed_json"),
    ("assets", "markdown", "ranges"),
    ("paper",),
    ("config", "dlv3", "fast"),
    ("data",),
    ("evaluation", "training"),
    ("ablations", "export"),
    ("__main__", "cli", "course"),
)
# And these imports inside of one row.
BESIDE = {("__main__", "cli"), ("training", "evaluation")}
# The one door upwards, an import inside of a method: (module, name of the function, package behind it).
DOORS = {("dlv3.deeplab", "for_inference", "fast")}


@dataclass(frozen=True)
class Import:
    """One import: where it stands, what it imports, and whether it happens when the module is loaded."""

    source: str
    target: str
    line: int
    function: str | None
    at_load: bool

    def __str__(self) -> str:
        return f"{self.source}, line {self.line}, imports {self.target}"


def modules_of(package: Path) -> dict[str, Path]:
    """Every module below a package's folder by its dotted name; a package stands for its `__init__.py`."""
    found = {}
    for path in sorted(package.rglob("*.py")):
        parts = path.relative_to(package.parent).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imports_of(package: Path) -> list[Import]:
    """Every import of one module of a package by another."""
    modules = modules_of(package)
    found = []
    for name, path in modules.items():
        for node, function, at_load in _import_nodes(ast.parse(path.read_text())):
            for target in _targets(node, name, is_package=path.name == "__init__.py"):
                known = _longest_known(target, modules)
                if known is not None and known != name:
                    found.append(Import(name, known, node.lineno, function, at_load))
    return found


def _import_nodes(
    node: ast.AST, function: str | None = None, at_load: bool = True
) -> Iterator[tuple[ast.Import | ast.ImportFrom | ast.Call, str | None, bool]]:
    """Import statements, and calls of import_module with a name written out."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import | ast.ImportFrom) or _imported_by_call(child):
            yield child, function, at_load
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            yield from _import_nodes(child, getattr(child, "name", function), False)
        elif isinstance(child, ast.If) and "TYPE_CHECKING" in ast.dump(child.test):
            yield from _import_nodes(child, function, False)
        else:
            yield from _import_nodes(child, function, at_load)


def _imported_by_call(node: ast.AST) -> str | None:
    if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] == "import_module":
        name = node.args[0]
        return name.value if isinstance(name, ast.Constant) and isinstance(name.value, str) else None
    return None


def _targets(node: ast.Import | ast.ImportFrom | ast.Call, module: str, is_package: bool) -> Iterator[str]:
    if isinstance(node, ast.Call):
        yield _imported_by_call(node) or ""
    elif isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    else:
        base = node.module or ""
        if node.level:
            parts = module.split(".")
            parts = parts[: len(parts) - node.level + is_package]
            base = ".".join([*parts, *([node.module] if node.module else [])])
        yield from (f"{base}.{alias.name}" for alias in node.names)


def _longest_known(name: str, modules: Iterable[str]) -> str | None:
    """dlv3.data.made.scenes.Scenes is imported from the module dlv3.data.made.scenes."""
    while name:
        if name in modules:
            return name
        name = name.rpartition(".")[0]
    return None


def package_of(module: str) -> str:
    """Return the row's entry that a module belongs to: the paper's modules are one package, the rest are folders."""
    parts = module.split(".")
    if len(parts) == 1:
        return "dlv3"
    return "paper" if parts[1] in PAPER else parts[1]


def lesson_of(module: str) -> str | None:
    """Return the lesson whose room a module is in, if it is in one."""
    parts = module.split(".")
    return parts[3] if parts[1:3] == ["course", "lessons"] and len(parts) > 3 else None


def upwards(imports: Iterable[Import]) -> list[str]:
    """The imports that are not of a lower row, an allowed neighbour or behind a door."""
    row = {name: number for number, names in enumerate(TIERS) for name in names}
    wrong = []
    for found in imports:
        source, target = package_of(found.source), package_of(found.target)
        if source == target or (source, target) in BESIDE:
            continue
        if (found.source, found.function, target) in DOORS and not found.at_load:
            continue
        if source not in row or target not in row:
            wrong.append(f"{found}: give {source if source not in row else target} a row in TIERS")
        elif row[target] >= row[source]:
            wrong.append(str(found))
    return wrong


def circle(imports: Iterable[Import], group: Callable[[str], str | None]) -> list[str] | None:
    """Return the names along a circle between groups of modules, or None if there is none."""
    graph = TopologicalSorter[str]()
    for found in imports:
        source, target = group(found.source), group(found.target)
        if source is not None and target is not None and source != target:
            graph.add(source, target)
    try:
        graph.prepare()
    except CycleError as error:
        return list(error.args[1])
    return None


def inside(package: str) -> Callable[[str], str | None]:
    """Group the modules of a package by its sub-packages. Its own files, such as its façade, are in no group."""

    def group(module: str) -> str | None:
        rest = module.removeprefix(f"{package}.")
        return rest.partition(".")[0] if rest != module and "." in rest else None

    return group


def between_lessons(imports: Iterable[Import]) -> list[str]:
    """The imports of one lesson's room by another's, or by what the lessons share."""
    wrong = []
    for found in imports:
        source, target = lesson_of(found.source), lesson_of(found.target)
        shared = found.source.startswith("dlv3.course.kit.")
        if target is not None and source != target and (source is not None or shared):
            wrong.append(str(found))
    return wrong


@pytest.fixture(scope="module")
def imports() -> list[Import]:
    return [found for found in imports_of(ROOT / "dlv3") if not is_the_door(found)]


def is_the_door(found: Import) -> bool:
    """The door's import, and the one for the type checker that names what comes through it."""
    doors = {(module, package) for module, _, package in DOORS}
    return not found.at_load and (found.source, package_of(found.target)) in doors


def test_imports_go_one_way(imports: list[Import]):
    assert upwards(imports) == []


def test_doors_are_in_use():
    # So that the list above does not allow what is not needed any more.
    everything = imports_of(ROOT / "dlv3")
    used = {(found.source, found.function, package_of(found.target)) for found in everything}
    assert used >= DOORS
    assert {(package_of(found.source), package_of(found.target)) for found in everything} >= BESIDE


def test_no_circle_between_packages(imports: list[Import]):
    assert circle(imports, package_of) is None


def test_no_circle_between_the_packages_inside_a_package(imports: list[Import]):
    packages = [name for name, path in modules_of(ROOT / "dlv3").items() if path.name == "__init__.py"]
    assert {name: circle(imports, inside(name)) for name in packages} == dict.fromkeys(packages)


def test_no_circle_between_modules_when_they_are_loaded():
    at_load = [found for found in imports_of(ROOT / "dlv3") if found.at_load]
    assert circle(at_load, lambda module: module) is None


def test_lessons_import_none_of_each_other(imports: list[Import]):
    assert between_lessons(imports) == []


def test_library_imports_nothing_of_the_course(imports: list[Import]):
    of_course = [i for i in imports if package_of(i.target) == "course" and package_of(i.source) != "course"]
    assert of_course == []


# -- the tests above can fail ------------------------------------------------------------------------------------


def made_up(folder: Path, files: dict[str, str]) -> list[Import]:
    """The imports of a made-up package dlv3; `files` gives the sources by path."""
    for name, source in files.items():
        path = folder / "dlv3" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        (path.parent / "__init__.py").touch()
        path.write_text(source)
    return imports_of(folder / "dlv3")


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("from dlv3.training import run", "dlv3.data.sets, line 1, imports dlv3.training.run"),
        ("def f():\n    import dlv3.training.run", "dlv3.data.sets, line 2, imports dlv3.training.run"),
        ("from ..training.run import train", "dlv3.data.sets, line 1, imports dlv3.training.run"),
        (
            "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from dlv3.training.run import train",
            "dlv3.data.sets, line 3, imports dlv3.training.run",
        ),
        (
            "from importlib import import_module\nimport_module('dlv3.training.run')",
            "dlv3.data.sets, line 2, imports dlv3.training.run",
        ),
    ],
)
def test_import_upwards_is_found_however_it_is_written(source: str, message: str, tmp_path: Path):
    found = made_up(tmp_path, {"training/run.py": "from dlv3.data import sets", "data/sets.py": source})
    assert upwards(found) == [message]
    assert sorted(circle(found, package_of) or []) in (
        ["data", "data", "training"],
        ["data", "training", "training"],
    )


def test_door_is_open_for_its_function_alone(tmp_path: Path):
    door = "class M:\n    def {name}(self):\n        from dlv3.fast import served"
    for name, wrong in (("for_inference", 0), ("forward", 1)):
        files = {"deeplab.py": door.format(name=name), "fast/served.py": ""}
        assert len(upwards(made_up(tmp_path, files))) == wrong


def test_unknown_package_needs_a_row(tmp_path: Path):
    found = made_up(tmp_path, {"utils/things.py": "from dlv3 import files", "files.py": ""})
    assert upwards(found) == ["dlv3.utils.things, line 1, imports dlv3.files: give utils a row in TIERS"]


def test_circle_inside_a_package_is_found(tmp_path: Path):
    files = {
        "data/made/a.py": "from dlv3.data.photos import b",
        "data/photos/b.py": "import dlv3.data.made.a",
    }
    found = made_up(tmp_path, files)
    assert circle(found, inside("dlv3.data")) is not None
    assert circle(found, package_of) is None


def test_circle_between_modules_is_found_unless_one_import_is_lazy(tmp_path: Path):
    files = {"data/a.py": "import dlv3.data.b", "data/b.py": "def f():\n    import dlv3.data.a"}
    at_load = [i for i in made_up(tmp_path, files) if i.at_load]
    assert circle(at_load, lambda module: module) is None
    at_load = [i for i in made_up(tmp_path, {"data/b.py": "import dlv3.data.a"}) if i.at_load]
    assert circle(at_load, lambda module: module) is not None


def test_import_between_lessons_is_found(tmp_path: Path):
    files = {
        "course/lessons/lesson01/a.py": "from dlv3.course.lessons.lesson02 import b",
        "course/lessons/lesson02/b.py": "from dlv3.course.kit import c",
        "course/kit/c.py": "import dlv3.course.lessons.lesson01.a",
    }
    assert between_lessons(made_up(tmp_path, files)) == [
        "dlv3.course.kit.c, line 1, imports dlv3.course.lessons.lesson01.a",
        "dlv3.course.lessons.lesson01.a, line 1, imports dlv3.course.lessons.lesson02.b",
    ]
