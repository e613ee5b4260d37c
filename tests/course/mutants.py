"""Small slips in a solution, made systematically: each that behaves differently must be refused by the check.

    python tests/course/mutants.py 03 09        # a table for lessons 03 and 09, and what was let pass
    make mutants                                # for all lessons, and the rest of what takes long

A mutant is the solution with one edit: another operator or comparison, a constant one off, a dropped line or option,
two arguments swapped, another axis, an input replaced by the value that the check happens to use. A mutant that the
check lets pass is compared with the solution on the check's own inputs and on many near ones; if it never differs it is
equivalent, which is no fault of the check.
"""

import ast
import contextlib
import copy
import itertools
import math
import random
import sys
import warnings
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import torch
from torch import nn

if __name__ == "__main__":
    sys.path[:0] = [str(Path(__file__).parents[2]), str(Path(__file__).parent)]

from lesson_files import LESSONS, companion, notebook

from dlv3.course.kit import notebooks, watching

SECONDS = 2.0  # of processor time, for one mutant in its check
SAMPLE = 2  # mutants of each exercise that every run of the tests tries
INPUTS = 120  # near inputs on which a mutant that passed is compared with the solution

_OPERATORS: dict[type[ast.operator], tuple[type[ast.operator], ...]] = {
    ast.Add: (ast.Sub,), ast.Sub: (ast.Add,), ast.Mult: (ast.Div, ast.Add), ast.Div: (ast.Mult, ast.FloorDiv),
    ast.FloorDiv: (ast.Div, ast.Mult), ast.Mod: (ast.FloorDiv,), ast.Pow: (ast.Mult,), ast.BitAnd: (ast.BitOr,),
    ast.BitOr: (ast.BitAnd,), ast.LShift: (ast.RShift,),
}  # fmt: skip
_COMPARISONS: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.Gt), ast.LtE: (ast.Lt, ast.GtE), ast.Gt: (ast.GtE, ast.Lt), ast.GtE: (ast.Gt, ast.LtE),
    ast.Eq: (ast.NotEq,), ast.NotEq: (ast.Eq,), ast.In: (ast.NotIn,), ast.NotIn: (ast.In,), ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
}  # fmt: skip
_NAMES = {
    "min": ("max",), "max": ("min",), "amax": ("amin",), "floor": ("ceil",), "ceil": ("floor", "round"),
    "round": ("floor",), "sum": ("mean",), "mean": ("sum",), "fmean": ("median",), "any": ("all",), "all": ("any",),
    "zeros": ("ones",), "ones": ("zeros",), "argmax": ("argmin",), "stdev": ("pstdev", "variance"),
    "softmax": ("log_softmax",), "log_softmax": ("softmax",), "sorted": ("list",), "int": ("round", "float"),
    "issubset": ("issuperset",), "zeros_like": ("ones_like",), "max_pool2d": ("avg_pool2d",),
}  # fmt: skip
_STRINGS = {"bilinear": ("nearest",), "sum": ("mean",), "mean": ("sum",)}


def mutants(source: str, seen: dict[str, list[Any]] | None = None) -> dict[str, str]:
    """Return the code of each mutant by a description of its edit.

    Args:
        source: the solution.
        seen: plain values that the check gives to the solution's parameters, by the parameter's name.
    """
    tree = ast.parse(source)
    found: dict[str, str] = {}
    original = ast.unparse(tree)
    for number, node in enumerate(_nodes(tree)):
        for what, edit in _edits(node, seen or {}):
            changed = copy.deepcopy(tree)
            target = next(itertools.islice(_nodes(changed), number, None))
            _replace(changed, target, edit(target))
            code = ast.unparse(ast.fix_missing_locations(changed))
            if code != original and code not in found.values():
                line = getattr(node, "lineno", 0)
                found[f"line {line}: {what}"] = code
    return found


def _nodes(tree: ast.AST) -> Iterator[ast.AST]:
    """Yield the nodes that may be edited; annotations and docstrings may not."""
    for name, value in ast.iter_fields(tree):
        if name in ("annotation", "returns"):
            continue
        for child in value if isinstance(value, list) else [value]:
            if not isinstance(child, ast.AST):
                continue
            if isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant):
                continue
            yield child
            yield from _nodes(child)


def _replace(tree: ast.AST, old: ast.AST, new: ast.AST) -> None:
    for parent in ast.walk(tree):
        for name, value in ast.iter_fields(parent):
            if value is old:
                setattr(parent, name, new)
            elif isinstance(value, list) and any(child is old for child in value):
                value[next(i for i, child in enumerate(value) if child is old)] = new


