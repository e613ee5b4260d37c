"""Each exercise's folded solution passes its check; its stub and several wrong answers do not, and are told why."""

import pytest
from lesson_files import LESSONS, companion, notebook

from dlv3.course.kit import notebooks

WITH_EXERCISES = [path for path in LESSONS if any(notebooks.tagged(notebook(path), "exercise:"))]
MISTAKES = [
    pytest.param(path, name, code, phrase, id=f"{name}-{number}")
    for path in WITH_EXERCISES
    for name, wrong in companion(path).MISTAKES.items()
    for number, (code, phrase) in enumerate(wrong, 1)
]


@pytest.fixture(autouse=True)
def _as_in_a_notebook(monkeypatch):
    monkeypatch.setenv("MPLBACKEND", "Agg")
    if WITH_EXERCISES:
        monkeypatch.chdir(WITH_EXERCISES[0].parent)


def solutions(path):
    return {task.name: task.solution for task in notebooks.exercises(notebook(path))}


@pytest.mark.parametrize("path", WITH_EXERCISES, ids=lambda path: path.stem)
def test_solutions_pass(path):
    results = notebooks.answer(notebook(path), solutions(path))
    failed = {name: repr(result) for name, result in results.items() if not result.passed}
    assert failed == {}


@pytest.mark.parametrize("path", WITH_EXERCISES, ids=lambda path: path.stem)
def test_untouched_stubs_say_not_done_yet(path):
    results = notebooks.answer(notebook(path), {})
    assert {name: result.card.kind for name, result in results.items()} == dict.fromkeys(
        solutions(path), "open"
    )


@pytest.mark.parametrize(("path", "name", "code", "phrase"), MISTAKES)
def test_wrong_answer_is_refused_with_a_hint(path, name, code, phrase):
    result = notebooks.answer(notebook(path), solutions(path) | {name: code})[name]
    assert result.card.kind == "wrong", repr(result)
    assert phrase in repr(result)


@pytest.mark.parametrize("path", WITH_EXERCISES, ids=lambda path: path.stem)
def test_each_exercise_has_two_wrong_answers(path):
    counts = {name: len(companion(path).MISTAKES.get(name, ())) for name in solutions(path)}
    assert {name: count for name, count in counts.items() if count < 2} == {}
    assert set(companion(path).MISTAKES) <= set(counts), (
        "wrong answers to exercises that are not in the lesson"
    )
