"""Check of lesson 13's search through a folder: a small one with every kind of problem, made new for each check."""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from dlv3.course.kit.exercises import Wrong, exercise, require, unfinished

ALLOWED = frozenset({0, 1, 2, 9})  # 9 means "cannot tell"
KINDS = ("no mask", "channels", "size", "label")


def problems_in(root: Path, allowed: set[int]) -> dict[str, str]:
    """Return the problem of each picture that has one, by name."""
    found = {}
    for path in sorted((root / "images").iterdir()):
        problem = _problem(path, root / "masks" / f"{path.stem}.png", allowed)
        if problem:
            found[path.stem] = problem
    return found


def _problem(image: Path, mask: Path, allowed: set[int]) -> str | None:
    if not mask.exists():
        return "no mask"
    values = np.asarray(Image.open(mask))
    if values.ndim != 2:
        return "channels"
    if values.shape[::-1] != Image.open(image).size:
        return "size"
    return None if set(np.unique(values).tolist()) <= allowed else "label"


@exercise("13/problems", title="Find the bad files", difficulty=3, minutes=12)
def problems(attempt: Callable[[Path, set[int]], dict[str, str]]) -> str:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        _write_trouble(root)
        want = problems_in(root, set(ALLOWED))
        try:
            got = attempt(root, set(ALLOWED))
        except FileNotFoundError as error:
            name = Path(str(error.filename or error)).name
            raise Wrong(
                f"`{name}` is not there, and your code stopped at it. That is one of the problems to report: ask "
                "`mask.exists()` before you open it."
            ) from None
        unfinished(got, "`find_problems`")
        require(
            isinstance(got, dict),
            f"`find_problems` gives a {type(got).__name__}; return a dictionary from name to problem.",
        )
        for name in sorted(set(got) - set(want)):
            raise Wrong(_too_strict(name, got[name]))
        for name, kind in want.items():
            require(name in got, f"`{name}` is not reported: {_WHAT[kind]}")
            require(
                got[name] == kind,
                f"`{name}` is reported as {got[name]!r}, but it should be {kind!r}: {_WHAT[kind]}",
            )
    return "It takes half a minute, and saves hours of training on masks that do not fit."


_WHAT = {
    "no mask": "its mask has another name. Compare the names, not the number of files.",
    "channels": "its mask has three channels, colours in place of class numbers; it is not 2-dimensional.",
    "size": "its mask has another size. An array's shape is (height, width), Pillow's `size` (width, height).",
    "label": "its mask holds a number that is not allowed.",
}


def _too_strict(name: str, problem: Any) -> str:
    reasons = {
        "palette": "a palette PNG shows in colours, but its pixels are class numbers: `np.asarray(Image.open(path))` "
        "gives them as they are, and `.convert(...)` turns them into greys.",
        "wide": "its mask has the picture's size. An array's shape is (height, width), Pillow's `size` "
        "(width, height).",
        "upper": "its picture ends in .JPG and its mask in .png: compare the stems.",
        "orphan": "it has a mask and no picture. That is harmless: go through the pictures.",
        "unsure": 'all numbers of its mask are allowed, and it may hold each of them; 9 is the tool\'s "cannot tell".',
    }
    stem = Path(name).stem
    if stem != name:
        return f"`{name}` is reported ({problem!r}): report it by its stem, {stem!r}, without the suffix."
    reasons["fine"] = "there is nothing wrong with it."
    if problem == "no mask":
        reasons["fine"] = "its mask is `masks/fine.png`: a mask has the picture's stem and its own suffix."
    elif problem not in KINDS:
        reasons["fine"] = "there is nothing wrong with it: leave good pictures out."
    why = reasons.get(name, reasons["fine"])
    return f"`{name}` is reported ({problem!r}), but {why}"


def _write_trouble(root: Path) -> None:
    for folder in ("images", "masks"):
        (root / folder).mkdir()

    def picture(name: str, height: int = 6, width: int = 6, suffix: str = ".jpg") -> None:
        Image.fromarray(np.full((height, width, 3), 90, np.uint8)).save(root / "images" / f"{name}{suffix}")

    def mask(name: str, values: npt.NDArray[np.uint8]) -> None:
        Image.fromarray(values).save(root / "masks" / f"{name}.png")

    plain = np.array([[0, 1, 2]] * 6, np.uint8).repeat(2, axis=1)  # (6, 6)
    for name in ("fine", "unsure", "palette", "colours", "unknown", "turned", "lonely"):
        picture(name)
    picture("wide", 4, 6)
    picture("upper", suffix=".JPG")
    picture("turned", 4, 6)  # replaces the square one; its mask is upright
    for name in ("fine", "upper", "orphan", "lonely-1"):
        mask(name, plain)
    mask("wide", plain[:4])
    mask("turned", np.ascontiguousarray(plain[:4].T))
    everything = plain.copy()  # every number that is allowed
    everything[0] = 9
    mask("unsure", everything)
    mask("unknown", np.where(plain == 2, 7, plain).astype(np.uint8))
    mask("colours", np.zeros((6, 6, 3), np.uint8))
    indexed = Image.fromarray(plain)
    indexed.putpalette([255, 255, 255, 200, 30, 30, 30, 30, 200])
    indexed.save(root / "masks" / "palette.png")
