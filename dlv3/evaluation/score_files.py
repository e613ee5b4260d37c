"""The files of an evaluation: their names, and that they replace nothing but an earlier evaluation's."""

import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path

from dlv3.config.evaluation import EvaluationConfig
from dlv3.evaluation.confusion_picture import draw_confusion, is_confusion_picture
from dlv3.evaluation.report import CSV_HEADER, Evaluation
from dlv3.files import require_writable, write_atomically

_LARGEST = 1 << 26  # bytes; no evaluation has as many


def file_name(
    split: str,
    how: EvaluationConfig,
    output_stride: int,
    *,
    weights: str = "model",
    data: str | None = None,
    changes: Mapping[str, object] | None = None,
) -> str:
    """Name a file after everything that decides the score, so that no other score is lost.

        evaluation_val_os8_scales-0.5-1_flip.json
        evaluation_best_test_voc-VOC-1f3a9c_pictures-20_os16_bfloat16.json

    Args:
        split: the part of the data set.
        how: the options.
        output_stride: the one that was evaluated at.
        weights: the name of the weights' file, without suffix.
        data: the data set; None for the one that the run was trained on.
        changes: options of the data set that differ from the run's.
    """
    parts = ["evaluation", *([weights] if weights != "model" else []), split]
    if data is not None:
        kind, _, place = data.partition(":")
        # Two folders may have one name.
        parts.append(f"{kind}-{_plain(Path(place).name)}-{_hash(data)}" if place else kind)
    for name, value in (changes or {}).items():
        text = _plain(str(value))
        parts.append(f"{name.replace('_', '-')}-{text if len(text) <= 20 else _hash(str(value))}")
    parts.append(f"os{output_stride}")
    if how.scales != (1.0,):
        parts.append("scales-" + "-".join(f"{scale:g}" for scale in how.scales))
    parts += ["flip"] * how.flip + [how.precision] * (how.precision != "float32")
    return "_".join(parts) + ".json"


def require_replaceable(path: Path, option: str = "--out") -> None:
    """Check before the evaluation that its file can be written, and replaces at most the file of another evaluation.

    Raises:
        ValueError: there is another file, such as the weights or a photo.
        OSError: nothing can be written there.
    """
    try:
        require_writable(path.parent)
    except OSError as error:
        raise OSError(f"{path}: cannot be written: {error.strerror}; give another --out") from error
    if (path.exists() or path.is_symlink()) and not _is_ours(path):
        raise ValueError(f"{option} {path}: is there and is not an evaluation's file; give another --out")


def write_scores(
    path: Path, about: Mapping[str, str], found: Evaluation, *, csv: bool, confusion: bool
) -> list[Path]:
    """Write the scores as JSON, below a line about what was evaluated, and the files beside it that are asked for.

    Returns:
        The files.

    Raises:
        OSError: one cannot be written; says which and why.
    """
    first = json.dumps(dict(about))[1:-1]
    files = {path: ("{\n  " + first + ",\n" + found.to_json().removeprefix("{\n")).encode()}
    if csv:
        files[path.with_suffix(".csv")] = found.to_csv().encode()
    if confusion:
        files[path.with_suffix(".png")] = draw_confusion(found)
    for file, content in files.items():
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(file, content)
        except OSError as error:
            raise OSError(f"{file}: cannot be written: {error.strerror}; give another --out") from error
    return list(files)


def _is_ours(path: Path) -> bool:
    if not path.is_file() or path.stat().st_size > _LARGEST:
        return False
    content = path.read_bytes()
    if path.suffix == ".png":
        return is_confusion_picture(content)
    if path.suffix == ".csv":
        return content.startswith(",".join(CSV_HEADER).encode())
    try:
        values = json.loads(content)
    except (ValueError, RecursionError):
        return False
    return isinstance(values, dict) and "miou" in values and "confusion" in values


def _plain(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9.]+", "-", text).strip("-")[-40:]


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode(errors="surrogateescape")).hexdigest()[:6]
