"""The two worlds of lesson 11 side by side: the rows that are compared, their pictures, and the figures."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import matplotlib.pyplot as plt
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from dlv3 import assets, weights
from dlv3.ablations.catalogue import EVERY_TABLE
from dlv3.ablations.paper.configure import configuration
from dlv3.ablations.paper.reach import reach
from dlv3.ablations.paper.tables import is_control
from dlv3.ablations.results import Difference, Record, paired_difference
from dlv3.course.kit.plots import BLUE, INK, ORANGE, VERMILLION, show_image
from dlv3.data import SegmentationDataset
from dlv3.data.made.outline import Outline
from dlv3.data.made.placed import Placed
from dlv3.data.made.scenes import Scenes
from dlv3.data.made.shapes import OUTLINES
from dlv3.data.transforms import EvalTransform
from dlv3.deeplab import upsample
from dlv3.evaluation import ConfusionMatrix

WORLDS = ("quarter", "laptop")
"""The presets: large objects on a map of 33×33, small shapes on one of 9×9."""
TITLES = {"quarter": "large objects, a map of 33 × 33", "laptop": "small shapes, a map of 9 × 9"}
OUTPUT_STRIDES = {"quarter": 4, "laptop": 16}
PLAIN = {"T2": "resnet50 block4", "T3": "(1, 1, 1) block4", "T5": "(1, 1, 1), no ASPP"}
"""The networks that the lesson's rows are compared with: block4 and a classifier, in each table."""


@dataclass(frozen=True)
class Step:
    """A row of a table above the plain network."""

    label: str
    table: str
    row: str


STEPS = (
    Step("block5", "T2", "resnet50 block5"),
    Step("block6", "T2", "resnet50 block6"),
    Step("block7", "T2", "resnet50 block7"),
    Step("multi-grid (1, 2, 1)", "T3", "(1, 2, 1) block4"),
    Step("multi-grid (1, 2, 4)", "T3", "(1, 2, 4) block4"),
    Step("ASPP", "T5", "(1, 1, 1)"),
)
CONTROLS = (
    Step("block7, all rates 1", "T2", "block7, all rates 1"),
    Step("ASPP, rates 1, 1, 1", "T5", "(1, 1, 1), rates 1, 1, 1"),
)


def runs(records: Sequence[Record], table: str, row: str, preset: str = "quarter") -> list[Record]:
    """Return the records of a row."""
    return [record for record in records if (record.table, record.row, record.preset) == (table, row, preset)]


def by_seed(records: Sequence[Record], table: str, row: str, preset: str = "quarter") -> dict[int, float]:
    """Return a row's mIOU in percent, by seed."""
    return {record.seed: record.score("miou") for record in runs(records, table, row, preset)}


def gain(records: Sequence[Record], step: Step, preset: str) -> Difference | None:
    """Return how far a row lies above the plain network; None where it was not run.

    The scenes' rows with ASPP have another set of classes than the plain network, which cannot see the scene cue: they
    are compared by the mean IOU of the shapes, which both have.
    """
    score = "shapes" if (preset, step.table) == ("laptop", "T5") else "miou"
    row = runs(records, step.table, step.row, preset)
    return paired_difference(row, runs(records, step.table, PLAIN[step.table], preset), score)


def in_paper(step: Step) -> float | None:
    """Return the paper's difference in points; None for a control."""
    table = EVERY_TABLE[step.table]
    row, plain = table.row(step.row).paper, table.row(PLAIN[step.table]).paper
    return None if row is None or plain is None else row - plain


def of_equal_seeds(*rows: Mapping[int, float]) -> list[dict[int, float]]:
    """Return the rows' scores by seed, at the seeds that all of them have."""
    seeds = sorted(set.intersection(*(set(row) for row in rows)))
    return [{seed: row[seed] for seed in seeds} for row in rows]


def line(records: Sequence[Record], step: Step) -> str:
    """Return a row's gain as text: the paper's, and both worlds' with their verdicts."""
    paper = in_paper(step)
    parts = [f"{step.label:<21}", "paper      " if paper is None else f"paper {paper:+5.2f}"]
    for preset, words in zip(WORLDS, ("large objects", "small shapes"), strict=True):
        found = gain(records, step, preset)
        if found is not None:
            parts.append(
                f"{words} {found.mean:+5.1f} [{found.low:+5.1f}, {found.high:+5.1f}] {found.verdict}"
            )
    return "  ".join(parts)


