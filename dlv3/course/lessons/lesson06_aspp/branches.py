"""The branches of a trained ASPP to look at: how strongly each speaks, and what is decided without it."""

from collections.abc import Mapping, Sequence

import numpy as np
from torch import Tensor
from torch.nn import functional as F

from dlv3.course.kit.image_explorer import ImageExplorer, Pick, Slider
from dlv3.course.kit.pictures import cividis, png
from dlv3.data import SegmentationDataset
from dlv3.data.palette import colourise

_GAP = 5  # pixels between two panels
_GREY = 119


def branch_explorer(
    scenes: SegmentationDataset,
    masks: Tensor,
    strengths: Mapping[str, Tensor],
    decisions: Mapping[str, Tensor],
    *,
    shown: int = 12,
) -> ImageExplorer:
    """Return an explorer of five panels: scene, truth, a branch's strength, the decision with it and without it.

    Args:
        scenes: the pictures.
        masks: (N, H, W) true classes.
        strengths: by branch, (N, h, w): how strongly it speaks at each position of the map, from 0 to 1.
        decisions: by branch, (N, H, W) classes decided without it, and as "none" those decided with all of them.
        shown: how many scenes can be chosen, from the first.
    """

    def render(branch: str, scene: int) -> bytes:
        strength = F.interpolate(strengths[branch][scene][None, None], size=masks.shape[1:], mode="nearest")
        panels = [
            scenes[scene][0].permute(1, 2, 0).numpy(),
            colourise(masks[scene].numpy(), scenes.palette),
            cividis(strength[0, 0].numpy(), 0, 1),
            *(colourise(decisions[name][scene].numpy(), scenes.palette) for name in ("none", branch)),
        ]
        gap = np.full((masks.shape[1], _GAP, 3), _GREY, np.uint8)
        parts = [part for panel in panels for part in (panel, gap)][:-1]
        return png(np.concatenate(parts, axis=1), scale=2)

    def describe(branch: str, scene: int) -> str:
        truth, whole, less = masks[scene], decisions["none"][scene], decisions[branch][scene]
        right, left = (f"{(decided == truth).float().mean().item():.0%}" for decided in (whole, less))
        moved, pixels = int((less != whole).sum()), truth.numel()
        words = f"All branches get {right} of scene {scene} right, without {branch} it is {left}."
        return f"{words} {changed(moved, pixels)}"

    names: Sequence[str] = tuple(strengths)
    return ImageExplorer(
        render,
        {"branch": Pick("Branch", names, names[-1]), "scene": Slider("Scene", range(shown), 3)},
        says=describe,
        title="Scene | truth | the branch's strength | decision with all | decision without it",
        width=790,
    )


def changed(moved: int, pixels: int) -> str:
    """Say how many of the pixels change their class: as a share, or as a count where the share would round to 0."""
    if moved == 0:
        return "No pixel changes its class."
    if moved == 1:
        return "1 pixel changes its class."
    share = moved / pixels
    return f"{f'{share:.0%} of the' if share >= 0.005 else moved} pixels change their class."
