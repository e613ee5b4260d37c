"""The order of the tests: files that take longest come first, so that no core waits for one of them at the end.

And the web book, which is built once for all processes that test it.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from filelock import FileLock

ROOT = Path(__file__).parents[1]

# The longest first. Files that are not here keep pytest's order behind these.
LONGEST = (
    "tests/browser/test_lessons_in_lab.py",
    "tests/test_wheel.py",
    "tests/training/test_pretrain.py",
    "tests/browser/test_glossary_in_lab.py",
    "notebooks/06_aspp.ipynb",
    "tests/faults/test_kills.py",
    "notebooks/13_real_photos.ipynb",
    "notebooks/08_training.ipynb",
    "tests/browser/test_book_pages.py",
    "tests/test_deeplab.py",
    "tests/test_weights.py",
    "tests/fast/test_served.py",
)
_RANKS = {path: rank for rank, path in enumerate(LONGEST)}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Sort whole files; within a file, the order stays: a notebook's cells need it."""
    items.sort(key=lambda item: _RANKS.get(item.nodeid.partition("::")[0], len(LONGEST)))


@pytest.fixture(scope="session")
def book(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built web book; the first process that needs it builds it. DLV3_BOOK names one that is built already."""
    if "DLV3_BOOK" in os.environ:
        return Path(os.environ["DLV3_BOOK"]).resolve()
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent
    out = folder / "book"
    with FileLock(folder / "book.lock"):
        if not out.exists():
            made_live()
            command = [sys.executable, "-m", "docs", "--out", str(out), "--work", str(folder / "book-work")]
            done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stderr[-4000:]
    return out


def made_live() -> str:
    """Make what the live page needs, in build/live, once for all sessions. Returns why it is not there, or ""."""
    from docs.live.files import LIVE, MissingToolError, make

    LIVE.parent.mkdir(exist_ok=True)
    with FileLock(LIVE.parent / "live.lock"):
        try:
            make(LIVE)
        except MissingToolError as missing:
            return f"SKIPPED: {missing}"
    return ""


@pytest.fixture(scope="session")
def live_files() -> Path:
    """The files of the live page."""
    if missing := made_live():
        pytest.skip(missing)
    return ROOT / "build" / "live"
