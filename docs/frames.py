"""`python -m docs.frames`: the pictures that the lessons' picture explorers show, made for every slider position.

In JupyterLab such an explorer asks Python for each picture. For the book they are made beforehand, in build/frames: the
cells that the explorer needs are run, and no others. That it shows what the lesson shows is checked: its first sentence
must be the stored one. A long slider keeps eight of its positions.
"""

import argparse
import ast
import contextlib
import hashlib
import io
import itertools
import json
import shutil
import sys
from collections.abc import Collection, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode
from PIL import Image

from dlv3.course.kit.image_explorer import ImageExplorer
from dlv3.files import write_atomically
from docs.figures import webp
from docs.picture_explorers import Control, Frame, explorer_words
from docs.settings import ROOT

FRAMES = ROOT / "build" / "frames"
MOST_POSITIONS = 8


@dataclass(frozen=True)
class Frames:
    """The frames of a lesson's explorer.

    Args:
        digest: of the cells that made them.
        title: the words above the explorer.
        size: width and height on the page.
        controls: its controls.
        words: the sentence of each frame, by its places, such as "0-3".
    """

    digest: str
    title: str
    size: tuple[int, int]
    controls: tuple[Control, ...]
    words: dict[str, str]


def explorer_cell(lesson: NotebookNode) -> int | None:
    """Return the place of the cell that shows a picture explorer, or None."""
    places = (place for place, cell in enumerate(lesson.cells) if explorer_words(cell) is not None)
    return next(places, None)


def needed_places(lesson: NotebookNode, wanted: Collection[int]) -> list[int]:
    """Return the places of the code cells that the cells at `wanted` need, and `wanted`, in order.

    A cell is needed if it defines, changes or calls a method of a name that a needed cell below it uses.
    """
    places: list[int] = []
    needed: set[str] = set()
    for place in reversed(range(max(wanted, default=-1) + 1)):
        if lesson.cells[place].cell_type != "code":
            continue
        tree = ast.parse(plain_python(lesson.cells[place].source))
        made = _defines(tree)
        if place in wanted or (made | _changes(tree)) & needed:
            places.insert(0, place)
            needed = (needed - made) | _uses(tree)
    return places


def needed_cells(lesson: NotebookNode, last: int) -> list[str]:
    """Return the code of the cells that the cell at `last` needs, and its own, in order."""
    return [plain_python(lesson.cells[place].source) for place in needed_places(lesson, {last})]


def plain_python(source: str) -> str:
    """Return code without IPython's own lines, such as %matplotlib."""
    return "\n".join(line for line in source.splitlines() if not line.lstrip().startswith(("%", "!")))


def _uses(tree: ast.Module) -> set[str]:
    """Return the names that a cell reads and does not define itself before it does."""
    used: set[str] = set()
    defined: set[str] = set()
    for statement in tree.body:
        own = _stored(statement)
        simple = isinstance(statement, ast.Assign | ast.AugAssign | ast.AnnAssign | ast.Expr)
        used |= _free(statement) - defined - (set() if simple else own)
        defined |= own
    return used


def _defines(tree: ast.Module) -> set[str]:
    return {name for statement in tree.body for name in _stored(statement)}


def _stored(node: ast.AST) -> set[str]:
    """Return the names that a statement gives a value, outside of functions and classes."""
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return {node.name}
    if isinstance(node, ast.Import | ast.ImportFrom):
        return {(name.asname or name.name).partition(".")[0] for name in node.names}
    if isinstance(node, ast.Lambda | ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp):
        return set()
    own = {node.id} if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) else set()
    return own.union(*map(_stored, ast.iter_child_nodes(node)))


def _free(node: ast.AST) -> set[str]:
    """Return the names that a piece of code reads from outside of itself."""
    inside = set().union(*map(_free, ast.iter_child_nodes(node)))
    if isinstance(node, ast.Name):
        return {node.id} if isinstance(node.ctx, ast.Load) else set()
    if isinstance(node, ast.FunctionDef | ast.Lambda):
        body = node.body if isinstance(node.body, list) else []
        locals_ = set().union(*map(_stored, body))
        parameters = {argument.arg for argument in ast.walk(node.args) if isinstance(argument, ast.arg)}
        return inside - locals_ - parameters
    if isinstance(node, ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp):
        return inside.difference(*(_stored(generator.target) for generator in node.generators))
    return inside


def _changes(tree: ast.Module) -> set[str]:
    """Return the names of objects that a cell may change: it sets a part of them, or calls a method for its effect."""
    changed: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute | ast.Subscript) and isinstance(node.ctx, ast.Store):
            changed |= {base.id for base in ast.walk(node.value) if isinstance(base, ast.Name)}
    for statement in tree.body:
        called = (
            statement.value.func
            if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call)
            else None
        )
        if (
            isinstance(called, ast.Attribute)
            and isinstance(called.value, ast.Name)
            and called.attr != "compare"
        ):
            changed.add(called.value.id)
    return changed


def digest_of(lesson: NotebookNode, place: int) -> str:
    """Return the digest of what an explorer's frames follow from."""
    words = explorer_words(lesson.cells[place]) or ""
    text = "\0".join([*needed_cells(lesson, place), words, str(MOST_POSITIONS)])
    return hashlib.sha256(text.encode()).hexdigest()


