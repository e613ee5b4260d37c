"""The lessons under test: their notebooks, and the `mistakes.py` of each."""

import importlib.util
from functools import cache
from pathlib import Path
from types import SimpleNamespace

import nbformat
from nbformat import NotebookNode

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
LESSONS = [path for path in NOTEBOOKS if path.name[:2].isdigit()]
GLOSSARY = ROOT / "notebooks" / "glossary.ipynb"


@cache
def notebook(path: Path) -> NotebookNode:
    return nbformat.read(path, as_version=4)


@cache
def companion(path: Path) -> SimpleNamespace:
    """MISTAKES, IGNORED_CELLS and EXCUSED_MUTANTS of a lesson, from its `mistakes.py`; empty where it has none."""
    file = Path(__file__).parent / "lessons" / f"lesson{path.stem}" / "mistakes.py"
    held = SimpleNamespace(MISTAKES={}, IGNORED_CELLS={}, EXCUSED_MUTANTS={})
    if file.exists():
        spec = importlib.util.spec_from_file_location(f"companion_{path.stem}", file)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        held.MISTAKES = getattr(module, "MISTAKES", {})
        held.IGNORED_CELLS = getattr(module, "IGNORED_CELLS", {})
        held.EXCUSED_MUTANTS = getattr(module, "EXCUSED_MUTANTS", {})
    return held
