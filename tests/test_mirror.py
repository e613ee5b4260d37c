"""Tests mirror the source: dlv3/data/made/shapes.py has tests/data/made/test_shapes.py, or the list below says why not.

A new file without a test of its name fails here, and so does a line below that is not needed any more.
"""

from fnmatch import fnmatch
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
SOURCE = TESTS.parent / "dlv3"

# Files without a test of their name, and where they are tested. A pattern may stand for several.
ELSEWHERE = {
    "__main__.py": "a line that calls dlv3.cli.main; tests/cli/test_main.py starts it as a process",
    "cli/complaints.py": "by the messages of dlv3.cli.parsing: tests/cli/test_parsing.py",
    "cli/data.py": "two commands in a table: tests/cli/test_main.py",
    "cli/table_options.py": "by the command that has them: tests/cli/test_ablate.py",
    "course/lessons/*/checks*.py": "right and wrong answers go through all of them: tests/course/test_solutions.py",
    "course/lessons/*/figures.py": "a lesson's figures: each checks its own words, and nbval compares the words",
    "data/errors.py": "an exception without code; every test of bad data expects it",
    "data/made/contact_sheet.py": "with the pictures that it shows: tests/data/made/test_large_objects.py",
    "data/made/discs.py": "by the pictures that they are placed in: tests/data/made/test_markers.py",
    "data/made/heads.py": "with outline, which shares its base: tests/data/made/test_large_objects.py",
    "data/made/object_crops.py": "with the objects that it shows: tests/data/made/test_large_objects.py",
    "data/made/outline.py": "with heads, which shares its base: tests/data/made/test_large_objects.py",
    "data/made/placed.py": "by the pictures that are laid out with it: tests/data/made/test_large_objects.py",
    "data/photos/pairing.py": "by the folders that are opened with it: tests/data/photos/test_folder.py",
}

# Tests that are not of one file: the subject of each.
OF_MORE = {
    "ablations/*/test_recorded.py": "the recorded results of a kind of tables",
    "assets/test_assets.py": "the files that travel with the package",
    "benchmarks/test_*.py": "mirrors benchmarks/",
    "browser/test_*.py": "the lessons and the book in a real browser",
    "course/kit/test_notebooks_are_compared.py": "the cells' stored outputs",
    "course/lessons/*/test_claims.py": "the numbers in a lesson's text",
    "course/lessons/*/test_fallbacks.py": "the pictures that stand in for a lesson's explorer",
    "course/test_answers_are_hidden.py": "what a reader of a lesson sees before the answers",
    "course/test_rooms.py": "what every lesson's room has",
    "course/test_solutions.py": "every exercise's right and wrong answers",
    "faults/test_*.py": "commands that are killed, full disks, permissions and damaged files",
    "docs/test_*.py": "mirrors docs/",
    "test_import_graph.py": "which package may import which",
    "test_mirror.py": "this file",
    "test_quarter_scale.py": "the backbone at a quarter of the scale in the whole model",
    "test_package.py": "what is imported and installed",
    "test_project_files.py": "links, versions and paths in the project's own files",
    "test_wheel.py": "the built package in an empty environment",
    "training/test_training_package.py": "what dlv3.training offers",
}


def source_files(root: Path) -> set[str]:
    """Every file that should have a test."""
    return {p.relative_to(root).as_posix() for p in root.rglob("*.py") if p.name != "__init__.py"}


def files_of_tests(root: Path) -> set[str]:
    """Every file of tests."""
    return {p.relative_to(root).as_posix() for p in root.rglob("test_*.py")}


def mirrored(source: str) -> str:
    """Return the test's place: made/shapes.py becomes made/test_shapes.py."""
    folder, _, name = source.rpartition("/")
    return f"{folder}/test_{name}" if folder else f"test_{name}"


def without(names: set[str], patterns: dict[str, str]) -> set[str]:
    """Return the names that no pattern covers."""
    return {name for name in names if not any(fnmatch(name, pattern) for pattern in patterns)}


def problems(
    sources: set[str], tests: set[str], elsewhere: dict[str, str], of_more: dict[str, str]
) -> list[str]:
    """Return what does not mirror, one line each."""
    untested = {source for source in sources if mirrored(source) not in tests}
    orphans = tests - {mirrored(source) for source in sources}
    found = [
        f"{s}: write tests/{mirrored(s)}, or say in ELSEWHERE why not" for s in without(untested, elsewhere)
    ]
    found += [
        f"tests/{t}: no dlv3/ file of this name; say in OF_MORE what it tests"
        for t in without(orphans, of_more)
    ]
    for pattern in elsewhere:
        if not any(fnmatch(source, pattern) for source in untested):
            found.append(f"ELSEWHERE: {pattern!r} is not needed")
    for pattern in of_more:
        if not any(fnmatch(test, pattern) for test in orphans):
            found.append(f"OF_MORE: {pattern!r} is not needed")
    return sorted(found)


def test_every_file_has_its_test_and_every_test_its_file():
    assert problems(source_files(SOURCE), files_of_tests(TESTS), ELSEWHERE, OF_MORE) == []


@pytest.mark.parametrize(
    ("sources", "tests", "elsewhere", "of_more", "expected"),
    [
        ({"a/b.py"}, {"a/test_b.py"}, {}, {}, []),
        ({"a.py"}, set(), {}, {}, ["a.py: write tests/test_a.py, or say in ELSEWHERE why not"]),
        ({"a.py"}, set(), {"a.py": "why"}, {}, []),
        ({"a.py"}, {"test_a.py"}, {"a.py": "why"}, {}, ["ELSEWHERE: 'a.py' is not needed"]),
        (
            set(),
            {"test_a.py"},
            {},
            {},
            ["tests/test_a.py: no dlv3/ file of this name; say in OF_MORE what it tests"],
        ),
        (set(), {"test_a.py"}, {}, {"test_*.py": "all"}, []),
        (set(), set(), {}, {"test_a.py": "gone"}, ["OF_MORE: 'test_a.py' is not needed"]),
    ],
)
def test_what_does_not_mirror_is_found(
    sources: set[str],
    tests: set[str],
    elsewhere: dict[str, str],
    of_more: dict[str, str],
    expected: list[str],
):
    assert problems(sources, tests, elsewhere, of_more) == expected
