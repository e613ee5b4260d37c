"""Each exercise's folded solution passes its check; its stub and several wrong answers do not, with a reason.

Each lesson is a class of its own, so that processes can share the lessons. A lesson's set-up runs once with the
solutions, and each wrong answer is tried in its exercise's place; then the set-up runs once more with the stubs.

In the same run stand a few mutants of each solution (`mutants.py`; all of them: `make mutants`), and the solution with
its results in other forms: a list for a tuple, NumPy's numbers for Python's. A check may refuse a form. Where it lets
one pass, the lesson must go on with exactly what the solution gives.
"""

import contextlib
import copy
import re
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from unittest import mock

import mutants
import pytest
import slices
import torch
from lesson_files import LESSONS, companion, notebook

from dlv3.course.kit import notebooks, watching
from dlv3.course.kit.notebooks import Answers

# The body of a function that puts a result into another form, or returns it as it is where that does not apply.
FORMS = {
    "list": "list(made) if isinstance(made, tuple | set) else made",
    "tuple": "tuple(made) if isinstance(made, list | set) else made",
    "lists": "[list(each) if isinstance(each, tuple) else each for each in made] if isinstance(made, list) else made",
    "numpy": "numpy.asarray(made) if type(made) in (int, float, bool, tuple) and numpy.ndim(made) < 2 else made",
    "tensor": "torch.tensor(made) if type(made) in (int, float, bool) else made",
    "double": "made.double() if isinstance(made, torch.Tensor) and made.is_floating_point() else made",
    "array": "made.detach().numpy() if isinstance(made, torch.Tensor) else made",
}
# Cells that train for seconds: they and what needs them are not run with each form.
LONG_CELLS = {
    "05_multi_grid": {"train-run"},
    "08_training": {"c062-416f2f", "c067-8cc3ba"},
    "13_real_photos": {"padding-train", "thaw"},
    "14_conclusions": {"train"},
}
# Tags of cells whose outputs nbval does not compare.
IGNORING = {"nbval-ignore-output", "nbval-skip"}
_FORM = """
{solution}

def _formed(function):
    import functools, numpy, torch

    @functools.wraps(function)
    def call(*args, **options):
        made = function(*args, **options)
        return {form}

    return call

{name} = _formed({name})
"""
_FORM_OF_VALUE = """
{solution}

def _formed(made):
    import numpy, torch

    if isinstance(made, dict):
        return {{key: _formed(value) for key, value in made.items()}}
    return {form}

"""
_FUNCTION = re.compile(r"^def (\w+)\(", re.M)


def formed(solution: str, form: str) -> str | None:
    """Return a solution with its results in another form: its last function's, or its values; None if it is a class."""
    if re.search(r"^class ", solution, re.M):
        return None
    functions = _FUNCTION.findall(solution)
    if functions:
        return _FORM.format(solution=solution, form=FORMS[form], name=functions[-1])
    names = [name for statement in slices.uses(solution) for name in sorted(statement.stores)]
    return _FORM_OF_VALUE.format(solution=solution, form=FORMS[form]) + "\n".join(
        f"{name} = _formed({name})" for name in names
    )


