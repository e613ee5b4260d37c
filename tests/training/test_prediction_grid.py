"""Pictures of predictions: picture, labels and prediction side by side, a row each."""

from pathlib import Path

import numpy as np
from PIL import Image

from dlv3 import weights
from dlv3.data import Scenes, colourise
from dlv3.evaluation import predict_labels
from dlv3.training.prediction_grid import save_predictions


def test_run_writes_one_at_each_validation(finished: Path):
    files = sorted(file.name for file in (finished / "predictions").iterdir())
    assert files == ["000003.png", "000004.png"]


def test_picture_of_predictions_has_picture_labels_and_prediction_side_by_side(finished: Path):
    grid = np.asarray(Image.open(finished / "predictions" / "000004.png"))
    assert grid.shape == (4 * 129 + 3 * 4, 3 * 129 + 2 * 4, 3)
    dataset = Scenes("val", pictures=6)
    image, mask = dataset[0]
    assert (grid[:129, :129] == np.asarray(image).transpose(1, 2, 0)).all()
    assert (grid[:129, 133:262] == colourise(mask, dataset.palette)).all()
    from dlv3.data import EvalTransform

    pixels, _ = EvalTransform()(image)
    predicted = predict_labels(weights.load(finished / "model.safetensors"), pixels[None])[0]
    assert (grid[:129, 266:] == colourise(predicted, dataset.palette)).mean() > 0.99


def test_fewer_pictures_give_fewer_rows(finished: Path, tmp_path: Path):
    model = weights.load(finished / "model.safetensors")
    save_predictions(model, Scenes("val", pictures=2), tmp_path / "new" / "grid.png", pictures=3)
    assert Image.open(tmp_path / "new" / "grid.png").size == (3 * 129 + 2 * 4, 2 * 129 + 4)