Edit = tuple[str, Callable[[Any], ast.AST]]


def _edits(node: ast.AST, seen: dict[str, list[Any]]) -> Iterator[Edit]:
    """Yield what can be done to a node: a description, and a function from the node to its replacement."""
    text = ast.unparse(node) if isinstance(node, ast.expr | ast.stmt) else ""
    if isinstance(node, ast.BinOp | ast.AugAssign):
        for other in _OPERATORS.get(type(node.op), ()):
            yield f"`{text}` with {other.__name__}", lambda n, other=other: _with(n, op=other())
        if isinstance(node, ast.BinOp):
            yield f"`{text}` without its right side", lambda n: n.left
            yield f"`{text}` without its left side", lambda n: n.right
    elif isinstance(node, ast.Compare) and len(node.ops) == 1:
        for other in _COMPARISONS.get(type(node.ops[0]), ()):
            yield f"`{text}` with {other.__name__}", lambda n, other=other: _with(n, ops=[other()])
    elif isinstance(node, ast.Compare):
        for i, op in enumerate(node.ops):
            for other in _COMPARISONS.get(type(op), ()):
                yield (
                    f"`{text}` with {other.__name__} at {i}",
                    lambda n, i=i, other=other: _with(n, ops=[*n.ops[:i], other(), *n.ops[i + 1 :]]),
                )
    elif isinstance(node, ast.BoolOp):
        other = ast.Or if isinstance(node.op, ast.And) else ast.And
        yield f"`{text}` with {other.__name__}", lambda n: _with(n, op=other())
        for i in range(len(node.values)):
            yield (
                f"`{text}` without condition {i}",
                lambda n, i=i: (
                    n.values[1 - i]
                    if len(n.values) == 2
                    else _with(n, values=n.values[:i] + n.values[i + 1 :])
                ),
            )
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not | ast.USub | ast.Invert):
        yield f"`{text}` without its sign", lambda n: n.operand
    elif isinstance(node, ast.Constant):
        yield from _constants(node)
    elif isinstance(node, ast.Call):
        yield from _calls(node, text)
    elif isinstance(node, ast.Attribute | ast.Name) and isinstance(node.ctx, ast.Load):
        name = node.attr if isinstance(node, ast.Attribute) else node.id
        for other in _NAMES.get(name, ()):
            key = "attr" if isinstance(node, ast.Attribute) else "id"
            yield f"`{text}` as {other}", lambda n, key=key, other=other: _with(n, **{key: other})
        if isinstance(node, ast.Name):
            for value in seen.get(name, ())[:2]:
                yield (
                    f"`{text}` as {value!r}",
                    lambda n, value=value: ast.parse(repr(value), mode="eval").body,
                )
    elif isinstance(node, ast.Slice):
        for part in ("lower", "upper", "step"):
            if getattr(node, part) is not None:
                yield f"`{text}` without {part}", lambda n, part=part: _with(n, **{part: None})
    elif isinstance(node, ast.IfExp):
        yield f"`{text}` always the first", lambda n: n.body
        yield f"`{text}` always the second", lambda n: n.orelse
    elif isinstance(node, ast.comprehension) and node.ifs:
        yield f"`for {ast.unparse(node.target)}` without its if", lambda n: _with(n, ifs=[])
    elif isinstance(node, ast.If):
        yield f"`if {ast.unparse(node.test)}` always", lambda n: _with(n, test=ast.Constant(True))
        yield f"`if {ast.unparse(node.test)}` never", lambda n: _with(n, test=ast.Constant(False))
    if isinstance(node, ast.Assign | ast.AugAssign | ast.Expr | ast.Break | ast.Continue | ast.Raise):
        yield f"`{text}` dropped", lambda n: ast.Pass()
    if isinstance(node, ast.Tuple | ast.List) and isinstance(node.ctx, ast.Load) and len(node.elts) == 2:
        yield f"`{text}` the other way round", lambda n: _with(n, elts=n.elts[::-1])


def _constants(node: ast.Constant) -> Iterator[Edit]:
    value = node.value
    others: tuple[Any, ...] = ()
    if isinstance(value, bool):
        others = (not value,)
    elif isinstance(value, int):
        others = (value + 1, value - 1)
    elif isinstance(value, float):
        others = (value + 1, value / 2)
    elif isinstance(value, str):
        others = _STRINGS.get(value, ())
    for other in others:
        yield f"{value!r} as {other!r}", lambda n, other=other: ast.parse(repr(other), mode="eval").body


