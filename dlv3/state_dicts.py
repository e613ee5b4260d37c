"""State dicts as they come: read from a file of either format, unwrapped, and compared with the network."""

import os
import pickle
import warnings
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from dlv3.checksum import CHECKSUM_KEY, checksum

# Where training scripts keep the weights beside other things, and what wrappers put before each name:
# DistributedDataParallel, torch.compile, Lightning.
_ENTRIES = ("state_dict", "model_state_dict", "model")
_PREFIXES = ("module.", "_orig_mod.", "model.")
_COUNTER = ".num_batches_tracked"


class WeightsError(ValueError):
    """Weights that cannot be used. The message names the file, the reason and what to do."""


def read(path: str | os.PathLike[str]) -> dict[str, Tensor]:
    """Read a state dict from a file, unwrapped: safetensors by its suffix, else a checkpoint of torch.save.

    Raises:
        FileNotFoundError: the file does not exist.
        WeightsError: the file is damaged, of another format, or does not hold tensors by name, of finite numbers.
    """
    stored = load_tensors(path)[0] if Path(path).suffix == ".safetensors" else load_pickle(path)
    tensors = unwrapped(stored, str(path))
    require_finite(tensors, str(path))
    return tensors


def load_tensors(path: str | os.PathLike[str]) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Read a safetensors file's tensors and its text. If the file has a checksum, it is verified.

    Raises:
        FileNotFoundError: the file does not exist.
        WeightsError: the file is truncated, damaged or not safetensors.
    """
    with _opened(path) as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        metadata: dict[str, str] = file.metadata() or {}
    written = metadata.pop(CHECKSUM_KEY, None)
    if written is not None and written != checksum(tensors, metadata):
        raise WeightsError(
            f"{path}: is damaged: its checksum is not that of its contents; get it again from where it came from"
        )
    return tensors, metadata


def read_metadata(path: str | os.PathLike[str]) -> dict[str, str]:
    """Read a safetensors file's text alone, and verify nothing.

    Raises:
        FileNotFoundError: the file does not exist.
        WeightsError: the file is truncated or not safetensors.
    """
    with _opened(path) as file:
        return file.metadata() or {}


@contextmanager
def _opened(path: str | os.PathLike[str]) -> Iterator[Any]:
    path = _existing(path)
    try:
        with safe_open(path, framework="pt") as file:
            yield file
    except SafetensorError as error:
        raise WeightsError(
            f"{path}: cannot be read as safetensors ({error}); it is truncated or of another format"
        ) from error
    # safetensors' own errors of this kind do not name the file.
    except OSError as error:
        raise WeightsError(f"{path}: cannot be read: {error}") from error


def load_pickle(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Read a checkpoint that torch.save wrote, with tensors and plain values only: a pickle can hold code to run.

    Raises:
        FileNotFoundError: the file does not exist.
        WeightsError: the file is truncated, not a checkpoint, or holds more than tensors and plain values.
    """
    path = _existing(path)
    try:
        checkpoint: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    # Bytes that are not a pickle can raise any error.
    except Exception as error:
        if isinstance(error, pickle.UnpicklingError) and _begins_as_a_checkpoint(path):
            raise WeightsError(
                f"{path}: refused, because it holds more than tensors and plain values, and reading such a file can "
                "run code. Ask its author for a state dict or for safetensors"
            ) from error
        raise WeightsError(
            f"{path}: cannot be read as a checkpoint; it is truncated or of another format"
        ) from error
    return checkpoint


def _begins_as_a_checkpoint(path: Path) -> bool:
    """Tell whether a file is a ZIP archive or a pickle by its first bytes, not a text or something else."""
    with path.open("rb") as file:
        return file.read(2).startswith((b"PK", b"\x80"))


def _existing(path: str | os.PathLike[str]) -> Path:
    path = Path(path)
    if path.is_dir():
        raise WeightsError(f"{path}: is a folder; give a file in it")
    if path.exists() and not path.is_file():
        # A pipe would wait for a writer for ever.
        raise WeightsError(f"{path}: is a pipe or a device; give a file")
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file")
    return path


