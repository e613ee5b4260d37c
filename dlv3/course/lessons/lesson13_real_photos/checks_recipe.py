"""Check of lesson 13 on a training's cost: GPU hours."""

from collections.abc import Callable

from dlv3.course.kit.answers import hint_for, number
from dlv3.course.kit.exercises import close, exercise, written


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
            (1e3, "That takes a teraflop for 10^9; it is 10^12 operations a second."),
            (1e12, "A teraflop per second is 1e12 operations a second."),
            (1 / case[1], "That is for one picture an update; a batch has `batch` of them."),
        ]
        times = value / want  # how many times the right answer
        hint = hint_for(times, slips, 1e-6 * max(times, 1e-3))
        close(value, want, call, tolerance=1e-6 * want, hint=hint)
    return "Six operations for each multiply-add of the forward pass: two for the pass itself, four for the gradients."