def _calls(node: ast.Call, text: str) -> Iterator[Edit]:
    for i, option in enumerate(node.keywords):
        yield (
            f"`{text}` without `{option.arg}`",
            lambda n, i=i: _with(n, keywords=n.keywords[:i] + n.keywords[i + 1 :]),
        )
    if len(node.args) == 2:
        yield f"`{text}` with swapped arguments", lambda n: _with(n, args=n.args[::-1])
    if len(node.args) >= 2:
        yield f"`{text}` without its last argument", lambda n: _with(n, args=n.args[:-1])
    if isinstance(node.func, ast.Attribute):
        yield f"`{text}` without `.{node.func.attr}()`", lambda n: n.func.value
    elif len(node.args) == 1 and not node.keywords:
        yield f"`{text}` without `{ast.unparse(node.func)}`", lambda n: n.args[0]


def _with(node: Any, **fields: Any) -> Any:
    for name, value in fields.items():
        setattr(node, name, value)
    return node


def sample(name: str, source: str) -> dict[str, str]:
    """Return a few mutants, always the same ones."""
    made = mutants(source)
    chosen = random.Random(name).sample(sorted(made), min(SAMPLE, len(made)))
    return {what: made[what] for what in chosen}


@dataclass
class Outcome:
    """What an exercise's check said of its mutants."""

    tried: int = 0
    refused: int = 0
    stopped: int = 0  # those that raised an error or never ended
    equivalent: list[str] = field(default_factory=list)
    passed: dict[str, str] = field(default_factory=dict)  # those that differ, with the input on which they do


