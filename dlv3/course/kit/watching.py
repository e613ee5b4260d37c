"""What the kit watches while a check runs an answer: inputs that change, time that passes, and the form of results."""

import contextlib
import functools
import inspect
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import torch
from IPython.display import display
from torch import nn

from dlv3.course.kit.cards import Card

NOT_DONE = "not done yet"
"""The message of a stub's exception: this one alone means that an exercise is not done yet."""

SECONDS = 20.0
"""How long a check may take before it says how to interrupt it."""


class Wrong(Exception):  # noqa: N818 - an answer, not an error
    """Signal from a check that the answer is wrong; the message says how to find out why."""


def watched(attempt: Any) -> Any:
    """Return a learner's function or class that is refused when it changes its inputs; other answers as they are.

    Lists, dictionaries, sets, arrays and tensors are watched, on their own and inside of one another. Modules,
    optimizers and the like are not: some exercises are there to change them.
    """
    if isinstance(attempt, type):
        return _watched_class(attempt) if issubclass(attempt, nn.Module) else attempt
    if not callable(attempt) or isinstance(attempt, nn.Module):
        return attempt

    @functools.wraps(attempt, updated=())
    def call(*args: Any, **options: Any) -> Any:
        before = [_copied(value) for value in (*args, *options.values())]
        result = attempt(*args, **options)
        for number, (value, kept) in enumerate(zip((*args, *options.values()), before, strict=True)):
            if not _same(value, kept):
                raise Wrong(_changed(getattr(attempt, "__name__", "your function"), _named(attempt, number)))
        return result

    return call


def _watched_class(attempt: type[nn.Module]) -> Callable[..., nn.Module]:
    """Return a function that makes the learner's module, and watches the inputs of its `forward`."""

    @functools.wraps(attempt, updated=())
    def make(*args: Any, **options: Any) -> nn.Module:
        module = attempt(*args, **options)
        if isinstance(module, nn.Module):
            before: list[Any] = []
            module.register_forward_pre_hook(lambda _, inputs: before.append(_copied(inputs)))
            module.register_forward_hook(lambda _, inputs, __: _unchanged(inputs, before.pop()))
        return module

    def _unchanged(inputs: tuple[Any, ...], kept: tuple[Any, ...]) -> None:
        for number, (value, copy) in enumerate(zip(inputs, kept, strict=True)):
            if not _same(value, copy):
                # The first parameter is self.
                name = _named(attempt.forward, number + 1)
                raise Wrong(_changed(f"{attempt.__name__}.forward", name))

    return make


def _changed(function: str, name: str) -> str:
    which = f"`{name}`" if name else "what it was given"
    example = name or "x"
    return (
        f"`{function}` changes {which}, which the cells below still need as it was. Make a new value: "
        f"`{example} = {example} * 2` does, but `{example} *= 2`, `{example}[0] = …` and methods that end in `_` write "
        "into the old one."
    )


def _named(function: Callable[..., Any], number: int) -> str:
    """Return the name of a function's parameter by its place, or an empty string."""
    try:
        return list(inspect.signature(function).parameters)[number]
    except (IndexError, TypeError, ValueError):
        return ""


def _copied(value: Any) -> Any:
    """Return a copy of the data in a value; what is not data is the same object."""
    if isinstance(value, torch.Tensor):
        return value.detach().clone()
    if isinstance(value, np.ndarray):
        return value.copy()
    if isinstance(value, Mapping):
        return {key: _copied(each) for key, each in value.items()}
    if isinstance(value, tuple | list):
        return [_copied(each) for each in value]
    return set(value) if isinstance(value, set) else value


def _same(value: Any, kept: Any) -> bool:
    """Compare a value with the copy that `_copied` made of it."""
    if isinstance(value, torch.Tensor):
        if value.shape != kept.shape or value.is_meta:
            return bool(value.shape == kept.shape)
        if not value.is_floating_point():
            return bool(torch.equal(value, kept))
        return bool(torch.allclose(value.detach(), kept, rtol=0, atol=0, equal_nan=True))
    if isinstance(value, np.ndarray):
        return value.shape == kept.shape and bool(np.array_equal(value, kept))
    if isinstance(value, Mapping):
        return list(value) == list(kept) and all(_same(value[key], kept[key]) for key in kept)
    if isinstance(value, tuple | list):
        return len(value) == len(kept) and all(map(_same, value, kept))
    # Other objects are the same ones; whether they changed inside is not for the kit to say.
    return value is kept or not isinstance(value, int | float | str | set) or bool(value == kept)


@contextlib.contextmanager
def patience(title: str) -> Iterator[None]:
    """Show a card if what runs inside takes longer than `SECONDS`: it may be a loop without an end."""
    timer = threading.Timer(SECONDS, lambda: display(_slow(title)))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _slow(title: str) -> Card:
    return Card(
        "open",
        f"Still running after {SECONDS:.0f} seconds: {title}",
        "A check takes a second or two. If a loop in your code never ends, choose *Kernel → Interrupt Kernel* (the ■ "
        "above, or press Esc, then I twice); the card will show the line that was running.",
    )


def in_form(attempt: Any, gives: Callable[[Any], Any]) -> Any:
    """Return a learner's function with its results in another form; other answers are turned into that form."""
    if not callable(attempt):
        return gives(attempt)

    @functools.wraps(attempt, updated=())
    def call(*args: Any, **options: Any) -> Any:
        return gives(attempt(*args, **options))

    return call
