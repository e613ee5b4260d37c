"""The order of the tests: files that take longest come first, so that no core waits for one of them at the end.

And the web book, which is built once for all processes that test it.
"""

import os
from pathlib import Path

import pytest
from built_book import ROOT, built, made_live

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
def shared_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that all processes of the session share."""
    folder = tmp_path_factory.getbasetemp()
    return folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder


@pytest.fixture(scope="session")
def book(shared_folder: Path) -> Path:
    """The built web book. DLV3_BOOK names one that is built already."""
    return Path(os.environ["DLV3_BOOK"]).resolve() if "DLV3_BOOK" in os.environ else built(shared_folder)


@pytest.fixture(scope="session")
def live_files(shared_folder: Path) -> Path:
    """The files of the live page."""
    if missing := made_live(shared_folder):
        pytest.skip(missing)
    return ROOT / "build" / "live"