@contextlib.contextmanager
def _lesson(path: Path) -> Iterator[None]:
    with (
        contextlib.chdir(path.parent),
        mock.patch.dict("os.environ", MPLBACKEND="Agg"),
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore")
        yield


class Recorder:
    """Stands in for `watching.watched`, and keeps what the checks give to the answers, by the answer's name."""

    def __init__(self) -> None:
        self.inputs: dict[str, list[tuple[Any, ...]]] = defaultdict(list)
        self.watched = watching.watched

    def __call__(self, attempt: Any) -> Any:
        inner = self.watched(attempt)
        if inner is attempt:
            return attempt
        name = getattr(attempt, "__qualname__", "")

        def call(*args: Any, **options: Any) -> Any:
            if not options and len(self.inputs[name]) < 60:
                with contextlib.suppress(Exception):
                    self.inputs[name].append(copy.deepcopy(args))
            return inner(*args, **options)

        call.__wrapped__ = attempt
        return call


def recorded(path: Path) -> tuple[dict[str, Any], dict[str, list[tuple[Any, ...]]]]:
    """Run a lesson's solutions; return their attempts and the inputs of their checks, by the exercise's name."""
    tasks = notebooks.exercises(notebook(path))
    recorder = Recorder()
    with _lesson(path), mock.patch.object(watching, "watched", recorder):
        answers = notebooks.answer(notebook(path), {task.name: task.solution for task in tasks})
    attempts = {name: result.attempt for name, result in answers.given.items()}
    inputs = {name: recorder.inputs[getattr(a, "__qualname__", "")] for name, a in attempts.items()}
    return attempts, {name: given for name, given in inputs.items() if given}


def values_seen(source: str, inputs: list[tuple[Any, ...]]) -> dict[str, list[Any]]:
    """Return the plain values of each parameter, the commonest first, where the check uses few."""
    tree = ast.parse(source)
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    if not functions or not inputs:
        return {}
    names = [a.arg for a in functions[-1].args.args]
    found: dict[str, list[Any]] = {}
    for i, name in enumerate(names):
        values = [
            args[i] for args in inputs if len(args) > i and isinstance(args[i], int | float | str | tuple)
        ]
        if values:
            found[name] = sorted(set(values), key=values.count, reverse=True)
    return found


def run(
    path: Path, chosen: Callable[[str, dict[str, str]], dict[str, str]] | None = None
) -> dict[str, Outcome]:
    """Try all mutants of a lesson's solutions, or those that `chosen` picks."""
    tasks = notebooks.exercises(notebook(path))
    solutions = {task.name: task.solution for task in tasks}
    _, inputs = recorded(path)
    codes = {name: mutants(code, values_seen(code, inputs.get(name, []))) for name, code in solutions.items()}
    if chosen is not None:
        codes = {name: chosen(name, made) for name, made in codes.items()}
    with _lesson(path):
        answers = notebooks.answer(
            notebook(path),
            solutions,
            {name: list(made.values()) for name, made in codes.items()},
            seconds=SECONDS,
        )
        outcomes = {}
        for name, made in codes.items():
            outcome = outcomes[name] = Outcome(tried=len(made))
            right = answers.given[name].attempt
            for what, result in zip(made, answers.tried[name], strict=True):
                if not result.passed:
                    outcome.refused += 1
                    outcome.stopped += "stopped" in result.card.title or "Interrupted" in result.card.title
                    continue
                difference = differs(right, result.attempt, inputs.get(name, []))
                if difference is None:
                    outcome.equivalent.append(what)
                else:
                    outcome.passed[what] = difference
    return outcomes


def differs(right: Any, other: Any, inputs: list[tuple[Any, ...]], count: int = INPUTS) -> str | None:
    """Return an input on which two answers differ, in words, or None; `count` near inputs are tried."""
    if not callable(right):
        return None if alike(right, other) else f"{right!r} and {other!r}"
    for args in near(inputs, count):
        want = _given(right, args)
        if want is None:
            continue
        got = _given(other, args)
        if got is None or not alike(want, got):
            return _short(args)
    return None


def _short(value: Any) -> str:
    text = repr(tuple(f"tensor{tuple(v.shape)}" if isinstance(v, torch.Tensor) else v for v in value))
    return text if len(text) < 300 else text[:297] + "..."


def _given(function: Callable[..., Any], args: tuple[Any, ...]) -> tuple[Any, ...] | None:
    """Return a function's result and what it made of its inputs; None if it raises or takes too long."""
    torch.manual_seed(0)
    random.seed(0)
    try:
        given = copy.deepcopy(args)
        with notebooks._limited(1.0):
            result = function(*given)
            if isinstance(result, Iterator):
                result = list(result)
            shown = _module(result, given) if isinstance(result, nn.Module) else result
    except (Exception, KeyboardInterrupt):
        return None
    return (shown, [_module(each, ()) if isinstance(each, nn.Module) else None for each in given])


def _module(module: nn.Module, _: Any) -> Any:
    """Return what tells two modules apart: their layers, their tensors, and their answers."""
    generator = torch.Generator().manual_seed(0)
    state = {name: tuple(tensor.shape) for name, tensor in module.state_dict().items()}
    shown = [repr(module), state]
    if any(p.is_meta for p in module.parameters()):
        return shown
    frozen = copy.deepcopy(module).eval()
    with torch.no_grad():
        for tensor in frozen.state_dict().values():
            if tensor.is_floating_point():
                tensor.copy_(torch.rand(tensor.shape, generator=generator) + 0.1)
        channels = next((m.in_channels for m in frozen.modules() if isinstance(m, nn.Conv2d)), 3)
        with contextlib.suppress(Exception):
            shown.append(
                frozen(torch.randn(2, channels, 9, 13, generator=generator).to(next(frozen.parameters())))
            )
    return shown


def alike(a: Any, b: Any) -> bool:
    if isinstance(a, torch.Tensor | np.ndarray) or isinstance(b, torch.Tensor | np.ndarray):
        try:
            x, y = torch.as_tensor(a), torch.as_tensor(b)
        except (TypeError, ValueError, RuntimeError):
            return False
        if x.shape != y.shape:
            return False
        return bool(
            torch.allclose(x.detach().double(), y.detach().double(), rtol=1e-5, atol=1e-7, equal_nan=True)
        )
    if isinstance(a, tuple | list) and isinstance(b, tuple | list):
        return len(a) == len(b) and all(map(alike, a, b))
    if isinstance(a, dict) and isinstance(b, dict):
        return set(a) == set(b) and all(alike(a[key], b[key]) for key in a)
    if isinstance(a, int | float) and isinstance(b, int | float):
        return a == b or (a != a and b != b) or math.isclose(a, b, rel_tol=1e-6, abs_tol=1e-9)
    with contextlib.suppress(Exception):
        return bool(a == b)
    return a is b


def near(inputs: list[tuple[Any, ...]], count: int = INPUTS) -> Iterator[tuple[Any, ...]]:
    """Yield the inputs themselves, then inputs like them: mixed, and with other sizes and values. Seeded."""
    yield from inputs
    chance = random.Random(0)
    for _ in range(count if inputs else 0):
        try:
            args = copy.deepcopy(list(chance.choice(inputs)))
        except RuntimeError:  # a tensor in the middle of a graph
            continue
        others = [given for given in inputs if len(given) == len(args)]
        if chance.random() < 0.5:
            i = chance.randrange(len(args)) if args else 0
            if args and isinstance(args[i], int | float | str | tuple):
                args[i] = copy.deepcopy(chance.choice(others)[i])
        low = [min((g[i] for g in others if type(g[i]) is type(args[i])), default=1) if isinstance(args[i], int | float)
               else 0 for i in range(len(args))]  # fmt: skip
        for i in range(len(args)):
            if chance.random() < 0.5:
                args[i] = _near(args[i], chance, low[i], powers=all(_is_power(given[i]) for given in others))
        if chance.random() < 0.5:
            args = _cropped(args, chance)
        yield tuple(args)


def _is_power(value: Any) -> bool:
    """Tell whether a value is a power of two above 2, as all output strides are."""
    return type(value) is int and value > 2 and value & (value - 1) == 0


def _near(value: Any, chance: random.Random, low: float = 0, *, powers: bool = False) -> Any:
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return value
    if isinstance(value, int) and powers:
        return max(4, chance.choice((value // 2, 2 * value)))
    if isinstance(value, int):
        return max(
            min(low, 1) if low >= 0 else low, chance.choice((value - 1, value + 1, value + 2, 2 * value))
        )
    if isinstance(value, float):
        return chance.choice((value * 0.5, value * 1.5, value + 0.25, value * 1.01))
    if isinstance(value, torch.Tensor):
        flat = value.flatten()
        return flat[
            torch.randperm(len(flat), generator=torch.Generator().manual_seed(chance.randrange(99)))
        ].view(value.shape)
    if isinstance(value, np.ndarray):
        return np.random.default_rng(chance.randrange(99)).permutation(value.flatten()).reshape(value.shape)
    if isinstance(value, tuple | list) and value and not isinstance(value, torch.Size):
        made = list(value)
        action = chance.randrange(4)
        if action == 0 and len(made) > 1:
            made.pop(chance.randrange(len(made)))
        elif action == 1:
            made.append(copy.deepcopy(chance.choice(made)))
        elif action == 2:
            chance.shuffle(made)
        else:
            i = chance.randrange(len(made))
            made[i] = _near(made[i], chance)
        return type(value)(made)
    if isinstance(value, dict) and value:
        made = dict(value)
        key = chance.choice(list(made))
        if chance.random() < 0.2 and len(made) > 1:
            made.pop(key)
        else:
            made[key] = _near(made[key], chance)
        return made
    return value


def _cropped(args: list[Any], chance: random.Random) -> list[Any]:
    """Cut one row or column off all tensors and arrays at once, so that those of one size stay of one size."""
    axis = -chance.choice((1, 2))
    arrays = [
        a for a in args if isinstance(a, torch.Tensor | np.ndarray) and a.ndim >= 2 and a.shape[axis] > 3
    ]
    if not arrays:
        return args
    size = max(a.shape[axis] for a in arrays)
    cut = (slice(None, -1),) if axis == -1 else (slice(None, -1), slice(None))
    return [
        a[(..., *cut)]
        if isinstance(a, torch.Tensor | np.ndarray) and a.ndim >= 2 and a.shape[axis] == size
        else a
        for a in args
    ]


def table(outcomes: dict[str, Outcome], excused: dict[str, dict[str, str]]) -> str:
    """Return one line an exercise: mutants tried, refused, equivalent, let pass; and the share refused."""
    rows = [f"{'exercise':28} {'tried':>5} {'refused':>7} {'same':>5} {'passed':>6} {'share':>6}"]
    for name, outcome in outcomes.items():
        passed = [what for what in outcome.passed if what not in excused.get(name, {})]
        differing = outcome.refused + len(passed)
        share = outcome.refused / differing if differing else 1.0
        same = len(outcome.equivalent) + len(outcome.passed) - len(passed)
        rows.append(f"{name:28} {outcome.tried:5} {outcome.refused:7} {same:5} {len(passed):6} {share:6.1%}")
        rows += [f"    let pass, {what}: differs at {outcome.passed[what]}" for what in passed]
    return "\n".join(rows)


def main() -> None:
    torch.set_num_threads(1)
    chosen = sys.argv[1:]
    total = Outcome()
    let_pass = 0
    for path in LESSONS:
        if chosen and path.name[:2] not in chosen:
            continue
        excused = companion(path).EXCUSED_MUTANTS
        outcomes = run(path)
        print(table(outcomes, excused), flush=True)
        total.tried += sum(o.tried for o in outcomes.values())
        total.refused += sum(o.refused for o in outcomes.values())
        let_pass += sum(
            what not in excused.get(name, {}) for name, o in outcomes.items() for what in o.passed
        )
    print(
        f"{total.tried} mutants: {total.refused} refused, {let_pass} let pass, the rest the same as the solution"
    )
    sys.exit(let_pass > 0)


if __name__ == "__main__":
    main()
