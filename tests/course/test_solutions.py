"""Each exercise's folded solution passes its check; its stub and several wrong answers do not, with a reason.

Each lesson is a class of its own, so that processes can share the lessons. A lesson's set-up runs once with the
solutions, and each wrong answer is tried in its exercise's place; then the set-up runs once more with the stubs.
"""

from functools import cached_property
from pathlib import Path

import pytest
from lesson_files import LESSONS, companion, notebook

from dlv3.course.kit import notebooks
from dlv3.course.kit.notebooks import Answers


class Lesson:
    """A lesson's exercises and wrong answers, and what their checks say of them."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.solutions = {task.name: task.solution for task in notebooks.exercises(notebook(path))}
        self.mistakes = companion(path).MISTAKES

    @cached_property
    def solved(self) -> Answers:
        wrong = {name: [code for code, _ in codes] for name, codes in self.mistakes.items()}
        return notebooks.answer(notebook(self.path), self.solutions, wrong)

    @cached_property
    def untouched(self) -> Answers:
        return notebooks.answer(notebook(self.path), {})


class Exercises:
    """The tests of one lesson."""

    lesson: Lesson

    @pytest.fixture(autouse=True)
    def _as_in_a_notebook(self, monkeypatch):
        monkeypatch.setenv("MPLBACKEND", "Agg")
        monkeypatch.chdir(self.lesson.path.parent)

    def test_solution_passes(self, name):
        result = self.lesson.solved.given[name]
        assert result.passed, repr(result)

    def test_untouched_stub_says_not_done_yet(self, name):
        assert self.lesson.untouched.given[name].card.kind == "open"

    def test_wrong_answer_is_refused_with_a_hint(self, name, number):
        result = self.lesson.solved.tried[name][number]
        assert result.card.kind == "wrong", repr(result)
        assert self.lesson.mistakes[name][number][1] in repr(result)

    def test_exercise_has_two_wrong_answers(self, name):
        assert len(self.lesson.mistakes.get(name, ())) >= 2

    def test_wrong_answers_are_to_exercises_of_the_lesson(self):
        assert set(self.lesson.mistakes) <= set(self.lesson.solutions)


for _path in LESSONS:
    globals()[f"TestLesson{_path.stem[:2]}"] = type(
        f"TestLesson{_path.stem[:2]}", (Exercises,), {"lesson": Lesson(_path)}
    )


def pytest_generate_tests(metafunc):
    if "number" in metafunc.fixturenames:
        wrong = metafunc.cls.lesson.mistakes
        cases = [(name, number) for name, codes in wrong.items() for number in range(len(codes))]
        metafunc.parametrize(
            ("name", "number"), cases, ids=[f"{name}-{number + 1}" for name, number in cases]
        )
    elif "name" in metafunc.fixturenames:
        metafunc.parametrize("name", metafunc.cls.lesson.solutions)
