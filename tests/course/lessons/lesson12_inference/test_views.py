"""The explorer of views asks the model as the library does, and leaves it as it was."""

import matplotlib

matplotlib.use("agg")
import pytest
from matplotlib import pyplot as plt

from dlv3 import assets, weights
from dlv3.course.lessons.lesson12_inference import views
from dlv3.data.made.scenes import Scenes
from dlv3.evaluation import EvaluationConfig, evaluate


@pytest.fixture(scope="module")
def model():
    return weights.load(assets.weights("scenes_laptop"))


def test_explorer_counts_the_mistakes_of_the_library_and_leaves_the_model_as_it_was(model, monkeypatch):
    monkeypatch.setattr(views, "STRIDES", (16, 8))
    scenes = Scenes("val", pictures=2)
    explorer = views.view_explorer(model, scenes, (0, 1), (0.5, 1.0))
    assert model.output_stride == 16
    wrong = []
    for scene in (0, 1):
        explorer.set(output_stride=8, scale="all six", mirror="yes", scene=scene)
        assert explorer.says().startswith("Output stride 8, all six scales, with the mirror image: ")
        wrong.append(float(explorer.says().split()[-6].removesuffix("%")))
    way = EvaluationConfig(output_stride=8, scales=(0.5, 1.0), flip=True)
    accuracy = 100 * evaluate(model, scenes, way, progress=False).pixel_accuracy
    assert sum(wrong) / 2 == pytest.approx(100 - accuracy, abs=0.2)


def test_front_figure_marks_the_ways_that_no_other_beats():
    ways = {"a": (0.1, 60.0), "b": (0.2, 70.0), "c": (0.3, 65.0)}
    figure = views.front_figure(ways, ["a", "b"])
    line, *marks = figure.axes[0].lines
    assert list(line.get_xdata()) == [0.1, 0.2]
    assert [mark.get_marker() for mark in marks] == ["o", "o", "x"]
    plt.close(figure)
