"""Checks of lesson 13 on a training's size: the recipe at another batch size, and GPU hours."""

from collections.abc import Callable
from typing import Any

from dlv3.course.kit.answers import hint_for, number
from dlv3.course.kit.exercises import close, exercise, require, unfinished, written

PAPER_BATCH, PAPER_RATE, PAPER_ITERATIONS = 16, 0.007, 30_000


def recipe_at(batch: int, pictures: int) -> dict[str, float]:
    """Return learning rate, iterations and epochs at another batch size."""
    iterations = PAPER_ITERATIONS * PAPER_BATCH // batch
    return {
        "learning_rate": PAPER_RATE * batch / PAPER_BATCH,
        "iterations": iterations,
        "epochs": iterations * batch / pictures,
    }


def _as_recipe(got: dict[str, Any]) -> dict[str, float]:
    """Return a recipe in the form that the lesson goes on with: plain numbers, and whole iterations."""
    return {key: int(value) if key == "iterations" else float(value) for key, value in got.items()}


@exercise("13/recipe", title="The recipe at your batch size", difficulty=1, minutes=5, gives=_as_recipe)
def recipe(attempt: Callable[[int, int], dict[str, float]]) -> str:
    for batch, pictures in ((16, 10_582), (4, 600), (32, 2913)):
        call = written("recipe", (batch, pictures))
        got = attempt(batch, pictures)
        unfinished(got, call)
        want = recipe_at(batch, pictures)
        require(
            isinstance(got, dict) and set(got) == set(want),
            f"{call}: keep the dictionary with its three keys.",
        )
        share = batch / PAPER_BATCH
        opposite, updates = "That goes the wrong way:", "That counts updates; each sees `batch` pictures."
        slips = {
            "learning_rate": [
                (PAPER_RATE, "The rate follows the batch: half the batch, half the rate."),
                (
                    PAPER_RATE / share,
                    f"{opposite} a smaller batch has a noisier gradient, so take smaller steps.",
                ),
            ],
            "iterations": [
                (PAPER_ITERATIONS, "Keep the number of *pictures seen*, 30,000 × 16, not that of updates."),
                (
                    PAPER_ITERATIONS * share,
                    f"{opposite} smaller batches need more updates to see as many pictures.",
                ),
            ],
            "epochs": [
                (want["iterations"] / pictures, updates),
                (PAPER_ITERATIONS / pictures, updates),
                (PAPER_ITERATIONS * batch / pictures, "Take your own number of iterations, not the paper's."),
                (
                    pictures / (PAPER_ITERATIONS * PAPER_BATCH),
                    "That is the inverse: divide the pictures seen by the pictures there are.",
                ),
            ],
        }
        for key, right in want.items():
            value = float(number(got[key], f"`{key}` of {call}"))
            hint = hint_for(value, slips[key], 1e-9)
            close(value, right, f"`{key}` of {call}", tolerance=1e-6 * max(1.0, right), hint=hint)
    return (
        "A rule of thumb, not the paper's: it keeps the pictures seen, not batch normalization's statistics."
    )


def hours_on_gpu(multiply_adds: float, batch: int, iterations: int, teraflops: float) -> float:
    """Return the hours that a training takes on one GPU."""
    return 6 * multiply_adds * batch * iterations / (teraflops * 1e12) / 3600


@exercise("13/gpu-hours", title="GPU hours", difficulty=2, minutes=5, gives=float)
def gpu_hours(attempt: Callable[[float, int, int, float], float]) -> str:
    for case in ((70e9, 16, 30_000, 30.0), (1e9, 8, 1000, 0.5), (1.3e9, 7, 999, 0.37)):
        call = written("gpu_hours", case)
        value, want = float(number(attempt(*case), call)), hours_on_gpu(*case)
        slips = [
            (1 / 2, "A multiply-add is two operations, a multiplication and an addition."),
            (
                1 / 3,
                "That is the forward pass alone. The backward pass computes two gradients, for the weights and for the "
                "map below: twice as much work again.",
            ),
            (2 / 3, "Forward and backward together are three times the forward pass, not twice."),
            (1 / 6, "That counts a multiply-add as one operation, and the forward pass alone."),
            (3600, "That is in seconds."),
            (60, "That is in minutes."),
            (1e12, "A teraflop per second is 1e12 operations a second."),
            (1 / case[1], "That is for one picture an update; a batch has `batch` of them."),
        ]
        times = value / want  # how many times the right answer
        hint = hint_for(times, slips, 1e-6 * max(times, 1e-3))
        close(value, want, call, tolerance=1e-6 * want, hint=hint)
    return "Six operations for each multiply-add of the forward pass: two for the pass itself, four for the gradients."