def gains_figure(records: Sequence[Record]) -> Figure:
    """Draw each row above the plain network: the paper's points, and both worlds' with their intervals."""
    figure, axes = plt.subplots(1, 2, figsize=(9.6, 3.9), sharex=True, sharey=True)
    steps = (*STEPS, *CONTROLS)
    for axis, preset in zip(axes, WORLDS, strict=True):
        for place, step in enumerate(steps):
            found, paper = gain(records, step, preset), in_paper(step)
            colour = VERMILLION if step in CONTROLS else BLUE
            if paper is not None:
                axis.plot(
                    paper, place, "o", mfc="none", mec=INK, ms=7, ls="", label=None if place else "the paper"
                )
            if found is None:
                axis.text(1, place, "not run", va="center", fontsize=9)
                continue
            mark = "D" if step in CONTROLS else "s"
            axis.plot([found.low, found.high], [place] * 2, "-", marker="|", ms=9, color=colour)
            axis.plot(
                found.mean,
                place,
                mark,
                color=colour,
                ms=6,
                ls="",
                label="ours, 95% interval" if place == 0 else "control" if step == CONTROLS[0] else None,
            )
        axis.axvline(0, color=INK, ls="-", marker="", lw=1)
        axis.set(
            title=TITLES[preset], xlabel="points of mIOU above block4 alone", ylim=(len(steps) - 0.4, -0.6)
        )
    axes[0].set_yticks(range(len(steps)), [step.label for step in steps])
    axes[0].legend(loc="lower right", fontsize=8)
    return figure  # fmt: skip


@cache
def dataset_of(preset: str, pictures: int | None = None) -> SegmentationDataset:
    """Return a world's test pictures, without the scene cue."""
    if preset == "quarter":
        return Outline("test", pictures=pictures)
    return Scenes("test", scene_cue=False, pictures=pictures)


@cache
def labels_of(preset: str, pictures: int | None = None) -> Tensor:
    """Return a world's true labels: (N, 129, 129) int64."""
    data = dataset_of(preset, pictures)
    return torch.stack([data[index][1].as_subclass(Tensor).long() for index in range(len(data))])


