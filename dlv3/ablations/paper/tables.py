"""The paper's tables as data: what each row changes, the number it reports, and the claims that the rows make.

A `Setting` is in the paper's own terms: crops of 513 pixels, ASPP's rates at output stride 16.
`dlv3.ablations.paper.configure.configuration` turns it into a run at the scale of a preset. Numbers are mIOU in percent
on PASCAL VOC 2012 val.
"""

import itertools
from dataclasses import dataclass, replace
from typing import Any

from dlv3.ablations.table import Claim, Row, Table

MULTI_SCALE = (0.5, 0.75, 1.0, 1.25, 1.5, 1.75)  # section 4.1


@dataclass(frozen=True)
class Setting:
    """One row's model, training and evaluation, in the paper's terms. The defaults are the last row of Table 5."""

    backbone: str = "resnet101"
    blocks: int = 4
    multi_grid: tuple[int, ...] = (1, 2, 4)
    aspp_rates: tuple[int, ...] = (6, 12, 18)
    image_pooling: bool = True
    cascade_rate: int | None = None
    """One base rate for block4 on in place of those of the output stride: controls only."""
    train_output_stride: int = 16
    batch_size: int = 16
    crop_size: int = 513
    freeze_batch_norm: bool = False
    downsample_labels: bool = False
    output_stride: int | None = None
    """At evaluation; None is the training's."""
    scales: tuple[float, ...] = (1.0,)
    flip: bool = False
    length: int = 1
    """Of the training, in the preset's own: 2 is twice the schedule."""

    @property
    def scene_cue(self) -> bool:
        """Whether discs of the made scenes need a look at the whole picture: only if the model can have one."""
        return bool(self.aspp_rates)


QUARTER = ("quarter", "quarter-heads")
"""The presets at a quarter of the paper's scale."""
CASCADE = Setting(aspp_rates=(), image_pooling=False, multi_grid=(1, 1, 1))
ASPP = Setting(image_pooling=False)
BEST = Setting()


def is_control(row: Row[Any]) -> bool:
    """Return whether a row is a control: one that the paper does not have, trained as long as the paper's rows."""
    return row.paper is None and isinstance(row.setting, Setting) and row.setting.length == 1


def _t1() -> Table[Setting]:
    paper = {8: 75.18, 16: 73.88, 32: 70.06, 64: 59.99, 128: 42.34, 256: 20.29}
    base = replace(CASCADE, backbone="resnet50", blocks=7)
    rows = tuple(Row(f"output stride {s}", p, replace(base, train_output_stride=s)) for s, p in paper.items())
    strides = list(paper)
    claims = tuple(
        Claim(f"output stride {a}", f"output stride {b}", f"output stride {a} beats {b}")
        for a, b in itertools.pairwise(strides)
    )
    return Table("T1", "ResNet-50 with block7, by output stride", "4.2", rows, claims)


def _t2() -> Table[Setting]:
    paper = {"resnet50": (64.81, 72.14, 74.29, 73.88), "resnet101": (68.39, 73.21, 75.34, 75.76)}
    rows = tuple(
        Row(f"{backbone} block{blocks}", score, replace(CASCADE, backbone=backbone, blocks=blocks))
        for backbone, scores in paper.items()
        for blocks, score in zip((4, 5, 6, 7), scores, strict=True)
    )
    deepest = replace(CASCADE, backbone="resnet50", blocks=7)
    rows += (
        Row("block7, all rates 1", None, replace(deepest, cascade_rate=1), QUARTER),
        Row("block7, rate 2 throughout", None, replace(deepest, cascade_rate=2), QUARTER),
        Row("block7, twice the schedule", None, replace(deepest, length=2), QUARTER),
        Row("block4, twice the schedule", None, replace(deepest, blocks=4, length=2), QUARTER),
    )
    claims = tuple(
        Claim(f"{backbone} block{blocks}", f"{backbone} block4", f"block{blocks} beats block4 ({backbone})")
        for backbone in paper
        for blocks in (5, 6, 7)
    )
    claims += tuple(
        Claim("resnet50 block7", control, f"block7 beats itself with {text} (equal parameters)")
        for control, text in (
            ("block7, all rates 1", "all rates 1"),
            ("block7, rate 2 throughout", "block4's rate throughout"),
        )
    )
    return Table("T2", "Cascaded blocks, by depth", "4.2", rows, claims)