class Lesson:
    """A lesson's exercises and wrong answers, and what their checks say of them."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.solutions = {task.name: task.solution for task in notebooks.exercises(notebook(path))}
        self.mistakes = companion(path).MISTAKES
        self.recorder = mutants.Recorder()

    @cached_property
    def mutants(self) -> dict[str, dict[str, str]]:
        return {name: mutants.sample(name, code) for name, code in self.solutions.items()}

    @cached_property
    def solved(self) -> Answers:
        """The answers with the solutions; tried in their place: wrong answers, then mutants, then other forms."""
        trials = {
            name: [code for code, _ in self.mistakes.get(name, ())]
            + list(self.mutants[name].values())
            + [code for form in FORMS if (code := formed(solution, form))]
            for name, solution in self.solutions.items()
        }
        with mock.patch.object(watching, "watched", self.recorder):
            return notebooks.answer(notebook(self.path), self.solutions, trials, seconds=1.0)

    def tried_mutants(self, name: str) -> dict[str, object]:
        first = len(self.mistakes.get(name, ()))
        return dict(zip(self.mutants[name], self.solved.tried[name][first:], strict=False))

    def tried_forms(self, name: str) -> dict[str, object]:
        first = len(self.mistakes.get(name, ())) + len(self.mutants[name])
        return dict(zip(FORMS, self.solved.tried[name][first:], strict=False))

    def inputs(self, name: str) -> list[tuple[object, ...]]:
        """What the check of an exercise gives to its answers."""
        return self.recorder.inputs[getattr(self.solved.given[name].attempt, "__qualname__", "")]

    def accepted_forms(self, name: str) -> list[str]:
        """The forms that the check lets pass and that differ from the solution's own."""
        right = self.solved.given[name].attempt
        return [
            form
            for form, result in self.tried_forms(name).items()
            if result.passed
            and any(not same_form(*pair) for pair in self._results(right, result.attempt, name))
        ]

    def _results(self, right: object, other: object, name: str) -> Iterator[tuple[object, object]]:
        """Both answers, or what both functions return for some of the check's inputs."""
        if not callable(right):
            yield right, other
            return
        for args in self.inputs(name)[:12]:
            with contextlib.suppress(OSError, ValueError):  # a folder that is gone, or an input to be refused
                yield right(*copy.deepcopy(args)), other(*copy.deepcopy(args))

    def go_on(self, forms: Mapping[str, str]) -> dict[str, tuple[list[str], list[str]]]:
        """Run what the answers reach with each in its form; return the cells that say something else than is stored."""
        book = notebook(self.path)
        stubs = dict(notebooks.tagged(book, "exercise:"))
        codes = {stubs[name]: formed(self.solutions[name], form) for name, form in forms.items()}
        long = {i for i, cell in enumerate(book.cells) if cell.id in LONG_CELLS.get(self.path.stem, ())}
        told = slices.reached(book, set(codes)) - slices.reached(book, long)
        told = {index for index in told if long.isdisjoint(slices.needed(book, {index}))}
        space, other = {"__name__": "__main__"}, {}
        for index in slices.needed(book, told):
            cell = book.cells[index]
            try:
                said = slices.run(codes.get(index, cell.source), space)
            except Exception as error:
                return {cell.id: ([f"{type(error).__name__}: {error}"], [])}
            compared = index in told and index not in stubs.values() and "check(" not in cell.source
            if (
                compared
                and IGNORING.isdisjoint(cell.metadata.get("tags", []))
                and said != slices.stored(cell)
            ):
                other[cell.id] = said, slices.stored(cell)
        return other

    @cached_property
    def used_further_on(self) -> str:
        """The cells whose checks hand an answer on."""
        cells = notebook(self.path).cells
        code = "\n".join(cell.source for cell in cells if cell.cell_type == "code")
        names = set(re.findall(r"(\w+)\.or_else\(", code))
        return "\n".join(line for line in code.splitlines() if line.partition(" = ")[0] in names)

    @cached_property
    def untouched(self) -> Answers:
        return notebooks.answer(notebook(self.path), {})


def same_form(got: object, want: object) -> bool:
    """Compare two results in kind as well as in value."""
    if isinstance(want, torch.Tensor):
        return isinstance(got, torch.Tensor) and got.dtype == want.dtype and mutants.alike(got, want)
    if type(got) is not type(want):
        return False
    if isinstance(want, torch.nn.Module):
        return repr(got) == repr(want)
    if isinstance(want, tuple | list):
        return len(got) == len(want) and all(map(same_form, got, want))
    if isinstance(want, dict):
        return list(got) == list(want) and all(same_form(got[key], want[key]) for key in want)
    return mutants.alike(got, want)


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

    def test_mutants_are_refused_or_behave_as_the_solution(self, name):
        right = self.lesson.solved.given[name].attempt
        excused = companion(self.lesson.path).EXCUSED_MUTANTS.get(name, {})
        for what, result in self.lesson.tried_mutants(name).items():
            if result.passed and what not in excused:
                assert mutants.differs(right, result.attempt, self.lesson.inputs(name), 20) is None, what

    def test_what_passes_in_another_form_is_handed_on_in_the_solutions(self, name):
        used = f'check("{name}"' in self.lesson.used_further_on
        right = self.lesson.solved.given[name].or_else(None)
        for form, result in self.lesson.tried_forms(name).items():
            if not used or not result.passed:
                continue
            for args in self.lesson.inputs(name)[:12]:
                try:
                    want = right(*copy.deepcopy(args))
                except (OSError, ValueError):
                    continue  # a check's own folder that is gone, or an input that is to be refused
                got = result.or_else(None)(*copy.deepcopy(args))
                assert same_form(got, want), (form, got, want)

    @pytest.mark.slow
    def test_lesson_goes_on_with_each_form_that_passes(self):
        forms = {name: self.lesson.accepted_forms(name) for name in self.lesson.solutions}
        for turn in range(max(map(len, forms.values()))):
            mixed = {name: accepted[turn] for name, accepted in forms.items() if turn < len(accepted)}
            assert self.lesson.go_on(mixed) == {}, mixed

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