def require_finite(tensors: Mapping[str, Tensor], source: str) -> None:
    """Check that weights hold numbers, not NaN or infinity.

    Args:
        tensors: by name.
        source: the name of the weights in the message, such as a file.

    Raises:
        WeightsError: some do not; the first is named.
    """
    for name, values in tensors.items():
        plain = values.layout == torch.strided and values.device.type != "meta"
        if plain and values.is_floating_point() and not values.isfinite().all():
            raise WeightsError(
                f"{source}: {name} has values that are not finite numbers (NaN or infinity), so the training diverged "
                "or the file is damaged; give other weights"
            )


def unwrapped(state: object, source: str = "state_dict") -> dict[str, Tensor]:
    """Return the tensors by their names in the network, and warn if that took a step.

    A checkpoint of a training may hold the state dict as one of its entries, and wrappers put a prefix before each
    name: {"model": {"module.conv1.weight": t}, "epoch": 3} becomes {"conv1.weight": t}.

    Args:
        state: a state dict, or a dictionary with one under "state_dict", "model_state_dict" or "model".
        source: the name of the weights in messages, such as a file.

    Raises:
        WeightsError: it is not a dictionary of tensors by name.
    """
    steps = []
    while isinstance(state, Mapping):
        entry = next((key for key in _ENTRIES if isinstance(state.get(key), Mapping)), None)
        if entry is None:
            break
        state = state[entry]
        steps.append(f"the weights are its entry {entry!r}")
    if not isinstance(state, Mapping):
        raise WeightsError(f"{source}: expected tensors by name, a state dict, got {type(state).__name__}")
    for name, value in state.items():
        if not isinstance(name, str) or not isinstance(value, Tensor):
            raise WeightsError(
                f"{source}: its entry {name!r} is of type {type(value).__name__}; expected tensors by name, a state "
                f"dict, or one under {', '.join(map(repr, _ENTRIES))}"
            )
    tensors = dict(state)
    while prefix := _common_prefix(tensors):
        tensors = {name.removeprefix(prefix): tensor for name, tensor in tensors.items()}
        steps.append(f"its names begin with {prefix!r}, which is left out")
    if steps:
        warnings.warn(f"{source}: {'; '.join(steps)}", stacklevel=2)
    return tensors


def _common_prefix(names: Iterable[str]) -> str | None:
    names = list(names)
    return next((p for p in _PREFIXES if names and all(n.startswith(p) for n in names)), None)


def load_state_dict(model: nn.Module, state_dict: dict[str, Tensor], source: str = "state_dict") -> None:
    """Load a state dict; an error says in one line which tensor does not fit.

    Batch normalization's counters (`num_batches_tracked`) may be missing, as in torchvision's older files: they are 0.

    Args:
        model: the model to fill in place.
        state_dict: a tensor for each of the model's names.
        source: the name of the weights in the message, such as a file.

    Raises:
        WeightsError: it names the first missing, unexpected or misshapen tensor, and the number of the others.
    """
    compare(model, state_dict, source)
    counters = {
        name: torch.zeros_like(own)
        for name, own in model.state_dict().items()
        if name.endswith(_COUNTER) and name not in state_dict
    }
    model.load_state_dict(state_dict | counters)


def compare(model: nn.Module, state_dict: Mapping[str, Tensor], source: str) -> None:
    """Raise an error unless a model can take these tensors. The model may be on the meta device.

    Raises:
        WeightsError: see `load_state_dict`.
    """
    own = model.state_dict()
    problems = [
        f"{name} is missing" for name in own if name not in state_dict and not name.endswith(_COUNTER)
    ]
    problems += [f"{name} is not in this model" for name in state_dict if name not in own]
    problems += [
        f"{name} is {_described(state_dict[name])}, in this model {_described(own[name])}"
        for name in own
        if name in state_dict and not _fits(state_dict[name], own[name])
    ]
    if problems:
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        raise WeightsError(
            f"{source}: of another architecture: {problems[0]}{more}; build the model that the weights were saved from"
        )


def _fits(tensor: Tensor, own: Tensor) -> bool:
    same_kind = tensor.is_floating_point() == own.is_floating_point() and not tensor.is_complex()
    ordinary = tensor.layout is torch.strided and not tensor.is_quantized
    return tensor.shape == own.shape and same_kind and ordinary


def _described(tensor: Tensor) -> str:
    """The shape, and the type where it is not float32's usual one."""
    kind = str(tensor.dtype).removeprefix("torch.")
    return f"{tuple(tensor.shape)}" + ("" if kind == "float32" else f" of {kind}")