def _t3() -> Table[Setting]:
    paper = {
        (1, 1, 1): (68.39, 73.21, 75.34, 75.76),
        (1, 2, 1): (70.23, 75.67, 76.09, 76.66),
        (1, 2, 3): (73.14, 75.78, 75.96, 76.11),
        (1, 2, 4): (73.45, 75.74, 75.85, 76.02),
        (2, 2, 2): (71.45, 74.30, 74.70, 74.62),
    }
    rows = tuple(
        Row(f"{grid} block{blocks}", score, replace(CASCADE, multi_grid=grid, blocks=blocks))
        for grid, scores in paper.items()
        for blocks, score in zip((4, 5, 6, 7), scores, strict=True)
    )
    claims = (
        Claim("(1, 2, 4) block4", "(1, 1, 1) block4", "multi-grid (1, 2, 4) helps at block4"),
        Claim("(1, 2, 1) block7", "(1, 1, 1) block7", "multi-grid (1, 2, 1) helps at block7"),
        Claim("(1, 2, 1) block7", "(2, 2, 2) block7", "(1, 2, 1) beats plain doubling (2, 2, 2) at block7"),
        Claim("(1, 1, 1) block7", "(2, 2, 2) block7", "plain doubling (2, 2, 2) hurts at block7"),
        Claim("(1, 2, 1) block7", "(1, 2, 1) block4", "deeper stays better with multi-grid"),
    )
    return Table("T3", "Multi-grid, by depth", "4.2", rows, claims)


def _inference(
    base: Setting, scores: tuple[float, ...]
) -> tuple[tuple[Row[Setting], ...], tuple[Claim, ...]]:
    names = ("output stride 16", "output stride 8", "multi-scale", "flip")
    settings = (
        base,
        replace(base, output_stride=8),
        replace(base, output_stride=8, scales=MULTI_SCALE),
        replace(base, output_stride=8, scales=MULTI_SCALE, flip=True),
    )
    rows = tuple(Row(n, p, s) for n, p, s in zip(names, scores, settings, strict=True))
    claims = (
        Claim(names[1], names[0], "the same weights score higher at output stride 8"),
        Claim(names[2], names[1], "several scales help"),
        Claim(names[3], names[2], "mirror images help"),
    )
    return rows, claims


def _t4() -> Table[Setting]:
    base = replace(CASCADE, blocks=7, multi_grid=(1, 2, 1))
    rows, claims = _inference(base, (76.66, 78.05, 78.93, 79.35))
    return Table("T4", "Inference with block7 and multi-grid (1, 2, 1)", "4.2", rows, claims)


def _t5() -> Table[Setting]:
    rows = (
        Row("(1, 1, 1)", 75.36, replace(ASPP, multi_grid=(1, 1, 1))),
        Row("(1, 2, 1)", 75.93, replace(ASPP, multi_grid=(1, 2, 1))),
        Row("(1, 2, 4)", 76.58, ASPP),
        Row("(1, 2, 4), rate 24", 76.46, replace(ASPP, aspp_rates=(6, 12, 18, 24))),
        Row("(1, 2, 4), image pooling", 77.21, BEST),
        # Table 3's first row: the same backbone behind a plain classifier.
        Row("(1, 1, 1), no ASPP", 68.39, CASCADE),
        Row(
            "(1, 1, 1), rates 1, 1, 1",
            None,
            replace(ASPP, multi_grid=(1, 1, 1), aspp_rates=(1, 1, 1)),
            QUARTER,
        ),
        Row("(1, 2, 4), rates 1, 1, 1", None, replace(ASPP, aspp_rates=(1, 1, 1)), QUARTER),
        Row("(1, 1, 1), twice the schedule", None, replace(ASPP, multi_grid=(1, 1, 1), length=2), QUARTER),
        Row("(1, 2, 4), image pooling, twice the schedule", None, replace(BEST, length=2), QUARTER),
    )
    claims = (
        Claim("(1, 1, 1)", "(1, 1, 1), no ASPP", "ASPP beats the plain classifier", "shapes"),
        Claim(
            "(1, 1, 1)",
            "(1, 1, 1), rates 1, 1, 1",
            "ASPP beats itself with rates 1, 1, 1 (equal parameters)",
            "shapes",
        ),
        Claim("(1, 2, 4)", "(1, 1, 1)", "multi-grid (1, 2, 4) helps under ASPP", "shapes"),
        Claim(
            "(1, 2, 4), rates 1, 1, 1",
            "(1, 1, 1), rates 1, 1, 1",
            "multi-grid (1, 2, 4) helps where ASPP's rates are 1, 1, 1",
            "shapes",
        ),
        Claim("(1, 2, 4)", "(1, 2, 4), rate 24", "a fourth rate, 24, does not help", "shapes"),
        Claim("(1, 2, 4), image pooling", "(1, 2, 4)", "image-level features help"),
    )
    return Table("T5", "ASPP at output stride 16", "4.3", rows, claims)