def worlds_figure() -> Figure:
    """Draw a picture of each world, with the places of its map's samples."""
    figure, axes = plt.subplots(1, 2, figsize=(8.4, 4.2))
    for axis, preset, index in zip(axes, WORLDS, (5, 3), strict=True):
        image = dataset_of(preset)[index][0].as_subclass(Tensor)
        side = -(-129 // OUTPUT_STRIDES[preset])
        at = (torch.arange(side) + 0.5) * 129 / side - 0.5
        show_image(axis, image.permute(1, 2, 0), TITLES[preset])
        columns, rows = torch.meshgrid(at, at, indexing="xy")
        axis.plot(columns.flatten(), rows.flatten(), ".", color="white", ms=1.6 if side > 20 else 5, ls="")
    return figure


def miou_of(predicted: Tensor, labels: Tensor) -> float:
    """Return the mIOU, in percent, of labels (N, H, W)."""
    counts = ConfusionMatrix(int(labels.max()) + 1)
    counts.update(predicted, labels)
    return 100 * counts.miou()


def objects(preset: str, pictures: int) -> Iterator[Tensor]:
    """Yield the mask (129, 129) of each object of a world's first pictures, as if nothing hid a part of it."""
    data = dataset_of(preset)
    for index in range(pictures):
        if isinstance(data, Outline):
            placed = [thing.placed for thing in data.layout(index).objects]
        elif isinstance(data, Scenes):
            shapes = data.layout(index).shapes
            placed = [Placed(OUTLINES[s.kind], s.x, s.y, s.radius, s.angle) for s in shapes]
        for one in placed:
            yield torch.from_numpy(one.covered())


def reach_of(table: str, row: str, preset: str = "quarter") -> int | None:
    """Return how many pixels a row's network sees to each side; None for the whole picture."""
    return reach(configuration(EVERY_TABLE[table].row(row).setting, preset).model)


def seen_figure(distances: Mapping[str, Tensor]) -> Figure:
    """Draw the share of the objects' pixels that a reach to each side holds whole, with the rows' reaches."""
    figure, axes = plt.subplots(1, 2, figsize=(9.6, 3.6), sharey=True)
    for axis, preset in zip(axes, WORLDS, strict=True):
        needed = distances[preset].sort().values
        shares = 100 * torch.arange(1, len(needed) + 1) / len(needed)
        axis.plot(needed, shares, color=BLUE, marker="", ls="-")
        named = {"block4": PLAIN["T2"], "block5": "resnet50 block5", "block6": "resnet50 block6"}
        for (label, row), colour in zip(named.items(), (VERMILLION, ORANGE, INK), strict=True):
            sees = reach_of("T2", row, preset)
            if sees is not None and sees < 280:
                axis.axvline(sees, color=colour, ls="--", marker="", lw=1.5)
                axis.text(sees + 3, 4, f"{label}: {sees} px", rotation=90, color=INK, fontsize=9)
        axis.set(title=TITLES[preset], xlabel="pixels to each side", xlim=(0, 280), ylim=(0, 103))
    axes[0].set_ylabel("object pixels that see it whole, in %")
    return figure


def learnt_figure(
    predicted: Mapping[tuple[str, str], float], learnt: Mapping[tuple[str, str], float]
) -> Figure:
    """Draw what reach alone gives each row against the recorded score."""
    figure, axis = plt.subplots(figsize=(6.4, 4.4))
    controls = {key for key in predicted if is_control(EVERY_TABLE[key[0]].row(key[1]))}
    for kind, colour, mark, keys in (
        ("rows of Tables 2, 3 and 5", BLUE, "o", [key for key in predicted if key not in controls]),
        ("controls", VERMILLION, "D", [key for key in predicted if key in controls]),
    ):
        axis.plot(
            [predicted[key] for key in keys],
            [learnt[key] for key in keys],
            mark,
            color=colour,
            ls="",
            label=kind,
            alpha=0.8,
        )
    axis.plot([20, 100], [20, 100], color=INK, ls=":", marker="", label="as much as reach gives")
    _name_points(axis, predicted, learnt)
    axis.set(
        title="What reach alone would score, and what was learned",
        xlabel="by reach alone, mIOU in %",
        ylabel="recorded, mIOU in %",
        xlim=(20, 108),
        ylim=(15, 75),
    )
    axis.legend(fontsize=8, loc="upper left")
    return figure  # fmt: skip


def _name_points(
    axis: Axes, predicted: Mapping[tuple[str, str], float], learnt: Mapping[tuple[str, str], float]
) -> None:
    named = {
        ("T2", "resnet50 block4"): "block4",
        ("T2", "resnet50 block5"): "block5",
        ("T2", "block7, all rates 1"): "block7, rates 1",
        ("T2", "block7, rate 2 throughout"): "block7, rate 2",
        ("T3", "(1, 2, 4) block4"): "block4 (1, 2, 4)",
        ("T5", "(1, 1, 1), rates 1, 1, 1"): "ASPP, rates 1",
    }
    for key, words in named.items():
        right = predicted[key] > 90
        axis.annotate(words, (predicted[key], learnt[key]), xytext=(-6 if right else 6, -3),
                      textcoords="offset points", ha="right" if right else "left", fontsize=8)  # fmt: skip


@dataclass(frozen=True)
class Mended:
    """A trained network's mIOU in percent, before and after every wrong sample was mended."""

    right: float
    """The share of its samples that are right, in percent."""
    before: float
    after: float


def mend(pictures: int = 60) -> Mended:
    """Mend the lessons' trained network on its 9×9 map: raise the true class at each sample to the top.

    It was trained at output stride 16 on small shapes with the scene cue.
    """
    network = weights.load(assets.weights("scenes_laptop")).eval()
    network.set_output_stride(16)
    cued = Scenes("test", pictures=pictures)
    prepared = [EvalTransform()(*cued[index]) for index in range(pictures)]
    images, labels = (torch.stack(list(part)) for part in zip(*prepared, strict=True))
    with torch.inference_mode():
        logits = torch.cat([network.coarse_logits(batch) for batch in images.split(10)])  # (N, 8, 9, 9)
    side = logits.shape[-1]
    at = ((torch.arange(side) + 0.5) * labels.shape[-1] / side - 0.5).round().long()
    true = labels[:, at][:, :, at].long()  # (N, 9, 9)
    return Mended(
        100 * (logits.argmax(1) == true).double().mean().item(),
        _score(logits, labels),
        _score(_raised(logits, true), labels),
    )


def _raised(logits: Tensor, true: Tensor) -> Tensor:
    """Return logits in which the true class (N, h, w) leads by 2 wherever it did not lead."""
    now = logits.gather(1, true[:, None])
    best = logits.amax(1, keepdim=True)
    return logits.scatter_add(1, true[:, None], torch.where(now < best, best - now + 2, 0.0))


def _score(logits: Tensor, labels: Tensor) -> float:
    return miou_of(upsample(logits, labels.shape[1:]).argmax(1), labels.as_subclass(Tensor).long())


def share_within(distances: Tensor, sees: int | None) -> float:
    """Return the share of distances that a reach covers; None covers all."""
    return 1.0 if sees is None else float((distances <= sees).double().mean())


def rows_by_reach(
    distances: Tensor, score: Callable[[float, int], float], records: Sequence[Record]
) -> tuple[dict[tuple[str, str], float], dict[tuple[str, str], float]]:
    """Return what reach alone gives each recorded row of T2, T3 and T5 in the world of large objects, and its score.

    Args:
        distances: to the furthest side of its object, of each object pixel.
        score: mIOU from 0 to 1, from the share of pixels that see their object whole and the number of classes.
        records: of the runs.

    Returns:
        By table and row, in percent: by reach alone, and the mean recorded mIOU.
    """
    predicted, learnt = {}, {}
    for table in ("T2", "T3", "T5"):
        for row in EVERY_TABLE[table].rows:
            found = list(by_seed(records, table, row.name).values())
            if found and row.setting.length == 1:
                key = (table, row.name)
                seen = share_within(distances, reach_of(*key))
                predicted[key] = 100 * score(seen, len(Outline.classes) - 1)
                learnt[key] = sum(found) / len(found)
    return predicted, learnt
