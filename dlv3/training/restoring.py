"""Compare what a checkpoint holds with what it is restored into, before anything is restored.

torch trusts a checkpoint: a momentum of another shape makes its fused optimizers write beside their memory, and options
of the optimizer that the file holds replace those of the configuration.
"""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor
from torch.optim import Optimizer

from dlv3.training.checkpoint import CheckpointError, TrainingState
from dlv3.typed_json import build
from dlv3.weights import load_state_dict

_ADVICE = "put a copy of the file in its place, or start again with --overwrite"


def training_state(saved: dict[str, Any], iterations: int, path: Path | str) -> TrainingState:
    """Return the position of a saved training.

    Args:
        saved: the checkpoint.
        iterations: length of the training that resumes.
        path: the checkpoint's file, for messages.

    Raises:
        CheckpointError: a field is missing, of another type or impossible; names it.
    """
    fields = {name: value for name, value in saved.items() if name not in ("format", "model", "optimizer")}
    try:
        state = build(TrainingState, fields, "state")
    except ValueError as error:
        raise CheckpointError(f"{path}: {error}; {_ADVICE}") from error
    if state.iteration > iterations:
        raise CheckpointError(
            f"{path}: iteration={state.iteration}: expected at most training.iterations={iterations}; give at least "
            f"as many iterations as the run has done"
        )
    for name, holds, allowed in (
        ("iteration", state.iteration >= 0, "a whole number of at least 0"),
        ("validated", 0 <= state.validated <= state.iteration, f"0 to iteration={state.iteration}"),
        ("metrics_bytes", state.metrics_bytes >= 0, "a whole number of at least 0"),
        ("best_miou", state.best_miou is None or 0 <= state.best_miou <= 1, "a share from 0 to 1"),
        ("best_iteration", 0 <= state.best_iteration <= state.validated, f"0 to validated={state.validated}"),
        ("without_gain", state.without_gain >= 0, "a whole number of at least 0"),
        ("class_weights", all(0 <= w < math.inf for w in state.class_weights), "numbers of at least 0"),
        ("losses", len(state.losses) <= state.iteration, f"at most {state.iteration} numbers"),
    ):
        if not holds:
            raise CheckpointError(f"{path}: {name}={getattr(state, name)!r}: expected {allowed}; {_ADVICE}")
    return state


def restore_model(model: torch.nn.Module, saved: dict[str, Any], path: Path | str) -> None:
    """Copy the saved weights and running statistics into the model.

    Raises:
        CheckpointError: they are not tensors of the model's types, or not finite.
        WeightsError: they are of another network.
    """
    tensors = _dictionary(saved, "model", path)
    own = model.state_dict()
    for name, tensor in tensors.items():
        # A name or a shape of another network is left to load_state_dict, which counts them.
        expected = own.get(name)
        shape = tensor.shape if isinstance(tensor, Tensor) else torch.Size()
        _require_fit(tensor, shape, expected.dtype if expected is not None else None, f"model.{name}", path)
    load_state_dict(model, tensors, str(path))


def restore_optimizer(optimizer: Optimizer, saved: dict[str, Any], iteration: int, path: Path | str) -> None:
    """Copy the saved momentum into an optimizer that has not made a step. Its options stay those it was built with.

    Args:
        optimizer: of the restored model's parameters.
        saved: the checkpoint.
        iteration: updates that the checkpoint has made; before the first there is no momentum.
        path: the checkpoint's file, for messages.

    Raises:
        CheckpointError: the state is of another optimizer or of other parameters.
    """
    found = _dictionary(saved, "optimizer", path)
    own = optimizer.state_dict()
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    numbers = [number for group in own["param_groups"] for number in group["params"]]
    if _parameter_numbers(found) != _parameter_numbers(own):
        raise CheckpointError(
            f"{path}: its optimizer does not fit (other groups of parameters); training.freeze_batch_norm and "
            "training.front_learning_rate cannot change when a run resumes: start a new run with "
            "training.initial_weights"
        )
    states, template = _dictionary(found, "state", path), _state_after_a_step(optimizer)
    expected = dict(zip(numbers, parameters, strict=True)) if iteration and template else {}
    if set(states) != set(expected):
        raise CheckpointError(
            f"{path}: optimizer.state: has {len(states)} parameters, expected {len(expected)}; {_ADVICE}"
        )
    own["state"] = {
        number: _copied(states[number], template, parameter, f"optimizer.state.{number}", path)
        for number, parameter in expected.items()
    }
    optimizer.load_state_dict(own)


