"""Make a model ready to serve, with the same logits from fewer operations: `for_inference(model)`."""

import copy

import torch
from torch import Tensor, nn

from dlv3.deeplab import DeepLabV3, DeepLabV3Config, upsample
from dlv3.fast.folded import FoldedConv2d, fold_sequence

DTYPES = (torch.float32, torch.bfloat16, torch.float16)


def for_inference(
    model: DeepLabV3, dtype: torch.dtype = torch.float32, compile: bool = False
) -> "InferenceModel":
    """Return a copy of a model made ready to serve: faster, the same answers. The model stays as it is.

    Args:
        model: the model to copy.
        dtype: the type to compute in: float32, bfloat16 or float16.
        compile: compile the copy as well, see `InferenceModel`.

    Raises:
        ValueError: another dtype.
    """
    return InferenceModel(model, dtype=dtype, compile=compile)


class InferenceModel(nn.Module):
    """A copy of a DeepLabV3 for inference, with batch normalization folded and layouts and weights prepared.

    It answers like the model in evaluation mode, at any size and any output stride, and `dlv3.evaluation` takes it
    in place of a model. The model that it was made from is not touched, and later training of that model does
    not change it.

    It keeps what it prepares. On a CPU in float32 that is about five times the model's own memory for images of one
    size, and thirteen times for the six scales of the paper. The first image of a size takes longer than the next.
    Several threads may call it at once; they share what is prepared. Do not change the output stride meanwhile.
    Weights that are loaded or changed in place are prepared again, except those of a compiled copy and changes by
    way of a parameter's `.data`, which go unseen.

    Args:
        model: the model to copy.
        dtype: the type to compute in: float32, bfloat16 or float16.
        compile: compile it with torch.compile, the weights frozen into the code. This takes a minute for each size
            of input, needs a C++ compiler on a CPU, and pays where many images have one size.

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
        """The current output stride."""
        return self._folded.output_stride

    def set_output_stride(self, output_stride: int) -> None:
        """Change the output stride as `DeepLabV3.set_output_stride` does."""
        self._folded.set_output_stride(output_stride)

    def train(self, mode: bool = True) -> "InferenceModel":
        """Stay in evaluation mode, the only one.

        Raises:
            RuntimeError: `mode` is True.
        """
        if mode:
            raise RuntimeError(
                "made by for_inference: cannot be trained; train the model that it was made from"
            )
        return super().train(False)

    @torch.no_grad()
    def coarse_logits(self, images: Tensor) -> Tensor:
        """Compute `DeepLabV3.coarse_logits`: (N, 3, H, W) to (N, num_classes, h, w), in the model's dtype.

        Raises:
            TypeError, ValueError: images that a DeepLabV3 refuses.
        """
        # The folded model refuses everything else, with the reason.
        if isinstance(images, Tensor) and images.is_floating_point():
            images = images.to(self.dtype)
            if images.ndim == 4:
                images = images.contiguous(memory_format=torch.channels_last)
        return self._run(images)

    def forward(self, images: Tensor) -> Tensor:
        """Compute `DeepLabV3.forward`: (N, 3, H, W) to logits (N, num_classes, H, W), in at least float32."""
        return upsample(self.coarse_logits(images), images.shape[2:])


def _folded(model: DeepLabV3) -> DeepLabV3:
    """Return a copy with folded modules. It is still a DeepLabV3, which sets rates and checks images."""
    # Tensors made in inference mode would not count their changes (`dlv3.fast.packed.values_of`).
    with torch.inference_mode(False):
        return _folded_copy(copy.deepcopy(model).eval().requires_grad_(False))


def _folded_copy(folded: DeepLabV3) -> DeepLabV3:
    folded.aux_classifier = None
    backbone = folded.backbone
    backbone.conv1 = FoldedConv2d(backbone.conv1, backbone.bn1, relu=True)
    for name in ("bn1", "relu"):
        setattr(backbone, name, nn.Identity())
    if isinstance(backbone.pool, nn.Sequential):
        backbone.pool = fold_sequence(backbone.pool)
    for block in range(1, backbone.blocks + 1):
        setattr(backbone, f"layer{block}", fold_sequence(backbone.block(block)))
    folded.classifier = fold_sequence(folded.classifier)
    return folded.to(memory_format=torch.channels_last)