def explorer_of(lesson: NotebookNode, place: int) -> ImageExplorer:
    """Run the cells that an explorer needs, and return it.

    Raises:
        ValueError: it does not say what is stored in the lesson.
    """
    try:
        made = _run(needed_cells(lesson, place))
    except Exception:
        # A cell may need what another one leaves in a file, which no name tells.
        above = [cell.source for cell in lesson.cells[: place + 1] if cell.cell_type == "code"]
        made = _run([plain_python(source) for source in above])
    stored = (explorer_words(lesson.cells[place]) or "").partition("\n")[2]
    says = made.says() if isinstance(made, ImageExplorer) else ""
    if not isinstance(made, ImageExplorer) or says != stored:
        raise ValueError(f"the explorer says {says!r}, but the lesson stores {stored!r}")
    return made


def _run(sources: list[str]) -> Any:
    """Run cells one behind the other, and return the value that the last one ends in."""
    *above, own = sources
    names: dict[str, Any] = {"__name__": "__main__"}
    # What the cells print stands in the lesson already.
    with contextlib.redirect_stdout(io.StringIO()):
        for source in above:
            exec(compile(source, "<lesson>", "exec"), names)
    body = ast.parse(own).body
    last = body.pop()
    exec(compile(ast.Module(body, []), "<lesson>", "exec"), names)
    return (
        eval(compile(ast.Expression(last.value), "<lesson>", "eval"), names)
        if isinstance(last, ast.Expr)
        else None
    )


def write_frames(made: ImageExplorer, digest: str, folder: Path) -> Frames:
    """Write the frames of an explorer and what a page needs to know of them."""
    controls, values = [], []
    for control in made.controls.values():
        options = list(control.options)
        kept = thinned(len(options), [value for _, value in options].index(control.value))
        start = next(i for i, place in enumerate(kept) if options[place][1] == control.value)
        pick = "Dropdown" in type(control).__name__
        controls.append(Control(control.description, tuple(options[place][0] for place in kept), start, pick))
        values.append([options[place][1] for place in kept])
    words = {}
    for places in itertools.product(*(range(len(each)) for each in values)):
        given = dict(
            zip(made.controls, (each[place] for each, place in zip(values, places, strict=True)), strict=True)
        )
        key = "-".join(map(str, places))
        picture = Image.open(io.BytesIO(made.render(**given)))
        write_atomically(folder / f"{key}.webp", webp(picture))
        words[key] = made.describe(**given)
    size = tuple(
        int(side.removesuffix("px")) for side in (made.picture.layout.width, made.picture.layout.height)
    )
    frames = Frames(digest, made.title, (size[0], size[1]), tuple(controls), words)
    write_atomically(
        folder / "frames.json", json.dumps(asdict(frames), ensure_ascii=False, indent=1).encode()
    )
    return frames


def thinned(count: int, start: int, most: int = MOST_POSITIONS) -> list[int]:
    """Return at most `most` of `count` places, evenly spread, with the first, the last and `start` among them."""
    if count <= most:
        return list(range(count))
    spread = {round(i * (count - 1) / (most - 1)) for i in range(most)}
    if start not in spread:
        nearest = min(spread - {0, count - 1}, key=lambda place: abs(place - start))
        spread = spread - {nearest} | {start}
    return sorted(spread)


def read_frames(folder: Path) -> Frames | None:
    """Return the frames in a folder, if there are any."""
    file = folder / "frames.json"
    if not file.exists():
        return None
    stored = json.loads(file.read_text(encoding="utf-8"))
    controls = tuple(
        Control(**(control | {"values": tuple(control["values"])})) for control in stored["controls"]
    )
    width, height = stored["size"]
    return Frames(stored["digest"], stored["title"], (width, height), controls, stored["words"])


def frames_of(path: Path, folder: Path | None = None) -> Frames | None:
    """Return the frames of a lesson's explorer, if they were made from the lesson as it is now."""
    frames = read_frames((folder or FRAMES) / path.stem)
    if frames is None:
        return None
    lesson = nbformat.read(path, as_version=4)
    place = explorer_cell(lesson)
    return frames if place is not None and frames.digest == digest_of(lesson, place) else None


def placed(frames: Frames, address: str) -> dict[tuple[int, ...], Frame]:
    """Return the frames by their places, at their address."""
    return {
        tuple(map(int, key.split("-"))): Frame(f"{address}/{key}.webp", words)
        for key, words in frames.words.items()
    }


def make(paths: Sequence[Path], folder: Path = FRAMES) -> Iterator[str]:
    """Make what is missing or older than its lesson, and report each lesson in a line."""
    for path in map(Path.resolve, paths):
        lesson = nbformat.read(path, as_version=4)
        place = explorer_cell(lesson)
        if place is None:
            continue
        if frames_of(path, folder) is not None:
            yield f"{path.stem}: made already"
            continue
        target = folder / path.stem
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir(parents=True)
        with contextlib.chdir(path.parent):
            made = explorer_of(lesson, place)
        frames = write_frames(made, digest_of(lesson, place), target)
        size = sum(file.stat().st_size for file in target.iterdir())
        yield f"{path.stem}: {len(frames.words)} frames, {size / 1e6:.1f} MB"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command. Returns the exit status: 0, or 2 where an explorer is not what its lesson stores."""
    parser = argparse.ArgumentParser(
        prog="python -m docs.frames", description="Make the pictures of the book's picture explorers."
    )
    parser.add_argument("lessons", nargs="*", type=Path, help="notebooks; default: all of the course")
    given = parser.parse_args(argv)
    paths = given.lessons or sorted((ROOT / "notebooks").glob("[0-9]*.ipynb"))
    try:
        for line in make(paths):
            print(line, flush=True)
    except ValueError as error:
        print(f"docs.frames: error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
