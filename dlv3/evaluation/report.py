"""The result of an evaluation: scores as plain values, a table to read and JSON to keep."""

import csv
import io
import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

from dlv3.config.evaluation import EvaluationConfig
from dlv3.evaluation.metrics import ConfusionMatrix
from dlv3.printed import printable

CSV_HEADER = ("class", "iou", "precision", "recall", "labelled pixels", "predicted pixels")


@dataclass(frozen=True)
class Evaluation:
    """The scores of one model on one data set. All are from 0 to 1; nan where a class has none."""

    classes: tuple[str, ...]
    iou: tuple[float, ...]
    """IOU of each class; nan for a class that occurs neither in the labels nor in the predictions."""
    miou: float
    """Mean of the classes' IOUs without those of nan (section 4's metric)."""
    pixel_accuracy: float
    groups: dict[str, float] = field(default_factory=dict)
    """Mean IOU over some of the classes: secondary scores that a data set names."""
    group_classes: dict[str, tuple[int, ...]] = field(default_factory=dict)
    """The classes of each group, by index."""
    confusion: tuple[tuple[int, ...], ...] = ()
    """Pixels by label (row) and prediction (column)."""
    images: int = 0
    seconds: float = 0.0
    """Wall time, loading included."""
    output_stride: int | None = None
    """The output stride that the model had; None for a model that has none."""
    scales: tuple[float, ...] = (1.0,)
    flip: bool = False
    precision: str = "float32"

    @classmethod
    def of(
        cls,
        counts: ConfusionMatrix,
        classes: tuple[str, ...],
        groups: Mapping[str, tuple[int, ...]],
        config: EvaluationConfig,
        *,
        images: int,
        seconds: float,
        output_stride: int | None,
    ) -> "Evaluation":
        """Compute the scores from a finished confusion matrix.

        Raises:
            ValueError: a label is not a class.
        """
        iou = tuple(counts.iou().tolist())
        return cls(
            classes=classes,
            iou=iou,
            miou=counts.miou(),
            pixel_accuracy=counts.pixel_accuracy(),
            groups={name: _mean([iou[i] for i in members]) for name, members in groups.items()},
            group_classes={name: tuple(members) for name, members in groups.items()},
            confusion=tuple(map(tuple, counts.matrix.tolist())),
            images=images,
            seconds=seconds,
            output_stride=output_stride,
            scales=config.scales,
            flip=config.flip,
            precision=config.precision,
        )

    @property
    def pixels(self) -> int:
        """Number of labelled pixels that were counted."""
        return sum(map(sum, self.confusion))

    @property
    def class_precision(self) -> tuple[float, ...]:
        """The share of the pixels predicted as each class that are labelled so; nan for a class never predicted."""
        columns = zip(*self.confusion, strict=True)
        return tuple(_share(column[i], sum(column)) for i, column in enumerate(columns))

    @property
    def class_recall(self) -> tuple[float, ...]:
        """The share of the pixels labelled as each class that are predicted so; nan for a class never labelled."""
        return tuple(_share(row[i], sum(row)) for i, row in enumerate(self.confusion))

    def table(self, *, details: bool = False) -> str:
        """Return a text with a line for each class, the means, and how they were measured.

        Args:
            details: also each class's precision and recall.
        """
        rows = [["class", "IOU %", "pixels %"] + ["precision %", "recall %"] * details]
        pixels = max(self.pixels, 1)
        more = zip(self.class_precision, self.class_recall, strict=True)
        classes = zip(self.classes, self.iou, map(sum, self.confusion), more, strict=True)
        for name, iou, labelled, both in classes:
            row = [printable(name), _percent(iou), f"{100 * labelled / pixels:.2f}"]
            rows.append(row + [_percent(share) for share in both] * details)
        means = [["mIOU", _percent(self.miou)], ["pixel accuracy", _percent(self.pixel_accuracy)]]
        means += [[f"mIOU of {printable(name)}", _percent(score)] for name, score in self.groups.items()]
        means = [row + [""] * (len(rows[0]) - 2) for row in means]
        first, *widths = [max(map(len, column)) for column in zip(*rows, *means, strict=True)]
        lines = [
            "  ".join(
                [
                    f"{row[0]:<{first}}",
                    *(f"{text:>{width}}" for text, width in zip(row[1:], widths, strict=True)),
                ]
            ).rstrip()
            for row in rows + means
        ]
        rule = "-" * (first + sum(widths) + 2 * len(widths))
        lines = [lines[0], rule, *lines[1 : len(rows)], rule, *lines[len(rows) :], "", *self._notes()]
        return "\n".join(lines)

    def _notes(self) -> list[str]:
        notes = []
        absent = [name for name, iou in zip(self.classes, self.iou, strict=True) if math.isnan(iou)]
        if absent:
            notes.append(
                f"left out of the means, as neither labelled nor predicted: {printable(', '.join(absent))}"
            )
        for name, members in self.group_classes.items():
            notes.append(printable(f"{name}: {', '.join(self.classes[i] for i in members)}"))
        notes.append(f"{self.images} images, {self.pixels:,} labelled pixels, {self.seconds:.1f} s")
        stride = "" if self.output_stride is None else f"output stride {self.output_stride}, "
        scales = " ".join(f"{scale:g}" for scale in self.scales)
        notes.append(f"{stride}scales {scales}, {'with' if self.flip else 'no'} flip, {self.precision}")
        return notes

    def to_dict(self) -> dict[str, object]:
        """Return plain values for JSON; a score that does not exist is None, because JSON has no nan."""
        more = {
            "class_precision": self.class_precision,
            "class_recall": self.class_recall,
            "pixels": self.pixels,
        }
        return {name: plain(value) for name, value in (asdict(self) | more).items()}

    def to_csv(self) -> str:
        """Return a line for each class, with shares from 0 to 1 (empty where there is none) and pixels."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(CSV_HEADER)
        predicted = map(sum, zip(*self.confusion, strict=True))
        columns = (self.iou, self.class_precision, self.class_recall)
        for name, shares, row, column in zip(
            self.classes, zip(*columns, strict=True), self.confusion, predicted, strict=True
        ):
            shown = ["" if math.isnan(share) else f"{share:.6f}" for share in shares]
            writer.writerow([printable(name), *shown, sum(row), column])
        return text.getvalue()

    def to_json(self) -> str:
        """Return `to_dict` as JSON, each field on one line and the confusion matrix with one line a row."""
        lines = []
        for name, value in self.to_dict().items():
            if name == "confusion":
                text = "[\n    " + ",\n    ".join(json.dumps(row) for row in self.confusion) + "\n  ]"
            else:
                text = json.dumps(value, ensure_ascii=False)
            lines.append(f"  {json.dumps(name)}: {text}")
        return "{\n" + ",\n".join(lines) + "\n}\n"


def _mean(values: list[float]) -> float:
    """Return the mean of the values that are not nan; nan if there are none."""
    values = [value for value in values if not math.isnan(value)]
    return sum(values) / len(values) if values else math.nan


def _share(part: int, whole: int) -> float:
    return part / whole if whole else math.nan


def _percent(share: float) -> str:
    return "-" if math.isnan(share) else f"{100 * share:.2f}"


def plain(value: object) -> object:
    """Turn nested values into what JSON has: tuples become lists, and numbers that are not finite become None."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