def _parameter_numbers(state: dict[str, Any]) -> list[object]:
    """Return the numbers of each group's parameters."""
    groups = state.get("param_groups")
    if not isinstance(groups, list):
        return []
    return [group.get("params") if isinstance(group, dict) else None for group in groups]


def _state_after_a_step(optimizer: Optimizer) -> dict[str, object]:
    """Return what an optimizer of this kind keeps of one parameter, here of shape (2, 3)."""
    parameter = torch.zeros(2, 3, requires_grad=True)
    parameter.grad = torch.zeros(2, 3)
    options = {name: value for name, value in optimizer.param_groups[0].items() if name != "params"}
    make = cast(Callable[[list[dict[str, Any]]], Optimizer], type(optimizer))
    trial = make([{"params": [parameter], **options}])
    trial.step()
    return dict(trial.state[parameter])


def _copied(
    state: object, template: dict[str, object], parameter: Tensor, name: str, path: Path | str
) -> dict[str, object]:
    """Return one parameter's state, each tensor laid out in memory as the parameter: fused kernels rely on that."""
    if not isinstance(state, dict) or set(state) != set(template):
        raise CheckpointError(
            f"{path}: {name}: expected {' and '.join(template) or 'nothing'}; it is of another optimizer. Resume with "
            "the optimizer that the run began with"
        )
    copies: dict[str, object] = {}
    for key, expected in template.items():
        value = state[key]
        if not isinstance(expected, Tensor):
            if value is not None:
                raise CheckpointError(f"{path}: {name}.{key}: expected None; {_ADVICE}")
            copies[key] = None
            continue
        like = parameter.detach() if expected.ndim else expected
        _require_fit(value, like.shape, like.dtype, f"{name}.{key}", path)
        copies[key] = torch.empty_like(like).copy_(value)
    return copies


def _dictionary(values: dict[str, Any], name: str, path: Path | str) -> dict[Any, Any]:
    found = values.get(name)
    if not isinstance(found, dict):
        raise CheckpointError(f"{path}: {name}: expected a dictionary, got {_kind(found)}; {_ADVICE}")
    return found


def _require_fit(
    value: object, shape: torch.Size, dtype: torch.dtype | None, name: str, path: Path | str
) -> None:
    """Raise an error unless a value is an ordinary, finite tensor of this shape and type."""
    ordinary = (
        isinstance(value, Tensor)
        and value.layout == torch.strided
        and value.device.type == "cpu"
        and not value.is_quantized
    )
    if not ordinary or not isinstance(value, Tensor):
        raise CheckpointError(f"{path}: {name}: expected a tensor, got {_kind(value)}; {_ADVICE}")
    if value.shape != shape or dtype not in (None, value.dtype):
        raise CheckpointError(
            f"{path}: {name} is {tuple(value.shape)} of {value.dtype}, expected {tuple(shape)} of {dtype}; {_ADVICE}"
        )
    if not value.isfinite().all():
        raise CheckpointError(f"{path}: {name}: holds values that are not finite; {_ADVICE}")


def _kind(value: object) -> str:
    if isinstance(value, Tensor):
        return f"a {str(value.layout).removeprefix('torch.')} tensor on {value.device}"
    return "nothing" if value is None else type(value).__name__
