"""The models behind the rows of the paper's Tables 1, 2, 3 and 5, as configurations."""

from dlv3 import DeepLabV3Config

BACKBONE_DEPTHS = {"block4": 4, "block5": 5, "block6": 6, "block7": 7}
GRIDS = [(1, 1, 1), (1, 2, 1), (1, 2, 3), (1, 2, 4), (2, 2, 2)]


def _cascade(backbone: str, blocks: int, output_stride: int = 16, grid: tuple[int, ...] = (1, 1, 1)):
    return DeepLabV3Config(
        backbone=backbone, blocks=blocks, output_stride=output_stride, multi_grid=grid, aspp_rates=()
    )


def _aspp(grid: tuple[int, ...], rates: tuple[int, ...] = (6, 12, 18), image_pooling: bool = False):
    return DeepLabV3Config(
        backbone="resnet101", multi_grid=grid, aspp_rates=rates, image_pooling=image_pooling, output_stride=16
    )


T1 = {f"T1 output stride {s}": _cascade("resnet50", 7, s) for s in (8, 16, 32, 64, 128, 256)}
T2 = {
    f"T2 {backbone} {name}": _cascade(backbone, blocks)
    for backbone in ("resnet50", "resnet101")
    for name, blocks in BACKBONE_DEPTHS.items()
}
T3 = {
    f"T3 {grid} {name}": _cascade("resnet101", blocks, grid=grid)
    for grid in GRIDS
    for name, blocks in BACKBONE_DEPTHS.items()
}
T5 = {
    "T5 (1, 1, 1)": _aspp((1, 1, 1)),
    "T5 (1, 2, 1)": _aspp((1, 2, 1)),
    "T5 (1, 2, 4)": _aspp((1, 2, 4)),
    "T5 (1, 2, 4) and rate 24": _aspp((1, 2, 4), (6, 12, 18, 24)),
    "T5 (1, 2, 4) and image pooling": _aspp((1, 2, 4), image_pooling=True),
}
ROWS = T1 | T2 | T3 | T5
