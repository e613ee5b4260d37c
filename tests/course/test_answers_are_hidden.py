"""No answer before the guess: neither in the notebook as it is opened, nor with the outputs that pages show.

What a reader can see is read from the files: sources, stored outputs, and the figures' words, without what is folded.
`dlv3 lab` copies the lessons without outputs; GitHub and the book show them.
"""

import ast
import html
import re
from dataclasses import dataclass

import pytest
from lesson_files import LESSONS, notebook

from dlv3.course.kit import notebooks

_FOLD = re.compile(r"<details>.*?</details>", re.S)
_ASKED = re.compile(r"^(\w+) = (Choice|Number)\(", re.M)
_COMPARED = re.compile(r"^(\w+)\.compare\(", re.M)
_ANSWER = re.compile(r"<summary>Show the answer</summary>The answer: (.*?)</details>", re.S)

# An answer that stands above its question without giving it away.
COINCIDENCES = {
    ("06_aspp", "anywhere"): "it names one of the two networks that are compared",
    ("06_aspp", "dearest"): "it is the name of a branch",
}
# Cells between a question and its comparison that draw or assert something, and belong to something else.
OTHER_MATTERS = {
    "00_start_here": {"named", "lazy", "same-score", "score-plot", "crumbs", "crumbs-plot"},
    "02_receptive_fields": {"chain-run", "seen-run", "resnet-run", "trained"},
    "03_output_stride": {"truth-score"},
    "08_training": {"c062-416f2f"},
    "10_aspp_ablations": {"centre"},
    "13_real_photos": {"padding-figure", "centre-figure"},
    "14_conclusions": {"chain"},
}


@dataclass(frozen=True)
class Question:
    """A question: the cells that ask and compare, and the answer that is folded in the stored card."""

    variable: str
    kind: str
    asked: int
    compared: int
    answer: str


def shown(cell) -> str:
    """Return what a reader sees of a cell, without folded parts."""
    if cell.cell_type == "markdown":
        return _FOLD.sub("", cell.source)
    outputs = []
    for output in cell.get("outputs", []):
        data = output.get("data", {})
        outputs.append(output.get("text", "") or data.get("text/plain", ""))
        outputs.append(html.unescape(re.sub(r"<[^>]+>", " ", _FOLD.sub("", data.get("text/html", "")))))
    return "\n".join([cell.source, *outputs])


def questions(path) -> list[Question]:
    cells = notebook(path).cells
    asked: dict[str, tuple[str, int]] = {}
    found = []
    for index, cell in enumerate(cells):
        if cell.cell_type != "code":
            continue
        asked |= {variable: (kind, index) for variable, kind in _ASKED.findall(cell.source)}
        for variable in _COMPARED.findall(cell.source):
            kind, place = asked[variable]
            cards = "".join(output.get("data", {}).get("text/html", "") for output in cell.outputs)
            answer = html.unescape(_ANSWER.search(cards)[1])
            # Up to the reason: a sentence that begins with a capital letter.
            answer = re.split(r"\. (?=[A-Z0-9])|\.$", re.sub(r"<[^>]+>", "", answer))[0]
            found.append(Question(variable, kind, place, index, answer))
    return found


ALL = [(path, question) for path in LESSONS for question in questions(path)]
IDS = [f"{path.stem[:2]}-{question.variable}" for path, question in ALL]


@pytest.mark.parametrize(("path", "question"), ALL, ids=IDS)
def test_the_stored_card_folds_its_answer(path, question):
    cell = notebook(path).cells[question.compared]
    notes = [
        output.data for output in cell.outputs if "dlv3-note" in output.get("data", {}).get("text/html", "")
    ]
    asked = "→ Predict first, then run this cell again\nYour answer goes where the question is, further up."
    (card,) = notes
    assert card["text/plain"] == asked
    seen = re.sub(r"<[^>]+>", "", _FOLD.sub("", card["text/html"]).replace("<br>", "\n"))
    assert html.unescape(seen) == asked


@pytest.mark.parametrize(("path", "question"), ALL, ids=IDS)
def test_nothing_above_a_question_gives_its_answer(path, question):
    # A single digit or a short word stands in many places by chance.
    digits = re.search(r"[\d.,]*\d", question.answer)
    answer = digits[0] if question.kind == "Number" and digits else question.answer
    if (
        len(answer) < (3 if question.kind == "Number" else 8)
        or (path.stem, question.variable) in COINCIDENCES
    ):
        return
    above = "\n".join(shown(cell) for cell in notebook(path).cells[: question.asked])
    assert not re.search(rf"(?<![\d.,]){re.escape(answer)}(?!\d|[.,]\d)", above, re.I)


@pytest.mark.parametrize(("path", "question"), ALL, ids=IDS)
def test_no_source_between_a_question_and_its_comparison_tells_the_outcome(path, question):
    for cell in notebook(path).cells[question.asked + 1 : question.compared]:
        if (
            cell.cell_type != "code"
            or ".compare(" in cell.source
            or cell.id in OTHER_MATTERS.get(path.stem, ())
        ):
            continue
        telling = re.findall(r"^\s*(assert .*[<>=].*\d.*|show\(.*|bars\(.*)$", cell.source, re.M)
        assert not telling, f"cell {cell.id}: a figure's words or an assertion; move it behind the comparison"


TASKS = [(path, task) for path in LESSONS for task in notebooks.exercises(notebook(path))]


def _plain(line: str) -> str:
    return re.sub(r"\s+", "", line.split("  #")[0])


@pytest.mark.parametrize(("path", "task"), TASKS, ids=[task.name.replace("/", "-") for _, task in TASKS])
def test_no_code_near_an_exercise_is_its_solution(path, task):
    cells = notebook(path).cells
    stub = next(i for name, i in notebooks.tagged(notebook(path), "exercise:") if name == task.name)
    solution = next(i for name, i in notebooks.tagged(notebook(path), "solution:") if name == task.name)
    own = {_plain(line) for line in task.stub.splitlines()}
    lines = {_plain(line).removeprefix("return") for line in task.solution.splitlines()} - own
    # Short lines, such as the heads of loops, are anyone's.
    telling = {line for line in lines if len(line) >= 28 and not line.startswith(("def", "class", '"""'))}
    near = [cell.source for cell in cells[stub + 1 : solution + 4] if cell.cell_type == "code"]
    there = "\n".join(_plain(line) for source in near for line in source.splitlines())
    assert not [line for line in telling if line in there]


@pytest.mark.parametrize(("path", "task"), TASKS, ids=[task.name.replace("/", "-") for _, task in TASKS])
def test_no_code_near_an_exercise_holds_the_values_it_asks_for(path, task):
    if "def " in task.stub or "class " in task.stub:
        return
    cells = notebook(path).cells
    stub = next(i for name, i in notebooks.tagged(notebook(path), "exercise:") if name == task.name)
    solution = next(i for name, i in notebooks.tagged(notebook(path), "solution:") if name == task.name)
    values = {
        ast.unparse(node)
        for node in ast.walk(ast.parse(task.solution))
        if isinstance(node, ast.Tuple | ast.List) and all(isinstance(e, ast.Constant) for e in node.elts)
    }
    values |= set(re.findall(r"# (\([\d, ]+\))", task.solution))
    values -= {value for value in values if value in task.stub or len(value) < 8}
    values.discard("(1, 1, 1)")  # a multi-grid of ones is every lesson's
    near = "\n".join(cell.source for cell in cells[stub + 1 : solution + 3] if cell.cell_type == "code")
    assert not [value for value in values if value in near]
