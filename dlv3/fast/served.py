"""A model made ready to serve: the same logits from fewer operations (`DeepLabV3.for_inference`)."""

import copy

import torch
from torch import Tensor, nn

from dlv3.deeplab import DeepLabV3, DeepLabV3Config, upsample
from dlv3.fast.folded import fold_sequence

DTYPES = (torch.float32, torch.bfloat16, torch.float16)


class InferenceModel(nn.Module):
    """A copy of a DeepLabV3 for inference: batch normalization folded, layout and weights prepared.

    It answers like the model in evaluation mode, at any size and any output stride, and can be given wherever
    `dlv3.evaluation` takes a model. The model that it was made from is not touched; what is trained later does not
    come through.

    What is prepared is kept. On a CPU in float32 that is some five times the model's own memory for images of one
    size, and thirteen times for the six scales of the paper; the first image of a size takes longer than the next.

    Args:
        model: is copied.
        dtype: to compute in: float32, bfloat16 or float16.
        compile: compile it with torch.compile, its weights frozen into the code: takes a minute for each size of
            input, needs a C++ compiler on a CPU, and pays where many images have one size.

    Raises:
        ValueError: another dtype.
    """

    def __init__(
        self, model: DeepLabV3, *, dtype: torch.dtype = torch.float32, compile: bool = False
    ) -> None:
        super().__init__()
        if dtype not in DTYPES:
            raise ValueError(f"dtype={dtype!r}: expected one of {', '.join(map(str, DTYPES))}")
        self.config: DeepLabV3Config = model.config
        self.dtype = dtype
        self._folded = _folded(model).to(dtype=dtype).eval()
        self._run = (
            torch.compile(self._folded.coarse_logits, dynamic=False, options={"freezing": True})
            if compile
            else self._folded.coarse_logits
        )
        super().train(False)

    @property
    def output_stride(self) -> int:
        """The output stride in force."""
        return self._folded.output_stride

    def set_output_stride(self, output_stride: int) -> None:
        """As `DeepLabV3.set_output_stride`."""
        self._folded.set_output_stride(output_stride)

    def train(self, mode: bool = True) -> "InferenceModel":
        """Evaluation mode is the only one.

        Raises:
            RuntimeError: training was asked for.
        """
        if mode:
            raise RuntimeError(
                "made by for_inference: cannot be trained; train the model that it was made from"
            )
        return super().train(False)

    @torch.no_grad()
    def coarse_logits(self, images: Tensor) -> Tensor:
        """As `DeepLabV3.coarse_logits`: (N, 3, H, W) to (N, num_classes, h, w), in the model's dtype.

        Raises:
            TypeError, ValueError: images that a DeepLabV3 refuses.
        """
        if (
            isinstance(images, Tensor) and images.is_floating_point()
        ):  # all else is refused below, by its name
            images = images.to(self.dtype)
            if images.ndim == 4:
                images = images.contiguous(memory_format=torch.channels_last)
        return self._run(images)

    def forward(self, images: Tensor) -> Tensor:
        """As `DeepLabV3.forward`: (N, 3, H, W) to logits (N, num_classes, H, W), in at least float32."""
        return upsample(self.coarse_logits(images), images.shape[2:])


def _folded(model: DeepLabV3) -> DeepLabV3:
    """A copy whose modules are folded. It is a DeepLabV3, so that its rates and checks stay where they are."""
    folded = copy.deepcopy(model).eval().requires_grad_(False)
    folded.aux_classifier = None
    backbone = folded.backbone
    stem = fold_sequence(nn.Sequential(backbone.conv1, backbone.bn1, backbone.relu))
    backbone.conv1, backbone.bn1, backbone.relu = stem[0], nn.Identity(), nn.Identity()
    if isinstance(backbone.pool, nn.Sequential):
        backbone.pool = fold_sequence(backbone.pool)
    for block in range(1, backbone.blocks + 1):
        setattr(backbone, f"layer{block}", fold_sequence(backbone.block(block)))
    folded.classifier = fold_sequence(folded.classifier)
    return folded.to(memory_format=torch.channels_last)
