"""The learning rate of each iteration (§4.1, "Learning rate policy")."""

from dlv3.config.training import TrainingConfig


def learning_rate_at(config: TrainingConfig, iteration: int) -> float:
    """Return the learning rate of the update after `iteration` others (§4.1)."""
    if config.schedule == "poly":
        factor = poly(iteration, config.iterations, config.power)
    else:
        factor = step(iteration, config.step_every, config.step_factor)
    return config.learning_rate * factor * warmup(iteration, config.warmup)


def poly(iteration: int, iterations: int, power: float = 0.9) -> float:
    """Compute the paper's policy: (1 − iteration / iterations) ** power (§4.1).

    Args:
        iteration: number of updates before this one, 0 to `iterations`.
        iterations: length of the training.
        power: 0.9 in the paper; 1 falls in a straight line.

    Returns:
        The factor of the learning rate, 1 at the start and 0 at the end.
    """
    return float((1 - iteration / iterations) ** power)


def step(iteration: int, every: int, factor: float = 0.1) -> float:
    """Compute the policy that poly is compared with (DeepLabv2, "Learning rate policy"): a drop every few iterations.

    Args:
        iteration: number of updates before this one.
        every: iterations between two drops.
        factor: what each drop multiplies the learning rate by.

    Returns:
        The factor of the learning rate, 1 at the start.
    """
    return factor ** (iteration // every)


def warmup(iteration: int, length: int) -> float:
    """Rise in a straight line to 1 over the first `length` iterations. Not in the paper: for training from scratch.

    Returns:
        1 / length at the first iteration, 1 from iteration `length` − 1 on, and always 1 where `length` is 0.
    """
    return min(1.0, (iteration + 1) / length) if length else 1.0