def _t6() -> Table[Setting]:
    rows, claims = _inference(BEST, (77.21, 78.51, 79.45, 79.77))
    return Table("T6", "Inference with ASPP, multi-grid (1, 2, 4) and image pooling", "4.3", rows, claims)


def _t8() -> Table[Setting]:
    rows = (
        Row("all of it", 77.21, BEST),
        Row("batch normalization not fine-tuned", 75.95, replace(BEST, freeze_batch_norm=True)),
        Row("labels downsampled", 76.01, replace(BEST, downsample_labels=True)),
        Row("crop 321", 67.22, replace(BEST, crop_size=321)),
        Row(
            "labels downsampled, evaluated at 8",
            None,
            replace(BEST, downsample_labels=True, output_stride=8),
            QUARTER,
        ),
    )
    claims = tuple(
        Claim("all of it", row.name, text)
        for row, text in zip(
            rows[1:4],
            ("fine-tuning batch normalization helps", "upsampling the logits helps", "large crops matter"),
            strict=True,
        )
    )
    claims += (
        Claim(
            "labels downsampled, evaluated at 8",
            "labels downsampled",
            "trained on downsampled labels, the same weights score higher at output stride 8",
        ),
    )
    return Table("T8", "The training protocol", "A", rows, claims)


def _t9() -> Table[Setting]:
    paper = {4: 64.43, 8: 75.76, 12: 76.49, 16: 77.21}
    rows = tuple(Row(f"batch {n}", p, replace(BEST, batch_size=n)) for n, p in paper.items())
    claims = tuple(Claim("batch 16", f"batch {n}", f"a batch of 16 beats {n}") for n in (4, 8, 12))
    return Table("T9", "Batch size", "A", rows, claims)


def _t10() -> Table[Setting]:
    paper = {(8, 16): 74.45, (16, 16): 77.21, (32, 16): 75.90, (8, 8): 75.62, (16, 8): 78.51, (32, 8): 75.75}
    batches = {8: 6, 16: 16, 32: 24}  # what fitted the authors' memory
    rows = tuple(
        Row(
            f"train {train}, evaluate {test}",
            score,
            replace(BEST, train_output_stride=train, batch_size=batches[train], output_stride=test),
        )
        for (train, test), score in paper.items()
    )
    claims = (
        Claim("train 16, evaluate 8", "train 8, evaluate 8", "training at 16 beats 8, evaluated at 8"),
        Claim("train 16, evaluate 8", "train 32, evaluate 8", "training at 16 beats 32, evaluated at 8"),
        Claim("train 16, evaluate 8", "train 16, evaluate 16", "evaluating at 8 beats 16, trained at 16"),
    )
    return Table("T10", "Training output stride against evaluation output stride", "A", rows, claims)


TABLES: dict[str, Table[Setting]] = {
    t.name: t for t in (_t1(), _t2(), _t3(), _t4(), _t5(), _t6(), _t8(), _t9(), _t10())
}
