"""The picture of a confusion matrix."""

import io

import numpy as np
import pytest
import torch
from PIL import Image

from dlv3.evaluation import ConfusionMatrix, Evaluation, EvaluationConfig, confusion_picture
from dlv3.evaluation.confusion_picture import draw_confusion, is_confusion_picture, require_matplotlib


def evaluation(classes: int) -> Evaluation:
    counts = ConfusionMatrix(classes)
    pixels = torch.arange(classes - 1).expand(1, 2, -1)  # the last class occurs nowhere
    counts.update(pixels, pixels.flip(2))
    names = ("a\x1b$b$", *(f"class {number}" for number in range(1, classes)))
    return Evaluation.of(counts, names, {}, EvaluationConfig(), images=1, seconds=1.0, output_stride=None)


@pytest.mark.parametrize("classes", [2, 30])
def test_picture_is_a_png_that_is_known_again(classes: int):
    content = draw_confusion(evaluation(classes))
    assert is_confusion_picture(content)
    picture = np.array(Image.open(io.BytesIO(content)).convert("RGB"))
    assert picture.shape[0] > 200
    assert len(np.unique(picture.reshape(-1, 3), axis=0)) > 10
    plain = io.BytesIO()
    Image.fromarray(picture).save(plain, "PNG")
    assert not is_confusion_picture(plain.getvalue())


def test_without_matplotlib_it_is_one_line(monkeypatch: pytest.MonkeyPatch):
    require_matplotlib()
    monkeypatch.setattr(confusion_picture, "find_spec", lambda name: None)
    with pytest.raises(
        ValueError, match=r"^--confusion: needs matplotlib; install it with pip install matplotlib$"
    ):
        require_matplotlib()
