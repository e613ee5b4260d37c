"""Every lesson has its room, every room has its lesson, and no room imports from another."""

import re
from pathlib import Path

import pytest
from lesson_files import LESSONS, companion, notebook

from dlv3.course import lessons
from dlv3.course.kit import notebooks

ROOMS = sorted(Path(lessons.__path__[0]).glob("lesson*"))
TESTS = sorted((Path(__file__).parent / "lessons").glob("lesson*"))


def test_every_lesson_has_a_room_and_every_room_a_lesson():
    assert [room.name for room in ROOMS] == [f"lesson{path.stem}" for path in LESSONS]


def test_every_room_has_its_tests():
    assert [tests.name for tests in TESTS] == [room.name for room in ROOMS]


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_lesson_with_exercises_has_checks_and_mistakes(path):
    room = Path(lessons.__path__[0]) / f"lesson{path.stem}"
    assert notebooks.exercises(notebook(path))
    assert list(room.glob("checks*.py"))
    assert companion(path).MISTAKES


@pytest.mark.parametrize("room", ROOMS, ids=lambda room: room.name)
def test_room_imports_no_other_room(room):
    sources = [path.read_text() for path in room.glob("*.py")]
    lesson = next(path for path in LESSONS if f"lesson{path.stem}" == room.name)
    sources += [cell.source for cell in notebook(lesson).cells if cell.cell_type == "code"]
    imported = {name for source in sources for name in re.findall(r"\blessons\.(lesson\w+)", source)}
    assert imported <= {room.name}


@pytest.mark.parametrize("room", ROOMS, ids=lambda room: room.name)
def test_explorers_python_and_javascript_stand_side_by_side(room):
    assert (room / "explorer.py").exists() == (room / "explorer.js").exists()
